"""GET /v2/jackpots/contributions: every leg, newest first, as it was made and as it stands."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import Actor
from jackpots.enums import RollbackScope
from jackpots.models import Contribution, Instance
from jackpots.services.rollbacks import rollback_contribution
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory, contribution_by
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import link

PATH = "/v2/jackpots/contributions"


@pytest.fixture
def instance(operator: Operator) -> Instance:
    """A raffle that is linked to one that is paused."""
    source = InstanceFactory.create(operator=operator)
    link(source, InstanceFactory.create(operator=operator, paused=True))
    return source


@pytest.fixture
def roll_back(operator: Operator, actor: Actor) -> Callable[[Contribution], Any]:
    def call(leg: Contribution) -> Any:
        return rollback_contribution(
            operator=operator,
            contribution_id=leg.pk,
            scope=RollbackScope.LEG,
            actor=actor,
            now=timezone.now(),
        )

    return call


def test_every_leg_is_shown_as_it_was_made_and_as_it_stands(
    instance: Instance,
    player: Player,
    client: Client,
    roll_back: Callable[[Contribution], Any],
) -> None:
    leg = contribution_by(player, instance, "150.00", gameround_id="round-1", metadata={"table": 7})
    [reversal] = roll_back(leg)

    linked, main = client.get(PATH).json()["results"]

    assert main == {
        "contribution_id": str(leg.pk),
        "request_id": str(leg.request_id),
        "instance_id": str(instance.pk),
        "role": "main",
        "player_id": "ada",
        "status": "rolled_back",
        "base_wager": "150.00",
        "base_currency": "EUR",
        "amount": "1.50",
        "currency": "EUR",
        "pots": [{"name": "main", "amount": "1.50"}],
        "paid": None,
        "tickets": {"earned": 1, "total": 1},
        "gameround_id": "round-1",
        "metadata": {"table": 7},
        "error": None,
        "created_at": leg.created_at.isoformat().replace("+00:00", "Z"),
        "rolled_back_at": reversal.created_at.isoformat().replace("+00:00", "Z"),
        "house_loss": None,
    }
    assert (linked["status"], linked["error"]["code"]) == ("failed", "INSTANCE_NOT_ACTIVE")
    assert (linked["role"], linked["pots"], linked["amount"]) == ("linked", [], "0.00")
    assert client.get(f"{PATH}/{leg.pk}").json() == main
    assert client.get(f"{PATH}/{reversal.pk}").status_code == 404


def test_filters_keep_what_they_say_and_pages_follow_each_other(
    instance: Instance,
    operator: Operator,
    player: Player,
    client: Client,
    roll_back: Callable[[Contribution], Any],
) -> None:
    other = contribution_by(PlayerFactory.create(operator=operator), instance)
    kept, undone = (contribution_by(player, instance) for _time in range(2))
    roll_back(undone)

    def listed(query: str) -> list[str]:
        found: list[str] = []
        url: str | None = f"{PATH}?page_size=2&{query}"
        while url is not None:
            page = client.get(url).json()
            found += [row["contribution_id"] for row in page["results"]]
            url = page["next"]
        return found

    own = [str(undone.pk), str(kept.pk), str(other.pk)]
    assert listed(f"instance_id={instance.pk}") == own
    assert listed(f"player_id=ada&instance_id={instance.pk}") == own[:2]
    assert listed("player_id=nobody") == []
    assert listed("status=accepted") == own[1:]
    assert listed("status=rolled_back") == own[:1]
    assert len(listed("status=failed")) == 3
    assert client.get(f"{PATH}?status=reversal").status_code == 400


def test_a_page_costs_the_same_number_of_statements_however_long(
    instance: Instance,
    player: Player,
    client: Client,
    roll_back: Callable[[Contribution], Any],
) -> None:
    client.get(PATH)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(PATH).status_code == 200
        return len(queries)

    roll_back(contribution_by(player, instance))
    few = count()
    for _time in range(4):
        roll_back(contribution_by(player, instance))

    # The page, the pots of its instances, the losses.
    assert few == count() == 3
