"""The four ends of our own grants: where the money goes, to the minor unit, and what is told."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from bonuses.errors import BonusGrantClosed
from bonuses.models import BonusGrant
from bonuses.services import endings
from core.errors import NotFound, ResourceBusy
from core.models import AuditEntry, OutboxMessage
from operators.models import Operator
from tests.bonuses.playing import Play, differences, stored
from tests.factories.activity import ACTOR
from tests.factories.bonuses import BonusGrantFactory
from wallets.enums import AccountKind

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
WEEK = timedelta(days=7)


@pytest.fixture
def play() -> Iterator[Play]:
    play = Play()
    yield play
    assert differences() == []


def entry_of(grant: BonusGrant) -> AuditEntry:
    return AuditEntry.objects.get(subject_id=str(grant.pk))


# Completion


def test_the_requirement_met_releases_the_bonus_and_all_it_won(play: Play) -> None:
    grant = play.granted("10.00", wagering_multiplier=Decimal(2))
    play.bet("10.00", "30.00")

    [progress] = play.bet("10.00", "5.00").grants

    grant = stored(grant)
    assert (progress.grant.pk, progress.grant.status) == (grant.pk, "completed")
    assert (grant.status, grant.completed_at) == ("completed", play.now)
    assert (grant.wagering_progress, grant.total_wagered) == (20, 20)
    assert (grant.released_amount, grant.excess_amount) == (25, 0)
    assert (play.main, play.in_bonus(grant)) == (25, 0)
    assert play.moves(grant)[-1] == ("release", 25)


@pytest.mark.parametrize(
    ("stake", "status"), [("19.99", "active"), ("20.00", "completed"), ("20.01", "completed")]
)
def test_the_target_is_met_exactly(stake: str, status: str, play: Play) -> None:
    play.has("100.00")
    grant = play.granted("10.00", wagering_multiplier=Decimal(2))

    play.bet(stake, "0")

    assert stored(grant).status == status
    assert play.main == 100 - Decimal(stake) + (10 if status == "completed" else 0)


@pytest.mark.parametrize(("cap", "released", "excess"), [
    (None, "95.00", "0"), ("100.00", "95.00", "0"), ("85.00", "95.00", "0"),
    ("84.99", "94.99", "0.01"), ("50.00", "60.00", "35.00"), ("0", "10.00", "85.00"),
    ("99999999999999999999.00", "95.00", "0"),
])  # fmt: skip
def test_winnings_above_the_cap_are_held_back_and_visible(
    cap: str | None, released: str, excess: str, play: Play
) -> None:
    most = None if cap is None else Decimal(cap)
    grant = play.granted("10.00", wagering_multiplier=Decimal(1), max_win_cap=most)

    play.bet("5.00", "90.00")
    play.bet("5.00", "5.00")

    grant = stored(grant)
    assert (grant.status, grant.released_amount) == ("completed", Decimal(released))
    assert grant.excess_amount == Decimal(excess)
    assert play.main == Decimal(released)
    assert play.house(AccountKind.BONUS_EXCESS) == Decimal(excess)
    assert play.in_bonus(grant) == 0


def test_a_bonus_that_was_lost_releases_what_is_left(play: Play) -> None:
    play.has("100.00")
    grant = play.granted("10.00", wagering_multiplier=Decimal(10), max_win_cap=Decimal(5))

    play.bet("100.00", "0")

    assert (stored(grant).status, stored(grant).released_amount) == ("completed", 10)
    lost = play.granted("10.00", wagering_multiplier=Decimal(1))
    play.bet("20.00", "0")
    assert (stored(lost).status, stored(lost).released_amount) == ("completed", 0)
    assert (play.main, play.moves(lost)) == (0, [("credit", 10), ("stake", 10)])


def test_nothing_to_wager_completes_at_once(play: Play) -> None:
    grant = play.granted("10.00", wagering_multiplier=Decimal(0))

    endings.complete_grant(grant=grant, actor=ACTOR, now=play.now)

    assert (stored(grant).status, play.main) == ("completed", 10)
    assert play.moves(grant) == [("credit", 10), ("release", 10)]


def test_a_grant_below_its_requirement_cannot_complete(play: Play) -> None:
    grant = play.granted("10.00")

    with pytest.raises(AssertionError), transaction.atomic():
        endings.complete_grant(grant=grant, actor=ACTOR, now=play.now)

    assert (stored(grant).status, play.main) == ("active", 0)


def test_completion_tells_the_trail_and_the_outbox(play: Play) -> None:
    grant = play.granted("10.00", wagering_multiplier=Decimal(1))

    play.bet("10.00", "25.00")

    entry = entry_of(grant)
    assert (entry.action, entry.before) == ("bonus.grant.completed", {"status": "active"})
    assert entry.after == {
        "status": "completed",
        "bonus_currency": "EUR",
        "wagering_progress": "10.00000000",
        "released_amount": "25.00000000",
        "excess_amount": "0.00000000",
    }
    message = OutboxMessage.objects.get(topic="bonus.grant.completed")
    assert (message.payload["id"], message.payload["released_amount"]) == (str(grant.pk), "25.00")


# The other ends


@pytest.mark.parametrize("how", ["cancel", "forfeit"])
def test_on_request_what_is_left_goes_back_to_the_house(how: str, play: Play) -> None:
    grant = play.granted("10.00")
    play.bet("4.00", "1.50")

    ended = play.end(grant, how)

    status = {"cancel": "cancelled", "forfeit": "forfeited"}[how]
    grant = stored(grant)
    assert (ended.status, grant.status, grant.outcome_reason) == (status, status, "asked to")
    assert getattr(grant, f"{status}_at") == play.now
    assert (grant.released_amount, grant.excess_amount) == (None, None)
    assert (play.in_bonus(grant), play.main) == (0, 0)
    assert play.moves(grant)[-1] == ("clawback", Decimal("7.50"))
    assert play.house(AccountKind.BONUS_COST) == Decimal("-2.50")
    entry = entry_of(grant)
    assert (entry.action, entry.reason) == (f"bonus.grant.{status}", "asked to")
    assert entry.after["clawback_amount"] == "7.50000000"
    assert OutboxMessage.objects.filter(topic=f"bonus.grant.{status}").count() == 1


def test_nothing_left_moves_nothing(play: Play) -> None:
    grant = play.granted("10.00")
    play.bet("10.00", "0")

    play.end(grant, "cancel")

    assert play.moves(grant) == [("credit", 10), ("stake", 10)]


@pytest.mark.parametrize("how", ["cancel", "forfeit"])
@pytest.mark.parametrize("first", ["cancel", "forfeit", "expire", "complete"])
def test_what_has_ended_does_not_end_again(first: str, how: str, play: Play) -> None:
    grant = play.granted("10.00", wagering_multiplier=Decimal(1))
    if first == "complete":
        play.bet("10.00", "10.00")
    elif first == "expire":
        play.now += WEEK
        play.sweep()
    else:
        play.end(grant, first)
    before, moves = BonusGrant.objects.filter(pk=grant.pk).values().get(), play.moves(grant)

    with pytest.raises(BonusGrantClosed):
        play.end(grant, how)

    assert BonusGrant.objects.filter(pk=grant.pk).values().get() == before
    assert play.moves(grant) == moves


@pytest.mark.parametrize("how", ["cancel", "forfeit"])
def test_another_operators_grant_does_not_exist(how: str, play: Play, operator: Operator) -> None:
    grant = play.granted("10.00")
    play.operator = operator

    with pytest.raises(NotFound):
        play.end(grant, how)

    assert stored(grant).status == "active"


# Expiry: decided by the instant, not by the sweep


@pytest.mark.parametrize(("after", "swept"), [(WEEK - TICK, 0), (WEEK, 1), (WEEK + TICK, 1)])
def test_the_time_is_up_at_the_instant(after: timedelta, swept: int, play: Play) -> None:
    grant = play.granted("10.00")
    play.now += after

    assert play.sweep() == swept

    assert stored(grant).status == ("expired" if swept else "active")
    assert play.in_bonus(grant) == (0 if swept else 10)
    assert play.sweep() == 0


def test_without_a_time_limit_nothing_expires(play: Play) -> None:
    grant = play.granted("10.00", time_limit_hours=None)
    play.now += timedelta(days=10_000)

    assert play.sweep() == 0
    assert stored(grant).status == "active"


@pytest.mark.parametrize(("after", "counts"), [(WEEK - TICK, True), (WEEK, False)])
def test_a_bet_settled_at_the_instant_comes_too_late(
    after: timedelta, counts: bool, play: Play
) -> None:
    play.has("100.00")
    grant = play.granted("10.00", wagering_multiplier=Decimal(1))
    play.bet("10.00", bet_id="r-1")
    play.now += after

    played = play.settle("r-1", "0")

    assert stored(grant).status == ("completed" if counts else "expired")
    assert [progress.grant.pk for progress in played.grants] == ([grant.pk] if counts else [])
    assert play.main == (100 if counts else 90)


def test_the_money_of_an_overdue_grant_cannot_be_bet(play: Play) -> None:
    play.has("5.00")
    grant = play.granted("10.00")
    play.now += WEEK

    play.bet("5.00", "1.00")

    # The bet itself expired it.
    assert (stored(grant).status, play.in_bonus(grant), play.main) == ("expired", 0, 1)


@pytest.mark.parametrize("how", ["cancel", "forfeit"])
def test_an_overdue_grant_is_left_to_the_sweep(how: str, play: Play) -> None:
    grant = play.granted("10.00")
    play.now += WEEK

    with pytest.raises(BonusGrantClosed) as refusal:
        play.end(grant, how)

    assert refusal.value.members == {"grant_status": "expired"}
    assert stored(grant).status == "active"
    assert play.sweep() == 1


def test_a_platform_says_when_its_own_expire(play: Play) -> None:
    grant = BonusGrantFactory.create(external=True)
    play.now = grant.expires_at + WEEK

    assert play.sweep() == 0
    assert stored(grant).status == "active"


def test_a_bad_grant_never_stops_the_sweep(
    play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, busy, good = (play.granted("10.00") for _ in range(3))
    play.now += WEEK
    expire = endings.expire_grant

    def expire_some(*, grant: BonusGrant, **kwargs: Any) -> BonusGrant:
        if grant.pk == bad.pk:
            raise ZeroDivisionError
        if grant.pk == busy.pk:
            raise ResourceBusy("in use")
        return expire(grant=grant, **kwargs)

    monkeypatch.setattr(endings, "expire_grant", expire_some)

    assert play.sweep() == 1

    assert [stored(grant).status for grant in (bad, busy, good)] == ["active", "active", "expired"]
    assert f"grant {bad.pk} could not be expired" in caplog.text


def test_the_sweep_is_bounded_and_goes_oldest_first(play: Play) -> None:
    late = play.granted("10.00", time_limit_hours=48)
    early = play.granted("10.00", time_limit_hours=24)

    expired = endings.expire_due_grants(now=play.now + WEEK, limit=1, actor=ACTOR)

    assert expired == 1
    assert [stored(grant).status for grant in (late, early)] == ["active", "expired"]


def test_locks_the_grants_before_the_money(play: Play, record_locks: Any) -> None:
    grant = play.granted("10.00")

    with record_locks() as tables:
        play.end(grant, "cancel")

    assert tables == ["bonuses_bonusgrant"]
