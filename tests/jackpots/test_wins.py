"""A win is told of when it is found; above the threshold a second person decides about it."""

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from approvals.errors import SecondPersonRequired
from core.actors import Actor, ActorKind
from core.errors import InvalidRequest, NotFound
from jackpots.books import check_conservation
from jackpots.enums import WinCause
from jackpots.errors import WinWrongState
from jackpots.models import Instance, JackpotSettings, Pot, Win
from jackpots.representations import represent_win
from jackpots.services.wins import approve_win, record_win, reject_win
from operators.models import Operator
from players.models import Player
from tests.factories.approvals import ApprovalSettingsFactory
from tests.factories.jackpots import InstanceFactory, PotEntryFactory, WinFactory
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.jackpots.paying import audited, read, told

pytestmark = pytest.mark.django_db

FOLD = Actor(kind=ActorKind.TASK, ref="fold_contributions")
SECOND = Actor(kind=ActorKind.STAFF, ref="8")


@pytest.fixture
def instance(operator: Operator) -> Instance:
    return InstanceFactory.create(operator=operator, progressive=True)


@pytest.fixture
def waiting(operator: Operator, player: Player, actor: Actor) -> Win:
    """A win of ten euros that ``actor`` has made, and that waits for approval."""
    return WinFactory.create(
        pot__instance__operator=operator,
        player=player,
        status="awaiting_approval",
        initiated_by_ref=actor.ref,
        pot__reserve=Decimal("1.23456789"),
    )


def found(instance: Instance, player: Player, amount: str, now: datetime, **more: Any) -> Win:
    members: dict[str, Any] = {
        "pot": instance.pots.get(),
        "cycle": Win.objects.filter(instance=instance).count() + 1,
        "cause": WinCause.HIT_RATE,
        "initiated_by": FOLD,
        **more,
    }
    return record_win(
        instance=instance, player_id=player.pk, amount=Decimal(amount), now=now, **members
    )


def test_a_win_is_payable_at_once_and_told_of_as_the_api_shows_it(
    operator: Operator, instance: Instance, player: Player, now: datetime
) -> None:
    JackpotSettings.objects.create(operator=operator, win_approval_above=None)

    win = found(
        instance,
        player,
        "12500.50",
        now,
        cause=WinCause.MUST_HIT_BY_AMOUNT,
        trigger=Decimal("12500.40000001"),
        trigger_nonce="ab" * 16,
    )

    stored = read(win)
    shown = represent_win(stored)
    pot_id = instance.pots.get().pk
    assert (stored.status, stored.next_attempt_at) == ("payable", now)
    assert {name: shown[name] for name in ("pot", "player_id", "amount", "trigger")} == {
        "pot": "main",
        "player_id": "ada",
        "amount": "12500.50",
        "trigger": "12500.40000001",
    }
    # Whoever kept what was published can compute it again from what is shown.
    preimage = f"{shown['pot_id']}:{shown['cycle']}:{shown['trigger']}:{shown['trigger_nonce']}"
    assert preimage == f"{pot_id}:1:12500.40000001:{'ab' * 16}"
    assert shown["commitment"] == hashlib.sha256(preimage.encode()).hexdigest()
    assert shown["payout_amount"] is None
    assert shown["decided_by"] is None
    assert told(win) == [("jackpot.pot.won", "payable")]
    assert audited(win) == [("jackpot.win.found", "task:fold_contributions")]


def test_above_the_threshold_in_the_base_currency_it_waits(
    operator: Operator, instance: Instance, player: Player, now: datetime
) -> None:
    dollars = InstanceFactory.create(operator=operator, progressive=True, currency="USD")
    settings = JackpotSettings.objects.create(operator=operator, win_approval_above=None)
    before = found(instance, player, "999999.00", now)
    settings.win_approval_above = Decimal("12.50")
    settings.save()

    unknown = found(instance, player, "0.01", now)
    known = found(dollars, player, "12.50", now)
    ExchangeRateFactory.create(operator=operator)
    equal = found(instance, player, "10.00", now)
    above = found(instance, player, "10.01", now)

    found_as = [read(win).status for win in (before, unknown, known, equal, above)]
    waits = "awaiting_approval"
    assert found_as == ["payable", waits, "payable", "payable", waits]
    assert read(above).next_attempt_at is None
    assert told(above) == [("jackpot.pot.won", waits)]


@pytest.mark.parametrize(("amount", "waits"), [("8000.00", False), ("8000.01", True)])
def test_an_operator_that_has_set_nothing_has_a_threshold(
    amount: str, waits: bool, operator: Operator, instance: Instance, player: Player, now: datetime
) -> None:
    # Ten thousand dollars are eight thousand euros.
    ExchangeRateFactory.create(operator=operator)

    win = found(instance, player, amount, now)

    assert not JackpotSettings.objects.exists()
    assert (read(win).status == "awaiting_approval") is waits


