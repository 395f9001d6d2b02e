"""Pots that drop: the fold finds who wins, in the order of the ledger, and what."""

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import books
from core.actors import Actor
from core.models import OutboxMessage
from jackpots.enums import DropType, InstanceStatus, WinCause
from jackpots.models import Instance, Pot, PotEntry, RollbackLoss, Win
from jackpots.rules.identities import win_id
from jackpots.selectors import read_meters
from jackpots.services import folding, pots
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory
from tests.jackpots.conftest import let_the_horizon_pass
from tests.jackpots.ledger import Ledger

pytestmark = pytest.mark.django_db(transaction=True)

BY_AMOUNT = {"drop_type": DropType.MUST_HIT_BY_AMOUNT, "drop_amount": Decimal(20)}
NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


@pytest.fixture
def ledger(operator: Operator, actor: Actor) -> Ledger:
    return Ledger(operator, actor)


def progressive(operator: Operator, *pots: dict[str, Any], **terms: Any) -> Instance:
    return InstanceFactory.create(operator=operator, progressive=True, pots=pots, **terms)


def facts(*wins: Win) -> list[tuple[Any, ...]]:
    return [(win.cycle, win.player.reference, f"{win.amount.normalize():f}") for win in wins]


def found(instance: Instance) -> list[Win]:
    return list(Win.objects.filter(instance=instance).order_by("pot__position", "cycle"))


def value(instance: Instance, position: int = 0) -> tuple[Decimal, Decimal]:
    meter = read_meters(instance_ids=[instance.pk])[instance.pk][position]
    return meter.value, meter.reserve


# By amount


