"""A player, and a way to contribute over HTTP that looks like the contract."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from jackpots.models import Instance, InstanceLink
from jackpots.selectors import read_meters
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.players import PlayerFactory


@pytest.fixture
def player(operator: Operator) -> Player:
    return PlayerFactory.create(operator=operator, reference="ada", currency="EUR")


@pytest.fixture
def contribute(client: Client, player: Player) -> Callable[..., Any]:
    """Contribute as ``player``, over v2 unless told otherwise; give members to change them."""

    def post(
        instance: Instance, *, version: str = "v2", key: str | None = None, **members: Any
    ) -> Any:
        body = {"player_id": player.reference, "base_wager": "10.00", "currency": "EUR"}
        path = f"/{version}/jackpots/instances/{instance.pk}/contributions"
        return client.post(path, {**body, **members}, key=key)

    return post


def link(source: Instance, *targets: Instance) -> None:
    """Link ``source`` to the targets, in that order."""
    for position, target in enumerate(targets):
        InstanceLink.objects.create(
            operator=source.operator, source=source, target=target, position=position
        )


def meter(instance: Instance | UUID) -> Decimal:
    """Return what all pots of the instance hold together."""
    instance_id = instance if isinstance(instance, UUID) else instance.pk
    return sum(
        (pot.value for pot in read_meters(instance_ids=[instance_id])[instance_id]), Decimal(0)
    )


def let_the_horizon_pass() -> None:
    """
    Wait until every contribution is below the horizon of a snapshot, so that a fold takes it.

    Transactions of the whole server hold the horizon back, those of other test workers
    in their own databases too.
    """
    give_up_at = time.monotonic() + 60
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_snapshot_xmin(pg_current_snapshot()) > max(xid)"
                " FROM jackpots_contribution"
            )
            if cursor.fetchone() != (False,):
                return
        assert time.monotonic() < give_up_at, "a transaction has been open for a minute"
        time.sleep(0.01)


def legs(response: Any) -> list[tuple[str, str | None]]:
    """Return the status and the error code of each leg of an answer, in order."""
    return [
        (leg["status"], leg["error"] and leg["error"]["code"]) for leg in response.json()["results"]
    ]
