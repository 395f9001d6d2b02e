"""runs.open_next_run: a drawn raffle is followed once, with its terms, links and what was left."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.actors import Actor
from core.models import AuditEntry, OutboxMessage
from jackpots.enums import EntryKind, InstanceStatus
from jackpots.errors import InstanceWrongState, OutsideSchedule
from jackpots.models import Instance, InstanceLink, OptIn
from jackpots.services import instances, runs
from jackpots.services.terms import read_terms
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory, OptInFactory
from tests.jackpots.conftest import link, meter
from tests.jackpots.raffles import Raffling, again, books_balance, draw_of, entries_of

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime(2026, 3, 30, tzinfo=BERLIN).astimezone(UTC)


@pytest.fixture
def world(operator: Operator, actor: Actor, now: datetime) -> Raffling:
    """A minute before the clocks in Berlin go forward, at 2 in the morning of the 29th."""
    return Raffling(operator, actor, now)


def daily(world: Raffling, **terms: Any) -> Instance:
    return world.opened(**{"recurrence": "daily", "timezone": "Europe/Berlin", **terms})


def next_of(raffle: Instance) -> Instance:
    return Instance.objects.get(previous=raffle)


def test_a_recurring_raffle_closes_at_the_next_local_midnight_unless_it_says_when(
    world: Raffling,
) -> None:
    raffle = daily(world)
    later = daily(world, opens_at=MIDNIGHT + timedelta(hours=5))
    weekly = daily(world, recurrence="weekly")
    told = daily(world, closes_at=MIDNIGHT + timedelta(minutes=30))

    assert raffle.closes_at == weekly.closes_at == MIDNIGHT
    assert later.closes_at == MIDNIGHT + timedelta(days=1)
    assert told.closes_at == told.series_closes_at == MIDNIGHT + timedelta(minutes=30)
    assert world.opened().closes_at is None


def test_the_clock_draws_it_at_its_time_and_opens_the_next_run(world: Raffling) -> None:
    raffle = daily(
        world,
        name="Daily",
        pots=[{"share": Decimal("0.5"), "seed": Decimal(10)}, {"share": Decimal("0.5")}],
        prizes=[{"name": "Big", "share": Decimal("0.5"), "min_tickets": 5, "priority": 3}],
    )
    world.contributed(raffle, ada=4)

    assert world.swept(MIDNIGHT - timedelta(seconds=1)) == 0
    # It is drawn, and closed, for nobody could win.
    assert world.swept(MIDNIGHT) == 2

    opened = next_of(raffle)
    assert again(raffle).status == InstanceStatus.CLOSED
    assert (opened.status, opened.run_number) == (InstanceStatus.ACTIVE, 2)
    assert (opened.opens_at, opened.closes_at) == (MIDNIGHT, MIDNIGHT + timedelta(days=1))
    terms = read_terms(instance=opened)
    was = read_terms(instance=again(raffle))
    assert (terms.name, terms.pots, terms.prizes) == ("Daily", was.pots, was.prizes)
    assert draw_of(opened).commitment != draw_of(raffle).commitment
    # All pots were drawn for together, so what was left was in the first.
    assert entries_of(raffle)[-1] == ("main", EntryKind.TRANSFER_OUT, Decimal(14))
    assert entries_of(opened) == [
        ("main", EntryKind.SEED, Decimal(10)),
        ("main", EntryKind.TRANSFER_IN, Decimal(14)),
    ]
    assert (meter(raffle), meter(opened)) == (0, 24)
    message = OutboxMessage.objects.get(topic="jackpot.instance.opened")
    assert (message.payload["previous_id"], message.payload["run_number"]) == (str(raffle.pk), 2)
    assert world.swept(MIDNIGHT) == 0
    books_balance()


def test_what_was_above_the_ceiling_and_after_the_comma_rolls_over_too(world: Raffling) -> None:
    raffle = daily(world, pots=[{"ceiling": Decimal(5)}])
    world.contributed(raffle, ada="7.123")

    world.drawn(raffle)

    pot = next_of(raffle).pots.get()
    assert (pot.opening, pot.reserve) == (0, Decimal("2.123"))
    books_balance()


def test_later_runs_keep_to_the_wall_and_missed_ones_are_left_out(world: Raffling) -> None:
    first = daily(
        world,
        recurrence="monthly",
        closes_at=datetime(2026, 3, 31, 20, tzinfo=BERLIN).astimezone(UTC),
    )
    world.drawn(first, now=first.closes_at)
    second = next_of(first)

    # Nobody swept for the whole of May.
    world.drawn(second, now=datetime(2026, 6, 3, tzinfo=UTC))
    fourth = next_of(second)

    assert second.closes_at == datetime(2026, 4, 30, 20, tzinfo=BERLIN)
    assert (fourth.run_number, fourth.opens_at) == (4, second.closes_at)
    assert fourth.closes_at == datetime(2026, 6, 30, 20, tzinfo=BERLIN)
    # Through the night in which Berlin's clocks go back, to the 31st again.
    world.drawn(fourth, now=datetime(2026, 10, 1, tzinfo=UTC))
    assert next_of(fourth).closes_at == datetime(2026, 10, 31, 20, tzinfo=BERLIN)


def test_links_lead_to_the_next_run_from_both_sides(world: Raffling) -> None:
    raffle = daily(world)
    weekly, game = InstanceFactory.create_batch(2, operator=world.operator)
    ended = InstanceFactory.create(operator=world.operator, status="closed")
    link(raffle, weekly, game)
    link(game, weekly, raffle)
    link(ended, raffle)
    revision = again(game).revision

    world.drawn(raffle)

    opened = next_of(raffle)
    links = InstanceLink.objects.order_by("source_id", "position")
    pairs = set(links.values_list("source", "target", "position"))
    assert {(opened.pk, weekly.pk, 0), (opened.pk, game.pk, 1)} < pairs
    assert {(game.pk, weekly.pk, 0), (game.pk, opened.pk, 1)} < pairs
    # What has ended keeps its links as history.
    assert {(raffle.pk, weekly.pk, 0), (ended.pk, raffle.pk, 0)} < pairs
    assert again(game).revision == revision + 1
    assert again(weekly).revision == weekly.revision
    assert AuditEntry.objects.filter(
        action="jackpot.links.carried", subject_id=str(game.pk)
    ).exists()


def test_a_contribution_to_what_is_linked_reaches_the_next_run(world: Raffling) -> None:
    raffle = daily(world)
    game = InstanceFactory.create(operator=world.operator, progressive=True)
    link(game, raffle)
    world.contributed(game, ada=3)
    world.drawn(raffle, now=MIDNIGHT)

    later = Raffling(world.operator, world.actor, MIDNIGHT)
    later.contributed(game, ada=2)

    assert (meter(next_of(raffle)), meter(game)) == (2, 5)


def test_opt_ins_are_carried_only_if_the_raffle_says_so(world: Raffling) -> None:
    left, carried = daily(world), daily(world, carry_opt_ins=True)
    standing = {raffle: OptInFactory.create(instance=raffle) for raffle in (left, carried)}
    OptInFactory.create(instance=carried, opted_out_at=world.now)

    for raffle in (left, carried):
        world.drawn(raffle)

    opt_in = OptIn.objects.get(instance=next_of(carried))
    assert (opt_in.player, opt_in.opted_in_at) == (standing[carried].player, world.now)
    assert not OptIn.objects.filter(instance=next_of(left)).exists()


def test_a_run_drawn_early_leaves_a_gap_until_its_time(world: Raffling) -> None:
    raffle = daily(world)

    world.drawn(raffle)

    opened = next_of(raffle)
    assert (opened.opens_at, opened.run_number) == (MIDNIGHT, 2)
    with pytest.raises(OutsideSchedule):
        world.contributed(opened, ada=1)


def test_the_last_run_of_a_series_is_followed_by_none(world: Raffling) -> None:
    raffle = daily(world)

    runs.end_series(
        operator=world.operator,
        instance_id=raffle.pk,
        reason="Enough",
        actor=world.actor,
        now=world.now,
    )

    assert world.swept(MIDNIGHT) == 0
    world.drawn(raffle, now=MIDNIGHT)
    assert not Instance.objects.filter(previous=raffle).exists()
    with pytest.raises(InstanceWrongState):
        runs.open_next_run(instance_id=raffle.pk, actor=world.actor, now=MIDNIGHT)


def test_a_paused_run_waits_for_somebody(world: Raffling) -> None:
    raffle = daily(world)
    move = {
        "operator": world.operator,
        "instance_id": raffle.pk,
        "reason": "Under review",
        "actor": world.actor,
        "now": world.now,
    }
    instances.pause_instance(**move)

    assert world.swept(MIDNIGHT) == 0

    instances.resume_instance(**move)
    assert world.swept(MIDNIGHT) == 2


def test_the_next_run_is_opened_once(world: Raffling) -> None:
    raffle = daily(world)
    world.drawn(raffle)

    found = [
        runs.open_next_run(instance_id=raffle.pk, actor=world.actor, now=MIDNIGHT) for _ in range(2)
    ]

    assert found == [next_of(raffle)] * 2
