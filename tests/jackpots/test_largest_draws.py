"""Draws of more than an amount, or a bigint, can hold: they are made, and every cent is told."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from core.actors import Actor
from core.money import AMOUNT_LIMIT
from jackpots.growth import count_tickets
from jackpots.models import Draw, Instance
from jackpots.services.verification import verify_draw
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import PrizeFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import meter
from tests.jackpots.raffles import Raffling, again, books_balance, draw_of, entries_of, wins_of

pytestmark = pytest.mark.django_db

Contribute = Callable[..., Any]

LARGEST = AMOUNT_LIMIT - Decimal("0.01")
WAGER = "90000000000000000000"


@pytest.fixture
def world(operator: Operator, actor: Actor, now: datetime) -> Raffling:
    return Raffling(operator, actor, now)


def is_verified(draw: Draw) -> bool:
    return bool(verify_draw(operator=draw.operator, draw_id=draw.pk)["verified"])


def test_more_tickets_than_a_bigint_holds_are_drawn_among(world: Raffling, client: Client) -> None:
    raffle = world.opened(ticket_cost=Decimal("0.00000001"))
    world.contributed(raffle, **{f"player-{n}": 9 * 10**9 for n in range(11)})

    counted = count_tickets(instance=raffle)
    draw = world.drawn(raffle)

    assert counted == (11, 99 * 10**17)
    assert draw.tickets_total == 99 * 10**17 > 2**63
    assert len(wins_of(raffle)) == 1
    assert is_verified(draw)
    [shown] = client.get(f"/v2/jackpots/instances/{raffle.pk}/draws").json()["results"]
    assert shown["tickets_total"] == 99 * 10**17
    books_balance()


def test_a_prize_is_no_more_than_an_amount_and_the_rest_stays_in_the_reserve(
    world: Raffling, player: Player, contribute: Contribute
) -> None:
    PlayerFactory.create(operator=world.operator, reference="bob", currency="EUR")
    raffle = world.opened(
        contribution_percent=Decimal(100),
        ticket_cost=Decimal(10**10),
        recurrence="daily",
        pots=[{"share": Decimal("0.3")}, {"share": Decimal("0.7")}],
    )
    Instance.objects.filter(pk=raffle.pk).update(closes_at=None)
    # 81 in the first pot and 189 in the second, in units of 10^18 euros: more than an amount.
    for reference in ("ada", "bob", "ada"):
        assert contribute(raffle, base_wager=WAGER, player_id=reference).status_code == 201
    held = meter(raffle)

    draw = world.drawn(raffle)

    assert held == 3 * Decimal(WAGER) > 2 * AMOUNT_LIMIT
    assert draw.pot_amount == LARGEST
    assert [win[2] for win in wins_of(raffle)] == [LARGEST]
    assert is_verified(draw)
    # What was not won is the reserve of the next run, to the cent.
    assert meter(raffle) == 0
    following = Instance.objects.get(previous=raffle)
    assert [pot.opening for pot in following.pots.all()] == [0, 0]
    assert sum(pot.reserve for pot in following.pots.all()) == held - LARGEST
    books_balance()


def test_prizes_of_which_the_sum_is_more_than_an_amount_are_drawn(world: Raffling) -> None:
    raffle = world.opened()
    # As a row of an earlier release: such terms are refused.
    PrizeFactory.create(instance=raffle, name="Big", amount=LARGEST, share=None, count=3)
    world.contributed(raffle, ada=500)

    world.drawn(raffle)

    assert again(raffle).status == "drawn"
    assert [win[2] for win in wins_of(raffle)] == [LARGEST] * 3
    assert [amount for _pot, kind, amount in entries_of(raffle) if kind == "top_up"] == [
        3 * LARGEST - 500
    ]
    assert is_verified(draw_of(raffle))
    books_balance()
