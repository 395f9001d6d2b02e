"""/v2/jackpots/instances: creating, reading, listing, changing and moving instances."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import AuditEntry
from jackpots.models import Instance
from operators.enums import Scope
from operators.models import Operator
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import LONG_AGO, OperatorFactory

pytestmark = pytest.mark.django_db

PATH = "/v2/jackpots/instances"
LEAST = {
    "name": "Daily",
    "kind": "raffle",
    "currency": "EUR",
    "contribution": {"type": "percent", "percent": "1.5"},
}
RAFFLE = {
    "name": "Weekly",
    "kind": "raffle",
    "currency": "EUR",
    "contribution": {"type": "fixed", "amount": "0.50"},
    "funding": "player",
    "opt_in_required": True,
    "opens_at": "2026-04-01T00:00:00Z",
    "closes_at": "2026-05-01T00:00:00Z",
    "ticket_cost": "2.50",
    "prizes": [
        {"name": "Runner-up", "amount": "50.00", "count": 3, "priority": 1, "min_tickets": 2},
        {"name": "Grand", "share": "0.5", "count": 1, "priority": 0, "min_tickets": 1},
    ],
    "recurrence": "weekly",
    "timezone": "Europe/Malta",
}
PROGRESSIVE = {
    "name": "Mystery",
    "kind": "progressive",
    "currency": "EUR",
    "contribution": {"type": "percent", "percent": "0.12345678"},
    "pots": [
        {
            "name": "mini",
            "share": "0.33333333",
            "seed": "10.00",
            "ceiling": "100.00",
            "drop": {"type": "must_hit_by_amount", "amount": "99.99"},
        },
        {
            "name": "major",
            "share": "0.33333333",
            "seed": "0.00",
            "drop": {"type": "must_hit_by_time", "at": "2026-04-01T10:00:00Z"},
        },
        {
            "name": "grand",
            "share": "0.33333334",
            "seed": "1000.125",
            "ceiling": None,
            "drop": {"type": "hit_rate", "probability": "0.000000000000000001"},
        },
    ],
}


@pytest.fixture
def travel(now: datetime) -> Any:
    """Stop the clock of the doors at ``now``."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


def stored(instance: Instance) -> Instance:
    return Instance.objects.get(pk=instance.pk)


# Creating


def test_the_least_creates_a_draft_with_the_contracts_defaults(client: Client, travel: Any) -> None:
    response = client.post(PATH, LEAST)

    body = response.json()
    assert response.status_code == 201
    assert str(UUID(body.pop("id"))) == str(Instance.objects.get().pk)
    assert body["pots"][0].pop("id") == Instance.objects.get().pots.get().pk
    assert body == {
        **LEAST,
        "status": "draft",
        "funding": "operator",
        "opt_in_required": False,
        "opens_at": None,
        "closes_at": None,
        "ticket_cost": None,
        "recurrence": None,
        "timezone": "UTC",
        "carry_opt_ins": False,
        "previous_id": None,
        "next_id": None,
        "run_number": 1,
        "draw": None,
        "is_paused": False,
        "paused_reason": None,
        "pots": [
            {
                "name": "main",
                "share": "1",
                "seed": "0.00",
                "ceiling": None,
                "drop": {"type": "manual"},
                "pending_terms": None,
                "cycle": 1,
                "value": "0.00",
                "reserve": "0.00",
                "as_of": "2026-03-29T00:59:00Z",
            }
        ],
        "prizes": [],
        "created_at": "2026-03-29T00:59:00Z",
        "activated_at": None,
        "closing_at": None,
        "closed_at": None,
        "cancelled_at": None,
    }


def test_a_raffle_is_answered_as_it_was_sent_prizes_by_priority(client: Client) -> None:
    body = client.post(PATH, RAFFLE).json()

    assert {name: body[name] for name in RAFFLE if name != "prizes"} == {
        name: value for name, value in RAFFLE.items() if name != "prizes"
    }
    assert body["prizes"] == [RAFFLE["prizes"][1], RAFFLE["prizes"][0]]


def test_a_progressive_is_answered_as_it_was_sent_meters_at_their_seeds(
    client: Client, travel: Any
) -> None:
    body = client.post(PATH, PROGRESSIVE).json()

    unchanged = {"ceiling": None, "pending_terms": None, "cycle": 1, "reserve": "0.00"}
    meter = {**unchanged, "as_of": "2026-03-29T00:59:00Z"}
    assert [{name: pot[name] for name in pot if name != "id"} for pot in body["pots"]] == [
        {**meter, **pot, "value": value}
        for pot, value in zip(PROGRESSIVE["pots"], ["10.00", "0.00", "1000.125"], strict=True)
    ]
    assert body["contribution"] == PROGRESSIVE["contribution"]


