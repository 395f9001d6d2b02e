"""draws.draw_instance: everything contributed is drawn for, once, and every cent is somewhere."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core import sealing
from core.actors import Actor
from core.errors import NotFound
from core.models import AuditEntry, OutboxMessage
from jackpots.enums import EntryKind, InstanceStatus, WinStatus
from jackpots.errors import InstanceNotActive, InstanceWrongState
from jackpots.models import DrawEntry, Instance, JackpotSettings, Pot, Win
from jackpots.rules.draws import commitment_of
from jackpots.selectors import read_meters
from jackpots.services import draws, instances, wins
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import OperatorFactory
from tests.jackpots.conftest import link, meter
from tests.jackpots.raffles import (
    Raffling,
    again,
    books_balance,
    draw_of,
    entries_of,
    wins_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(operator: Operator, actor: Actor, now: datetime) -> Raffling:
    return Raffling(operator, actor, now)


def columns_of(raffle: Instance) -> list[tuple[Decimal, ...]]:
    return list(raffle.pots.order_by("position").values_list("opening", "folded", "reserve"))


def test_an_opened_raffle_is_committed_to_and_its_seed_is_a_secret(world: Raffling) -> None:
    raffle = world.opened()

    draw = draw_of(raffle)
    assert commitment_of(sealing.unseal(draw.seed_sealed)) == draw.commitment
    assert (draw.seed, draw.requested_at, draw.committed_at) == ("", None, world.now)


def test_shares_come_first_and_amounts_from_what_is_left_by_priority(world: Raffling) -> None:
    raffle = world.opened(
        pots=[
            {"share": Decimal("0.5"), "seed": Decimal(10)},
            {"share": Decimal("0.5"), "ceiling": Decimal(20)},
        ],
        prizes=[
            {"name": "Tenner", "amount": Decimal(10), "count": 2, "priority": 2},
            {"name": "Third", "share": Decimal("0.33333333"), "priority": 1},
            {"name": "Big", "amount": Decimal(5), "priority": 1, "min_tickets": 40},
        ],
    )
    # 100.01 contributed: 60.005 in the first pot; 50.005 in the second, 20 below its ceiling.
    world.contributed(raffle, ada="60.004", bob="39.9999", cyd="0.0061")

    draw = world.drawn(raffle)

    assert draw.pot_amount == Decimal("80.005")
    # The third is 26.6683..., rounded down; bob and ada alone have a ticket, ada alone forty.
    assert [(prize, amount) for prize, _player, amount in wins_of(raffle)] == [
        ("Third", Decimal("26.66")),
        ("Big", Decimal(5)),
        ("Tenner", Decimal(10)),
        ("Tenner", Decimal(10)),
    ]
    assert wins_of(raffle)[1][1] == "ada"
    assert list(
        DrawEntry.objects.order_by("position").values_list(
            "position", "player_reference", "tickets"
        )
    ) == [(1, "ada", 60), (2, "bob", 39)]
    assert entries_of(raffle) == [
        ("main", EntryKind.SEED, Decimal(10)),
        ("pot-1", EntryKind.TRANSFER_OUT, Decimal(20)),
        ("main", EntryKind.TRANSFER_IN, Decimal(20)),
    ]
    # What is not given stays in the pot; what was above the ceiling is its reserve.
    assert columns_of(raffle) == [
        (Decimal("28.345"), 0, 0),
        (0, 0, Decimal("30.005")),
    ]
    assert again(raffle).status == InstanceStatus.DRAWN
    assert (draw.entries_count, draw.tickets_total, draw.drawn_at) == (2, 99, world.now)
    assert commitment_of(draw.seed) == draw.commitment
    books_balance()


def test_the_house_adds_what_fixed_prizes_lack(world: Raffling) -> None:
    raffle = world.opened(
        prizes=[
            {"name": "Half", "share": Decimal("0.5")},
            {"name": "Fifty", "amount": Decimal(50), "priority": 1},
        ]
    )
    world.contributed(raffle, ada=20)

    world.drawn(raffle)

    assert wins_of(raffle) == [("Half", "ada", Decimal(10)), ("Fifty", "ada", Decimal(50))]
    assert entries_of(raffle) == [("main", EntryKind.TOP_UP, Decimal(40))]
    assert (meter(raffle), columns_of(raffle)) == (0, [(0, 0, 0)])
    books_balance()


def test_without_prizes_the_whole_pot_is_drawn_for_and_announced(world: Raffling) -> None:
    raffle = world.opened()
    world.contributed(raffle, ada="3.999", bob="2")

    draw = world.drawn(raffle)

    [(prize, _player, amount)] = wins_of(raffle)
    assert (prize, amount) == (None, Decimal("5.99"))
    assert meter(raffle) == Decimal("0.009")
    message = OutboxMessage.objects.get(topic="jackpot.raffle.drawn")
    assert message.payload["seed"] == draw.seed
    assert message.payload["pot_amount"] == "5.999"
    assert OutboxMessage.objects.filter(topic="jackpot.pot.won").count() == 1
    actions = AuditEntry.objects.filter(subject_id__in=[str(raffle.pk), str(draw.pk)])
    assert list(actions.order_by("pk").values_list("action", flat=True)) == [
        "jackpot.instance.activated",
        "jackpot.instance.closed",
        "jackpot.draw.requested",
        "jackpot.instance.drawn",
    ]


def test_nobody_eligible_leaves_the_pot_where_it_is(world: Raffling) -> None:
    raffle = world.opened(prizes=[{"name": "Big", "share": Decimal(1), "min_tickets": 10}])
    world.contributed(raffle, ada="9.99")

    draw = world.drawn(raffle)

    assert (wins_of(raffle), draw.entries_count, meter(raffle)) == ([], 1, Decimal("9.99"))
    assert world.swept() == 1
    assert again(raffle).status == InstanceStatus.CLOSED
    books_balance()


def test_a_raffle_nobody_entered_is_drawn_without_winners(world: Raffling) -> None:
    raffle = world.opened(ticket_cost=None)
    world.contributed(raffle, ada=5)

    draw = world.drawn(raffle)

    assert (wins_of(raffle), draw.entries_count, draw.tickets_total) == ([], 0, 0)
    assert meter(raffle) == 5


def test_it_is_closed_once_every_prize_is_paid_or_rejected(
    world: Raffling, operator: Operator
) -> None:
    JackpotSettings.objects.create(operator=operator, win_approval_above=Decimal(0))
    raffle = world.opened()
    world.contributed(raffle, ada=5)
    world.drawn(raffle)
    win = Win.objects.get()

    assert (win.status, world.swept()) == (WinStatus.AWAITING_APPROVAL, 0)
    # Whoever asked for the draw has not chosen the winner, and may decide.
    wins.reject_win(
        operator=operator, win_id=win.pk, reason="Fraud", actor=world.actor, now=world.now
    )

    assert world.swept() == 1
    assert again(raffle).status == InstanceStatus.CLOSED
    assert columns_of(raffle) == [(0, 0, 5)]
    books_balance()


def test_a_closing_raffle_can_be_drawn_and_takes_nothing_more(world: Raffling) -> None:
    raffle = world.opened()
    world.contributed(raffle, ada=5)
    instances.close_instance(
        operator=world.operator, instance_id=raffle.pk, reason="", actor=world.actor, now=world.now
    )

    world.drawn(raffle, now=world.now + timedelta(hours=1))

    assert wins_of(raffle) == [(None, "ada", Decimal(5))]
    with pytest.raises(InstanceNotActive):
        world.contribute(raffle, "ada", Decimal(1))
    assert meter(raffle) == 0


@pytest.mark.parametrize("status", ["draft", "drawn", "closed", "cancelled", "progressive"])
def test_what_cannot_be_drawn_is_refused(world: Raffling, status: str) -> None:
    terms: dict[str, Any] = {"status": status} if status != "progressive" else {"progressive": True}
    instance = InstanceFactory.create(operator=world.operator, **terms)

    with pytest.raises(InstanceWrongState):
        world.drawn(instance)

    assert again(instance).revision == instance.revision
    assert not AuditEntry.objects.exists()


def test_a_draw_locks_instances_and_nothing_else(
    world: Raffling, record_locks: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    raffle = world.opened(recurrence="daily")
    link(InstanceFactory.create(operator=world.operator), raffle)
    world.contributed(raffle, ada=5)

    with record_locks() as tables:
        world.drawn(raffle)

    assert tables == ["jackpots_instance"]


def test_another_operators_raffle_is_not_there(world: Raffling) -> None:
    raffle = world.opened()

    with pytest.raises(NotFound):
        draws.draw_instance(
            operator=OperatorFactory.create(),
            instance_id=raffle.pk,
            reason="",
            actor=world.actor,
            now=world.now,
        )


def test_a_raffle_opened_before_there_were_draws_is_committed_to_by_the_clock(
    world: Raffling,
) -> None:
    raffle = InstanceFactory.create(operator=world.operator)

    assert world.swept() == 1

    assert draw_of(raffle).committed_at == world.now


def test_the_meters_are_those_of_the_pots(world: Raffling) -> None:
    """What is drawn for is what the API showed just before."""
    raffle = world.opened(pots=[{"share": Decimal("0.3")}, {"share": Decimal("0.7")}])
    world.contributed(raffle, ada="1.2345", bob="7.654")
    shown = sum(pot.value for pot in read_meters(instance_ids=[raffle.pk])[raffle.pk])

    draw = world.drawn(raffle)

    assert draw.pot_amount == shown
    assert set(Pot.objects.values_list("cycle", flat=True)) == {2}