def test_the_crossing_contribution_wins_what_is_there_and_later_ones_grow_the_next_cycle(
    operator: Operator, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The next trigger is the highest that there is, and not crossed at once.
    monkeypatch.setattr(pots.secrets, "randbelow", lambda below: below - 1)
    instance = progressive(operator, {"seed": Decimal(10), "trigger": Decimal("12.5"), **BY_AMOUNT})
    pot = instance.pots.get()
    ledger.add(instance, "ada", "1.005")
    crossing = ledger.add(instance, "bob", "1.7")
    ledger.add(instance, "cyd", "0.3")

    ledger.fold(instance)

    [win] = found(instance)
    assert facts(win) == [(1, "bob", "12.7")]
    assert win.pk == win_id(contribution_id=crossing.pk, pot_position=0)
    assert win.cause == WinCause.MUST_HIT_BY_AMOUNT
    # The fraction of a cent began the reserve, which helped with the seed.
    assert value(instance) == (Decimal("10.3"), Decimal(0))
    assert list(
        PotEntry.objects.filter(cycle=2).order_by("kind").values_list("kind", "amount")
    ) == [
        ("reserve", Decimal("0.005")),
        ("seed", Decimal("9.995")),
    ]
    # What was published before is what the win reveals.
    shown = OutboxMessage.objects.get(topic="jackpot.pot.won").payload
    revealed = f"{pot.pk}:{pot.cycle}:{shown['trigger']}:{shown['trigger_nonce']}"
    assert hashlib.sha256(revealed.encode()).hexdigest() == pot.commitment
    after = Pot.objects.get(pk=pot.pk)
    assert after.commitment not in ("", pot.commitment)
    trigger, _nonce = pots.reveal_trigger(sealed=after.trigger_sealed)
    assert trigger is not None
    assert 10 < trigger <= 20
    assert Instance.objects.get(pk=instance.pk).revision == instance.revision + 1
    assert books.find_differences() == []


def test_what_cannot_drop_is_folded_in_one_statement_and_a_win_needs_no_other_lock(
    operator: Operator, ledger: Ledger, record_locks: Any
) -> None:
    instance = progressive(operator, {"trigger": Decimal(3), **BY_AMOUNT})
    ledger.add(instance, "ada", "2")
    let_the_horizon_pass()

    with CaptureQueriesContext(connection) as queries:
        ledger.fold(instance)
    ledger.add(instance, "ada", "2")
    with record_locks() as tables:
        ledger.fold(instance)

    is_ours = ("jackpots_instance", "jackpots_pot")
    ours = [query for query in queries if any(table in query["sql"] for table in is_ours)]
    assert len(ours) == 2
    assert len(found(instance)) == 1
    assert tables == ["jackpots_instance"]


def test_a_boost_past_the_amount_makes_the_next_contribution_with_money_win(
    operator: Operator, ledger: Ledger
) -> None:
    instance = progressive(operator, {"trigger": Decimal(15), **BY_AMOUNT})
    ledger.add(instance, "ada", "1")
    ledger.fold(instance)
    Pot.objects.update(opening=Decimal(30))
    PotEntry.objects.create(
        operator=operator,
        pot=instance.pots.get(),
        cycle=1,
        kind="boost",
        amount=30,
        created_at=NOON,
    )
    ledger.add(instance, "bob", "0")
    ledger.fold(instance)
    assert (found(instance), value(instance)) == ([], (Decimal(20), Decimal(11)))

    ledger.add(instance, "cyd", "0.01")
    ledger.fold(instance)

    # The meter stops at the amount that it must hit by; what a boost put above it remains.
    assert facts(*found(instance)) == [(1, "cyd", "20")]
    assert value(instance) == (Decimal(0), Decimal("11.01"))
    assert books.find_differences() == []


def test_a_pot_from_before_amounts_were_hidden_is_given_one(
    operator: Operator, ledger: Ledger, actor: Actor, now: datetime
) -> None:
    instance = progressive(operator, {"seed": Decimal(10), **BY_AMOUNT})

    folding.fold_contributions(actor=actor, now=now, limit=10)

    trigger, _nonce = pots.reveal_trigger(sealed=instance.pots.get().trigger_sealed)
    assert trigger is not None
    assert 10 < trigger <= 20
    assert folding.fold_contributions(actor=actor, now=now, limit=10) == 0


# By chance


def test_hits_win_in_the_order_of_the_ledger_several_in_one_fold(
    operator: Operator, ledger: Ledger
) -> None:
    half = {"share": Decimal("0.5"), "drop_type": DropType.HIT_RATE}
    instance = progressive(
        operator,
        {"name": "Mini", "seed": Decimal(1), "drop_probability": Decimal("0.1"), **half},
        {"name": "Grand", "drop_probability": Decimal("0.001"), **half},
    )
    ledger.add(instance, "ada", "2", hits=[0])
    ledger.add(instance, "bob", "4")
    both = ledger.add(instance, "cyd", "6", hits=[1, 0])
    ledger.add(instance, "dee", "8")

    ledger.fold(instance)

    wins = found(instance)
    assert facts(*wins) == [(1, "ada", "2"), (2, "cyd", "6"), (1, "cyd", "6")]
    assert {win.cause for win in wins} == {WinCause.HIT_RATE}
    assert [win.pk for win in wins[1:]] == [
        win_id(contribution_id=both.pk, pot_position=position) for position in (0, 1)
    ]
    assert [value(instance, 0), value(instance, 1)] == [(5, 0), (4, 0)]
    assert books.find_differences() == []


def test_the_order_of_the_ledger_is_that_of_its_transactions_as_numbers(
    operator: Operator, ledger: Ledger
) -> None:
    instance = progressive(operator, {"trigger": Decimal(1), **BY_AMOUNT})
    # Written in another order than they began in, with a carry between the two.
    for player, xid in (("cyd", 101), ("bob", 100), ("ada", 99)):
        ledger.add(instance, player, "1.5", xid=xid, at=NOON)
    since = by_time(operator, NOON)
    for player, xid in (("bob", 100), ("ada", 99)):
        ledger.add(since, player, "1", xid=xid, at=NOON)

    ledger.fold(instance)
    ledger.fold(since, now=NOON)

    first, second = found(instance)[0], found(since)[0]
    assert facts(first, second) == [(1, "ada", "1.5"), (1, "ada", "2")]


# By time


def by_time(operator: Operator, at: datetime, **terms: Any) -> Instance:
    pot = {"seed": Decimal(1), "drop_type": DropType.MUST_HIT_BY_TIME, "drop_at": at}
    return progressive(operator, pot, **terms)


def test_the_last_before_the_instant_wins_and_one_at_it_is_in_the_next_cycle(
    operator: Operator, ledger: Ledger
) -> None:
    instance = by_time(operator, NOON)
    ledger.add(instance, "ada", "2", at=NOON - timedelta(hours=1))
    ledger.add(instance, "bob", "4", at=NOON - timedelta(microseconds=1))
    ledger.add(instance, "cyd", "0", at=NOON - timedelta(microseconds=1))
    # Folded before the instant, by a process whose clock is behind: so is the one at it.
    ledger.add(instance, "dee", "8", at=NOON)
    ledger.fold(instance, now=NOON - timedelta(seconds=1))
    assert found(instance) == []
    ledger.add(instance, "eve", "16", at=NOON + timedelta(seconds=1))

    ledger.fold(instance, now=NOON + timedelta(seconds=2))

    assert facts(*found(instance)) == [(1, "bob", "7")]
    assert value(instance) == (Decimal(25), Decimal(0))
    # Nothing says when next, so it waits for other terms.
    assert instance.pots.get().drop_type == DropType.MANUAL
    assert books.find_differences() == []


def test_without_one_before_the_instant_the_first_since_wins(
    operator: Operator, ledger: Ledger, actor: Actor
) -> None:
    instance = by_time(operator, NOON)
    folding.fold_contributions(actor=actor, now=NOON, limit=10)
    assert found(instance) == []
    ledger.add(instance, "ada", "0", at=NOON)
    ledger.add(instance, "bob", "2", at=NOON + timedelta(hours=1))
    ledger.add(instance, "cyd", "4", at=NOON + timedelta(hours=1))

    ledger.fold(instance, now=NOON + timedelta(hours=2))

    assert facts(*found(instance)) == [(1, "bob", "3")]
    assert value(instance) == (Decimal(5), Decimal(0))


def test_whoever_took_the_last_one_back_before_the_instant_does_not_win(
    operator: Operator, ledger: Ledger
) -> None:
    instance = by_time(operator, NOON)
    ledger.add(instance, "ada", "2", at=NOON - timedelta(hours=1))
    last = ledger.add(instance, "bob", "4", at=NOON - timedelta(minutes=1))
    ledger.take_back(instance, last, at=NOON - timedelta(seconds=1))
    ledger.fold(instance, now=NOON - timedelta(seconds=1))

    ledger.fold(instance, now=NOON)

    assert facts(*found(instance)) == [(1, "ada", "3")]
    assert RollbackLoss.objects.count() == 0
    assert books.find_differences() == []


def test_a_drop_waits_for_what_was_made_before_it_and_is_not_over(
    operator: Operator, ledger: Ledger, actor: Actor
) -> None:
    instance = by_time(operator, NOON)
    ledger.add(instance, "ada", "2", at=NOON - timedelta(minutes=2))
    ledger.fold(instance, now=NOON - timedelta(minutes=1))
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT pg_current_xact_id()")
        ledger.add(instance, "bob", "4", at=NOON - timedelta(seconds=1))
        folding.fold_instance(instance_id=instance.pk, actor=actor, now=NOON)
        assert found(instance) == []
        cursor.execute("ROLLBACK")
    other.close()

    ledger.fold(instance, now=NOON)

    assert facts(*found(instance)) == [(1, "bob", "7")]


def test_drops_recur_at_the_same_local_time_through_both_changes_of_the_clocks(
    operator: Operator, ledger: Ledger, actor: Actor
) -> None:
    # Half past two in Berlin: on 29 March there is none, on 25 October there are two.
    instance = by_time(
        operator,
        datetime(2026, 3, 28, 1, 30, tzinfo=UTC),
        recurrence="daily",
        timezone="Europe/Berlin",
    )
    drops = []
    for number in range(3):
        at = instance.pots.get().drop_at - timedelta(minutes=1)
        ledger.add(instance, f"player {number}", "1", at=at)
        ledger.fold(instance, now=at)
        # Nobody contributes any more, and still it is due.
        folding.fold_contributions(actor=actor, now=at + timedelta(minutes=1), limit=10)
        drops.append(instance.pots.get().drop_at)
    # Runs that nobody took part in are left out.
    late = datetime(2026, 10, 24, 12, tzinfo=UTC)
    ledger.add(instance, "late", "1", at=late)
    ledger.fold(instance, now=late)

    assert drops == [datetime(2026, 3, day, hour, 30, tzinfo=UTC) for day, hour in
                     ((29, 1), (30, 0), (31, 0))]  # fmt: skip
    assert instance.pots.get().drop_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert Win.objects.count() == 4


# Ceilings, terms that wait, states


def test_the_excess_over_a_ceiling_is_in_the_reserve_and_pays_the_next_seed(
    operator: Operator, ledger: Ledger
) -> None:
    instance = progressive(
        operator,
        {"seed": Decimal(8), "ceiling": Decimal(10), "drop_type": DropType.HIT_RATE,
         "drop_probability": Decimal("0.5")},
    )  # fmt: skip
    readings = []
    for number in range(4):
        ledger.add(instance, "ada", "1.5", hits=[0] if number == 3 else [])
        readings.append(value(instance))
        ledger.fold(instance)

    assert readings == [(Decimal("9.5"), 0), (10, 1), (10, Decimal("2.5")), (10, 4)]
    assert facts(*found(instance)) == [(1, "ada", "10")]
    assert value(instance) == (Decimal(8), Decimal(0))
    assert list(PotEntry.objects.order_by("pk").values_list("kind", "amount")) == [
        ("seed", 8),
        ("reserve", 4),
        ("seed", 4),
    ]
    assert books.find_differences() == []


def test_terms_that_waited_hold_from_the_win_on(operator: Operator, ledger: Ledger) -> None:
    instance = progressive(operator, {"trigger": Decimal(2), **BY_AMOUNT})
    Pot.objects.update(
        pending_terms={
            "seed": "3",
            "ceiling": "50",
            "drop": {"type": "must_hit_by_time", "at": "2026-04-01T10:00:00Z"},
        }
    )
    ledger.add(instance, "ada", "2")

    ledger.fold(instance)

    pot = instance.pots.get()
    assert (pot.seed, pot.opening, pot.ceiling, pot.drop_type, pot.drop_amount) == (
        3, 3, 50, DropType.MUST_HIT_BY_TIME, None)  # fmt: skip
    assert pot.drop_at == datetime(2026, 4, 1, 10, tzinfo=UTC)
    assert (pot.trigger_sealed, pot.commitment, pot.pending_terms) == ("", "", None)
    assert books.find_differences() == []


def test_neither_a_pause_nor_a_close_stops_what_was_contributed_before(
    operator: Operator, ledger: Ledger
) -> None:
    paused = progressive(operator, {"trigger": Decimal(2), **BY_AMOUNT}, paused=True)
    closing = progressive(
        operator,
        {"name": "amount", "trigger": Decimal(1), "share": Decimal("0.5"), **BY_AMOUNT},
        {"name": "time", "share": Decimal("0.5"), "drop_type": DropType.MUST_HIT_BY_TIME,
         "drop_at": NOON},
        status=InstanceStatus.CLOSING,
        closing_at=NOON - timedelta(seconds=1),
    )  # fmt: skip
    for instance in (paused, closing):
        ledger.add(instance, "ada", "2.5", at=NOON - timedelta(minutes=1))
        ledger.fold(instance, now=NOON)

    assert facts(*found(paused)) == [(1, "ada", "2.5")]
    # The time had not come when it closed: that pot keeps what it holds.
    assert facts(*found(closing)) == [(1, "ada", "1.25")]
    assert value(closing, 1) == (Decimal("1.25"), Decimal(0))
    assert Instance.objects.get(pk=closing.pk).status == InstanceStatus.CLOSED
    assert books.find_differences() == []
