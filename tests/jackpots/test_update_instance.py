"""PATCH /v2/jackpots/instances/{id}: a draft's terms, replaced and checked as a whole."""

from decimal import Decimal
from typing import Any

import pytest

from core.models import AuditEntry
from jackpots.enums import InstanceStatus
from jackpots.models import Instance, Pot, Prize
from operators.models import Operator
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory, PrizeFactory

pytestmark = pytest.mark.django_db

PATH = "/v2/jackpots/instances"


@pytest.fixture
def draft(operator: Operator) -> Instance:
    """A raffle in euros with one pot and one prize, still a draft."""
    instance = InstanceFactory.create(operator=operator, status="draft", name="Daily")
    PrizeFactory.create(instance=instance)
    return instance


def patch(client: Client, instance: Instance, body: Any) -> Any:
    return client.patch(f"{PATH}/{instance.pk}", body)


def rows(instance: Instance) -> list[Any]:
    """Return everything stored of the instance."""
    return [
        list(Instance.objects.filter(pk=instance.pk).values()),
        list(Pot.objects.filter(instance=instance).values()),
        list(Prize.objects.filter(instance=instance).values()),
    ]


def test_a_given_member_replaces_the_stored_one_and_the_rest_stays(
    client: Client, draft: Instance
) -> None:
    before = client.get(f"{PATH}/{draft.pk}").json()

    response = patch(client, draft, {"name": "Nightly", "opt_in_required": True})

    after = response.json()
    assert response.status_code == 200
    assert (after["name"], after["opt_in_required"]) == ("Nightly", True)
    kept = set(before) - {"name", "opt_in_required", "pots"}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert after["pots"][0]["share"] == before["pots"][0]["share"]


def test_every_member_can_change(client: Client, draft: Instance) -> None:
    body = {
        "name": "Mystery",
        "kind": "progressive",
        "currency": "SEK",
        "contribution": {"type": "fixed", "amount": "0.25"},
        "funding": "player",
        "opt_in_required": True,
        "opens_at": "2026-04-01T00:00:00Z",
        "closes_at": "2026-05-01T00:00:00Z",
        "ticket_cost": None,
        "prizes": [],
        "recurrence": "monthly",
        "timezone": "Europe/Stockholm",
    }

    after = patch(client, draft, body).json()

    assert {name: after[name] for name in body} == body
    assert client.get(f"{PATH}/{draft.pk}").json()["contribution"] == body["contribution"]


def test_a_nested_object_is_replaced_as_a_whole(client: Client, draft: Instance) -> None:
    after = patch(client, draft, {"contribution": {"type": "fixed", "amount": "0.125"}}).json()

    stored = Instance.objects.get(pk=draft.pk)
    assert after["contribution"] == {"type": "fixed", "amount": "0.125"}
    assert (stored.contribution_amount, stored.contribution_percent) == (Decimal("0.125"), None)


def test_pots_are_replaced_as_a_whole_in_their_order(client: Client, draft: Instance) -> None:
    pots = [{"name": "main", "share": "0.4", "seed": "5.00"}, {"name": "grand", "share": "0.6"}]

    after = patch(client, draft, {"pots": pots}).json()

    assert [(pot["name"], pot["share"], pot["value"]) for pot in after["pots"]] == [
        ("main", "0.4", "5.00"),
        ("grand", "0.6", "0.00"),
    ]
    assert list(draft.pots.values_list("position", "name")) == [(0, "main"), (1, "grand")]


def test_an_optional_member_is_emptied_with_null(client: Client, operator: Operator) -> None:
    draft = InstanceFactory.create(operator=operator, status="draft", recurrence="daily")

    after = patch(client, draft, {"ticket_cost": None, "recurrence": None}).json()

    assert (after["ticket_cost"], after["recurrence"]) == (None, None)


def test_a_change_moves_the_revision_and_is_audited_with_the_changed_members_only(
    client: Client, draft: Instance
) -> None:
    patch(client, draft, {"name": "Nightly", "ticket_cost": "2.50", "currency": "EUR"})

    entry = AuditEntry.objects.get()
    assert entry.action == "jackpot.instance.updated"
    assert entry.before == {"name": "Daily", "ticket_cost": "1"}
    assert entry.after == {"name": "Nightly", "ticket_cost": "2.5"}
    assert Instance.objects.get(pk=draft.pk).revision == draft.revision + 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "Daily"},
        {"pots": [{"name": "main", "share": "1.00"}]},
        {"prizes": [{"name": "Grand prize", "share": "1"}]},
    ],
)
def test_a_change_that_changes_nothing_leaves_no_trace(
    body: Any, client: Client, draft: Instance
) -> None:
    before = rows(draft)

    response = patch(client, draft, body)

    assert response.status_code == 200
    assert rows(draft) == before
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("status", [status for status in InstanceStatus if status != "draft"])
def test_only_a_draft_can_be_changed(status: str, client: Client, operator: Operator) -> None:
    instance = InstanceFactory.create(operator=operator, status=status)
    before = rows(instance)

    response = patch(client, instance, {"name": "Other", "pots": [{"name": "x", "share": "1"}]})

    assert (response.status_code, response.json()["code"]) == (409, "INSTANCE_WRONG_STATE")
    assert rows(instance) == before
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        # The draft is a raffle with tickets and a prize: the whole is what must hold.
        ({"kind": "progressive"}, ["/ticket_cost", "/prizes"]),
        ({"opens_at": "2026-02-01T00:00:00Z"}, ["/closes_at"]),
        ({"pots": [{"name": "main", "share": "0.5"}]}, ["/pots"]),
        ({"pots": [{"share": "1"}]}, ["/pots/0/name"]),
        ({"contribution": {"type": "fixed"}}, ["/contribution/amount"]),
        ({"contribution": {"percent": "2"}}, ["/contribution/type"]),
        ({"status": "active"}, ["/status"]),
        ({"name": None}, ["/name"]),
    ],
)
def test_a_result_that_cannot_be_is_refused_whole(
    body: Any, pointers: list[str], client: Client, operator: Operator
) -> None:
    draft = InstanceFactory.create(
        operator=operator, status="draft", closes_at="2026-02-01T00:00:00Z"
    )
    PrizeFactory.create(instance=draft)
    before = rows(draft)

    response = patch(client, draft, {"opt_in_required": True, **body})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert [error["pointer"] for error in response.json()["errors"]] == pointers
    assert rows(draft) == before
    assert not AuditEntry.objects.exists()


def test_another_operators_draft_does_not_exist(client: Client) -> None:
    theirs = InstanceFactory.create(status="draft")
    before = rows(theirs)

    response = patch(client, theirs, {"name": "Mine"})

    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
    assert rows(theirs) == before


def test_an_update_locks_only_the_instance(
    client: Client, draft: Instance, record_locks: Any
) -> None:
    with record_locks() as tables:
        patch(client, draft, {"pots": [{"name": "other", "share": "1"}]})

    assert tables == ["jackpots_instance"]