def test_what_is_answered_is_what_is_stored(client: Client, operator: Operator) -> None:
    client.post(PATH, RAFFLE)
    client.post(PATH, PROGRESSIVE)

    raffle, progressive = Instance.objects.order_by("created_at")
    assert raffle.operator == progressive.operator == operator
    assert (raffle.contribution_amount, raffle.contribution_percent) == (Decimal("0.5"), None)
    assert progressive.contribution_percent == Decimal("0.12345678")
    assert raffle.opens_at == datetime(2026, 4, 1, tzinfo=UTC)
    assert list(raffle.prizes.values_list("name", "amount", "share", "count")) == [
        ("Grand", None, Decimal("0.5"), 1),
        ("Runner-up", Decimal(50), None, 3),
    ]
    assert list(progressive.pots.values_list("position", "name", "seed", "drop_probability")) == [
        (0, "mini", Decimal(10), None),
        (1, "major", Decimal(0), None),
        (2, "grand", Decimal("1000.125"), Decimal("0.000000000000000001")),
    ]


def test_an_amount_has_the_decimals_of_its_currency(client: Client) -> None:
    yen = {"currency": "JPY", "contribution": {"type": "fixed", "amount": "1.00"}}

    body = client.post(PATH, {**LEAST, **yen, "ticket_cost": "0.5"}).json()

    assert body["contribution"] == {"type": "fixed", "amount": "1"}
    assert (body["ticket_cost"], body["pots"][0]["seed"]) == ("0.5", "0")


def test_a_creation_is_audited(client: Client, operator: Operator) -> None:
    instance_id = client.post(PATH, RAFFLE).json()["id"]

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject_id) == ("jackpot.instance.created", instance_id)
    assert (entry.operator_id, entry.before) == (operator.pk, {})
    assert entry.after["contribution"] == {"type": "fixed", "amount": "0.5", "percent": None}
    assert entry.after["opens_at"] == "2026-04-01T00:00:00Z"
    assert [prize["amount"] for prize in entry.after["prizes"]] == ["50", None]


# Reading


def test_reading_one_is_what_creating_it_answered(client: Client, travel: Any) -> None:
    created = client.post(PATH, PROGRESSIVE).json()

    response = client.get(f"{PATH}/{created['id']}")

    assert (response.status_code, response.json()) == (200, created)


def test_a_pause_is_shown_with_its_reason(client: Client, operator: Operator) -> None:
    instance = InstanceFactory.create(operator=operator, paused=True)

    body = client.get(f"{PATH}/{instance.pk}").json()

    assert (body["status"], body["is_paused"]) == ("active", True)
    assert body["paused_reason"] == "Under review"


@pytest.mark.parametrize(
    ("status", "instants"),
    [
        ("draft", {}),
        ("active", {"activated_at": 1}),
        ("closing", {"activated_at": 1, "closing_at": 2}),
        ("drawn", {"activated_at": 1, "closing_at": 2}),
        ("closed", {"activated_at": 1, "closing_at": 2, "closed_at": 4}),
        ("cancelled", {"cancelled_at": 1}),
    ],
)
def test_every_state_is_shown_with_its_instants(
    status: str, instants: dict[str, int], client: Client, operator: Operator
) -> None:
    instance = InstanceFactory.create(operator=operator, status=status)

    body = client.get(f"{PATH}/{instance.pk}").json()

    names = ("activated_at", "closing_at", "closed_at", "cancelled_at")
    assert body["status"] == status
    assert {name: body[name] for name in names if body[name]} == {
        name: f"2026-01-01T{hour:02}:00:00Z" for name, hour in instants.items()
    }


def test_an_absent_instance_is_not_found_and_so_is_what_is_no_id(client: Client) -> None:
    absent = client.get(f"{PATH}/0190a0a0-0000-7000-8000-000000000000")
    malformed = client.get(f"{PATH}/-1")

    assert (absent.status_code, absent.json()["code"]) == (404, "NOT_FOUND")
    assert (malformed.status_code, malformed.json()["code"]) == (404, "NOT_FOUND")


# Listing


def test_the_list_is_newest_first_and_only_the_operators(
    client: Client, operator: Operator
) -> None:
    old = InstanceFactory.create(operator=operator)
    new = InstanceFactory.create(operator=operator, created_at=LONG_AGO + timedelta(days=1))
    InstanceFactory.create(operator=OperatorFactory.create())

    body = client.get(PATH).json()

    assert [instance["id"] for instance in body["results"]] == [str(new.pk), str(old.pk)]
    assert (body["next"], body["previous"]) == (None, None)


