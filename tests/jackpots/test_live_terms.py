"""PATCH of an active progressive: new terms are seen at once, and hold from the next win on."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from core.models import AuditEntry
from jackpots.models import Instance, Pot
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory

pytestmark = pytest.mark.django_db

MINI = {"name": "mini", "share": "0.4", "seed": "10.00"}
GRAND = {"name": "grand", "share": "0.6", "seed": "100.00", "ceiling": "500.00"}
#: Other terms for the first pot.
RICHER = {**MINI, "seed": "25.00", "ceiling": "90.00"}
RICHER_DROP = {"type": "must_hit_by_amount", "amount": "80.00"}


@pytest.fixture
def instance(operator: Operator, player: Player) -> Instance:
    """A progressive in euros with two pots that somebody drops."""
    return InstanceFactory.create(
        operator=operator,
        progressive=True,
        pots=[
            {"name": "mini", "share": Decimal("0.4"), "seed": Decimal(10)},
            {
                "name": "grand",
                "share": Decimal("0.6"),
                "seed": Decimal(100),
                "ceiling": Decimal(500),
            },
        ],
    )


def patch(client: Client, instance: Instance, *pots: Any, **members: Any) -> Any:
    return client.patch(f"/v2/jackpots/instances/{instance.pk}", {"pots": list(pots), **members})


def pending(client: Client, instance: Instance) -> list[Any]:
    body = client.get(f"/v2/jackpots/instances/{instance.pk}").json()
    return [pot["pending_terms"] for pot in body["pots"]]


def rows() -> list[Any]:
    return [list(Instance.objects.values()), list(Pot.objects.order_by("pk").values())]


def test_new_terms_wait_in_sight_for_the_pots_next_win(client: Client, instance: Instance) -> None:
    wanted = {"seed": "25.00", "ceiling": "90.00", "drop": RICHER_DROP}

    response = patch(client, instance, {**RICHER, "drop": RICHER_DROP}, GRAND)

    mini, grand = response.json()["pots"]
    assert response.status_code == 200
    assert (mini["pending_terms"], grand["pending_terms"]) == (wanted, None)
    # The running cycle is as it was.
    assert (mini["seed"], mini["ceiling"], mini["drop"]) == ("10.00", None, {"type": "manual"})
    assert (mini["value"], mini["cycle"]) == ("10.00", 1)

    path = f"/v2/jackpots/instances/{instance.pk}/pots/mini/drop"
    won = client.post(path, {"player_id": "ada"}).json()["amount"]

    mini, grand = client.get(f"/v2/jackpots/instances/{instance.pk}").json()["pots"]
    commitment = mini["drop"].pop("commitment")
    assert won == "10.00"
    assert {name: mini[name] for name in wanted} == wanted
    assert (mini["value"], mini["cycle"], mini["pending_terms"]) == ("25.00", 2, None)
    assert (len(commitment), grand["cycle"]) == (64, 1)
    # From now on something else makes it drop.
    assert client.post(path, {"player_id": "ada"}).json()["code"] == "POT_NOT_MANUAL"


def test_the_running_terms_withdraw_those_that_wait(client: Client, instance: Instance) -> None:
    patch(client, instance, RICHER, {**GRAND, "ceiling": "600.00"})
    waiting = pending(client, instance)

    after = patch(client, instance, MINI, {**GRAND, "ceiling": "600.00"})

    assert None not in waiting
    assert [pot["pending_terms"] for pot in after.json()["pots"]] == [None, waiting[1]]
    first, second = AuditEntry.objects.order_by("pk")
    assert first.action == second.action == "jackpot.instance.pending_terms_changed"
    assert set(first.after["pending_terms"]) == {"mini", "grand"}
    # As the audit trail keeps terms: plain numbers, every member.
    assert second.before == {
        "pending_terms": {
            "mini": {
                "seed": "25",
                "ceiling": "90",
                "drop": {"type": "manual", "amount": None, "at": None, "probability": None},
            }
        }
    }
    assert second.after == {"pending_terms": {"mini": None}}


def test_what_changes_nothing_leaves_no_trace(client: Client, instance: Instance) -> None:
    before = rows()

    assert patch(client, instance, MINI, GRAND).status_code == 200
    assert rows() == before
    patch(client, instance, RICHER, GRAND)
    before = rows()
    patch(client, instance, RICHER, GRAND)

    assert rows() == before
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("pots", "members", "outcome"),
    [
        ([RICHER], {}, 409),
        ([GRAND, RICHER], {}, 409),
        ([{**RICHER, "name": "tiny"}, GRAND], {}, 409),
        ([{**RICHER, "share": "0.5"}, {**GRAND, "share": "0.5"}], {}, 409),
        ([RICHER, GRAND], {"name": "Mystery"}, 409),
        ([RICHER, GRAND, {"name": "major", "share": "0.1"}], {}, 409),
        ([{**RICHER, "seed": "90.00"}, GRAND], {}, "/pots/0/ceiling"),
        ([RICHER, {**GRAND, "seed": "-1"}], {}, "/pots/1/seed"),
        (
            [{**RICHER, "drop": {**RICHER_DROP, "amount": "90.01"}}, GRAND],
            {},
            "/pots/0/drop/amount",
        ),
        ([RICHER, {**GRAND, "drop": {"type": "must_hit_by_time"}}], {}, "/pots/1/drop/at"),
        (
            [RICHER, {**GRAND, "drop": {"type": "must_hit_by_time", "at": "2026-03-29T00:59:00Z"}}],
            {},
            "/pots/1/drop/at",
        ),
    ],
)
def test_a_refused_change_leaves_nothing(
    pots: Any, members: Any, outcome: Any, client: Client, instance: Instance, now: datetime
) -> None:
    patch(client, instance, {**MINI, "seed": "11.00"}, GRAND)
    before = rows()

    with time_machine.travel(now, tick=False):
        response = patch(client, instance, *pots, **members)

    if outcome == 409:
        assert (response.status_code, response.json()["code"]) == (409, "INSTANCE_WRONG_STATE")
    else:
        assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
        assert [error["pointer"] for error in response.json()["errors"]] == [outcome]
    assert rows() == before
    assert AuditEntry.objects.count() == 1


def test_only_an_active_progressive_takes_them_paused_or_not(
    client: Client, operator: Operator
) -> None:
    pot = {"name": "main", "share": "1", "seed": "5.00"}
    others = [
        InstanceFactory.create(operator=operator),
        InstanceFactory.create(operator=operator, progressive=True, status="closing"),
        InstanceFactory.create(operator=operator, progressive=True, status="closed"),
    ]
    paused = InstanceFactory.create(operator=operator, progressive=True, paused=True)

    refused = [patch(client, other, pot) for other in others]

    assert [each.json()["code"] for each in refused] == ["INSTANCE_WRONG_STATE"] * 3
    assert patch(client, paused, pot).json()["pots"][0]["pending_terms"]["seed"] == "5.00"


def test_a_change_locks_the_instance_alone_and_leaves_the_revision(
    client: Client, instance: Instance, record_locks: Any
) -> None:
    with record_locks() as tables:
        patch(client, instance, RICHER, GRAND)

    assert tables == ["jackpots_instance"]
    # No contribution is decided upon terms that wait.
    assert Instance.objects.get().revision == instance.revision