def test_a_pot_that_staff_drop_has_the_limit_of_bonuses_by_hand(
    operator: Operator, instance: Instance, player: Player, actor: Actor, now: datetime
) -> None:
    ExchangeRateFactory.create(operator=operator)
    key = Actor(kind=ActorKind.API_KEY, ref="1")
    dropped: dict[str, Any] = {"cause": WinCause.MANUAL, "initiated_by": actor}

    equal = found(instance, player, "400.00", now, **dropped)
    above = found(instance, player, "400.01", now, **dropped)
    by_a_system = found(instance, player, "400.01", now, **{**dropped, "initiated_by": key})
    by_chance = found(instance, player, "400.01", now)
    # That no win waits is said of wins; what one person may give away is another matter.
    JackpotSettings.objects.create(operator=operator, win_approval_above=None)
    above_still = found(instance, player, "400.01", now, **dropped)
    ApprovalSettingsFactory.create(operator=operator, manual_grant_above=None)
    allowed = found(instance, player, "999999.00", now, **dropped)

    waiting = [
        read(win).status == "awaiting_approval"
        for win in (equal, above, by_a_system, by_chance, above_still, allowed)
    ]
    assert waiting == [False, True, False, False, True, False]


def test_a_second_person_lets_it_be_paid(operator: Operator, waiting: Win, now: datetime) -> None:
    approve_win(operator=operator, win_id=waiting.pk, reason="Looks fine", actor=SECOND, now=now)

    win = read(waiting)
    assert (win.status, win.next_attempt_at, win.decided_at) == ("payable", now, now)
    assert represent_win(win)["decided_by"] == {"kind": "staff", "ref": "8"}
    assert audited(win) == [("jackpot.win.approved", "staff:8")]
    for decide in (approve_win, reject_win):
        with pytest.raises(WinWrongState):
            decide(operator=operator, win_id=win.pk, reason="Again", actor=SECOND, now=now)
    assert read(win).decision_reason == "Looks fine"


def test_a_rejected_win_is_in_the_reserve(
    operator: Operator, waiting: Win, now: datetime, record_locks: Any
) -> None:
    PotEntryFactory.create(pot=waiting.pot, amount=Decimal("11.23456789"))
    assert list(check_conservation()) == []

    with record_locks() as tables:
        reject_win(operator=operator, win_id=waiting.pk, reason=" A robot ", actor=SECOND, now=now)

    win = read(waiting)
    assert tables == ["jackpots_instance", "jackpots_win"]
    assert (win.status, win.decision_reason) == ("rejected", "A robot")
    assert win.pot.reserve == Decimal("11.23456789")
    assert list(check_conservation()) == []
    assert told(win) == [("jackpot.win.rejected", "rejected")]
    assert audited(win) == [("jackpot.win.rejected", "staff:8")]
    with pytest.raises(WinWrongState):
        reject_win(operator=operator, win_id=win.pk, reason="Again", actor=SECOND, now=now)
    assert Pot.objects.get(pk=win.pot_id).reserve == Decimal("11.23456789")


def test_nobody_decides_alone_nor_without_a_reason_nor_for_others(
    operator: Operator, waiting: Win, actor: Actor, now: datetime
) -> None:
    stranger = OperatorFactory.create()
    for decide in (approve_win, reject_win):
        with pytest.raises(SecondPersonRequired):
            decide(operator=operator, win_id=waiting.pk, reason="Mine", actor=actor, now=now)
        with pytest.raises(NotFound):
            decide(operator=stranger, win_id=waiting.pk, reason="Mine", actor=SECOND, now=now)
    with pytest.raises(InvalidRequest):
        reject_win(operator=operator, win_id=waiting.pk, reason="  ", actor=SECOND, now=now)

    assert read(waiting).status == "awaiting_approval"
    assert read(waiting).pot.reserve == Decimal("1.23456789")
    assert told(waiting) == []


def test_the_database_too_wants_a_second_person(waiting: Win, actor: Actor) -> None:
    approve = (
        "UPDATE jackpots_win SET status = 'payable', decided_at = now(), next_attempt_at = now(),"
        " decided_by_kind = %s, decided_by_ref = %s WHERE id = %s"
    )

    with (
        pytest.raises(IntegrityError, match="win_not_approved_by_its_initiator"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(approve, [actor.kind, actor.ref, waiting.pk])
    with connection.cursor() as cursor:
        cursor.execute(approve, [actor.kind, "8", waiting.pk])
    assert read(waiting).status == "payable"