def test_a_page_leads_to_the_next(client: Client, operator: Operator) -> None:
    created = InstanceFactory.create_batch(3, operator=operator)

    first = client.get(PATH, {"page_size": 2}).json()
    second = client.get(first["next"]).json()

    pages = [[instance["id"] for instance in page["results"]] for page in (first, second)]
    assert [len(page) for page in pages] == [2, 1]
    assert {*pages[0], *pages[1]} == {str(instance.pk) for instance in created}
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"status": "draft"}, ["Draft"]),
        ({"kind": "progressive"}, ["Progressive"]),
        ({"currency": "SEK"}, ["Crowns"]),
        ({"status": "active", "kind": "raffle", "currency": "EUR"}, ["Raffle"]),
        ({"status": "closed"}, []),
    ],
)
def test_the_list_is_filtered(
    query: dict[str, str], names: list[str], client: Client, operator: Operator
) -> None:
    InstanceFactory.create(operator=operator, name="Raffle")
    InstanceFactory.create(operator=operator, name="Draft", status="draft")
    InstanceFactory.create(operator=operator, name="Progressive", progressive=True)
    InstanceFactory.create(operator=operator, name="Crowns", currency="SEK")

    body = client.get(PATH, query).json()

    assert [instance["name"] for instance in body["results"]] == names


def test_a_filter_for_a_state_that_does_not_exist_is_refused(client: Client) -> None:
    response = client.get(PATH, {"status": "asleep"})

    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == ["/status"]


@pytest.mark.parametrize("count", [1, 7])
def test_a_page_takes_the_same_statements_however_many_are_on_it(
    count: int, client: Client, operator: Operator
) -> None:
    pots = [{"share": "0.5"}, {"share": "0.5"}]
    InstanceFactory.create_batch(count, operator=operator, pots=pots)
    client.get(PATH)

    with CaptureQueriesContext(connection) as statements:
        response = client.get(PATH)

    assert len(response.json()["results"]) == count
    # Instances, pots, prizes, meters.
    assert len(statements) == 4


# Moving


@pytest.mark.parametrize(
    ("verb", "status", "leads_to"),
    [
        ("activate", "draft", "active"),
        ("cancel", "draft", "cancelled"),
        ("close", "active", "closing"),
    ],
)
def test_a_move_answers_with_the_moved_instance(
    verb: str, status: str, leads_to: str, client: Client, operator: Operator
) -> None:
    instance = InstanceFactory.create(operator=operator, status=status)

    response = client.post(f"{PATH}/{instance.pk}/{verb}")

    assert (response.status_code, response.json()["status"]) == (200, leads_to)
    assert response.json()["id"] == str(instance.pk)
    assert stored(instance).status == leads_to


def test_a_pause_and_its_end(client: Client, operator: Operator) -> None:
    path = f"{PATH}/{InstanceFactory.create(operator=operator).pk}"

    paused = client.post(f"{path}/pause", {"reason": "Odd wins"}).json()
    resumed = client.post(f"{path}/resume").json()

    assert (paused["is_paused"], paused["paused_reason"]) == (True, "Odd wins")
    assert (resumed["is_paused"], resumed["paused_reason"]) == (False, None)


def test_a_pause_without_a_reason_says_where_it_came_from(
    client: Client, operator: Operator
) -> None:
    instance = InstanceFactory.create(operator=operator)

    response = client.post(f"{PATH}/{instance.pk}/pause")

    assert response.json()["paused_reason"] == "Paused over the API"
    assert stored(instance).paused_reason == "Paused over the API"


@pytest.mark.parametrize("verb", ["activate", "pause", "resume", "close", "cancel"])
def test_a_move_needs_no_body_no_key_and_the_right_to_manage(
    verb: str, operator: Operator, client_of: Callable[..., Client]
) -> None:
    closed = InstanceFactory.create(operator=operator, status="closed")
    path = f"{PATH}/{closed.pk}/{verb}"

    allowed = client_of(operator, scopes=[Scope.MANAGE]).generic("POST", path)
    refused = client_of(operator, scopes=[Scope.READ, Scope.PLAY]).generic("POST", path)

    assert (allowed.status_code, allowed.json()["code"]) == (409, "INSTANCE_WRONG_STATE")
    assert allowed.json()["instance_status"] == "closed"
    assert (refused.status_code, refused.json()["code"]) == (403, "INSUFFICIENT_SCOPE")


@pytest.mark.parametrize("reason", ["", "x" * 201, 7, None, "line\nbreak"])
def test_a_bad_reason_is_refused(reason: Any, client: Client, operator: Operator) -> None:
    instance = InstanceFactory.create(operator=operator)

    response = client.post(f"{PATH}/{instance.pk}/pause", {"reason": reason})

    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == ["/reason"]
    assert not stored(instance).is_paused
