"""What an instance cannot be: every refusal of its terms, with a pointer to the field."""

import json
from typing import Any

import pytest

from core.models import AuditEntry
from jackpots.models import Instance
from tests.conftest import Client

pytestmark = pytest.mark.django_db

PATH = "/v2/jackpots/instances"
FIXED = {"type": "fixed", "amount": "0.50"}
BASE: dict[str, Any] = {"name": "Daily", "kind": "raffle", "currency": "EUR", "contribution": FIXED}
PROGRESSIVE = {"kind": "progressive"}


def pot(**members: Any) -> dict[str, Any]:
    return {"name": "main", "share": "1", **members}


def prize(**members: Any) -> dict[str, Any]:
    return {"name": "Grand", **members}


def drop(**members: Any) -> dict[str, Any]:
    return {**PROGRESSIVE, "pots": [pot(drop=members)]}


# Each entry: what is sent beside BASE, and the pointers of the refusal.
REFUSED: list[tuple[str, dict[str, Any], list[str]]] = [
    ("empty name", {"name": ""}, ["/name"]),
    ("long name", {"name": "x" * 121}, ["/name"]),
    ("name is no text", {"name": 7}, ["/name"]),
    ("unprintable name", {"name": "a\u202eb"}, ["/name"]),
    ("unknown kind", {"kind": "lottery"}, ["/kind"]),
    ("kind is a list", {"kind": ["raffle"]}, ["/kind"]),
    ("currency is a number", {"currency": 978}, ["/currency"]),
    ("unknown member", {"status": "active"}, ["/status"]),
    ("id in the body", {"id": "0190a0a0-0000-7000-8000-000000000000"}, ["/id"]),
    ("unknown funding", {"funding": "house"}, ["/funding"]),
    ("flag as text", {"opt_in_required": "true"}, ["/opt_in_required"]),
    ("flag as null", {"opt_in_required": None}, ["/opt_in_required"]),
    ("recurrence", {"recurrence": "yearly"}, ["/recurrence"]),
    ("empty recurrence", {"recurrence": ""}, ["/recurrence"]),
    ("time zone", {"timezone": "Mars/Olympus"}, ["/timezone"]),
    ("time zone of the machine", {"timezone": "localtime"}, ["/timezone"]),
    ("time zone as a path", {"timezone": "../etc/passwd"}, ["/timezone"]),
    # The contribution.
    ("contribution as text", {"contribution": "1%"}, ["/contribution"]),
    ("contribution as null", {"contribution": None}, ["/contribution"]),
    ("no type", {"contribution": {"amount": "1"}}, ["/contribution/type"]),
    ("unknown type", {"contribution": {"type": "all"}}, ["/contribution/type"]),
    ("fixed without amount", {"contribution": {"type": "fixed"}}, ["/contribution/amount"]),
    ("percent without", {"contribution": {"type": "percent"}}, ["/contribution/percent"]),
    (
        "fixed with a percentage",
        {"contribution": {**FIXED, "percent": "1"}},
        ["/contribution/percent"],
    ),
    (
        "percent with an amount only",
        {"contribution": {"type": "percent", "amount": "1"}},
        ["/contribution/amount", "/contribution/percent"],
    ),
    ("amount 0", {"contribution": {**FIXED, "amount": "0.00"}}, ["/contribution/amount"]),
    ("amount < 0", {"contribution": {**FIXED, "amount": "-1"}}, ["/contribution/amount"]),
    ("amount as number", {"contribution": {**FIXED, "amount": 1}}, ["/contribution/amount"]),
    ("amount NaN", {"contribution": {**FIXED, "amount": "NaN"}}, ["/contribution/amount"]),
    ("amount 1e3", {"contribution": {**FIXED, "amount": "1e3"}}, ["/contribution/amount"]),
    (
        "amount with 9 decimals",
        {"contribution": {**FIXED, "amount": "0.123456789"}},
        ["/contribution/amount"],
    ),
    (
        "player-funded amount below the cent",
        {"funding": "player", "contribution": {**FIXED, "amount": "0.005"}},
        ["/contribution/amount"],
    ),
    (
        "player-funded amount below the yen",
        {"funding": "player", "currency": "JPY", "contribution": FIXED},
        ["/contribution/amount"],
    ),
    (
        "percent 0",
        {"contribution": {"type": "percent", "percent": "0"}},
        ["/contribution/percent"],
    ),
    (
        "percent above 100",
        {"contribution": {"type": "percent", "percent": "100.00000001"}},
        ["/contribution/percent"],
    ),
    # The schedule.
    ("local time", {"opens_at": "2026-04-01T00:00:00"}, ["/opens_at"]),
    (
        "closes as it opens",
        {"opens_at": "2026-04-01T00:00:00Z", "closes_at": "2026-04-01T02:00:00+02:00"},
        ["/closes_at"],
    ),
    ("opens before 2000", {"opens_at": "1999-12-31T23:59:59.999999Z"}, ["/opens_at"]),
    ("opens in the year 1", {"opens_at": "0001-01-01T00:00:00Z"}, ["/opens_at"]),
    ("closes after 2200", {"closes_at": "2201-01-01T00:00:00Z"}, ["/closes_at"]),
    ("closes as the calendar ends", {"closes_at": "9999-12-31T23:59:59Z"}, ["/closes_at"]),
    # The pots.
    ("no pots", {"pots": []}, ["/pots"]),
    ("pots as null", {"pots": None}, ["/pots"]),
    ("pots as an object", {"pots": pot()}, ["/pots"]),
    ("pot as text", {"pots": ["main"]}, ["/pots/0"]),
    ("11 pots", {"pots": [pot(name=str(n), share="0.09090909") for n in range(11)]}, ["/pots"]),
    ("shares below 1", {"pots": [pot(share="0.99999999")]}, ["/pots"]),
    ("shares above 1", {"pots": [pot(), pot(name="x", share="0.00000001")]}, ["/pots"]),
    ("share 0", {"pots": [pot(), pot(name="x", share="0")]}, ["/pots/1/share"]),
    ("share above 1", {"pots": [pot(share="1.1")]}, ["/pots/0/share"]),
    ("share as number", {"pots": [pot(share=1)]}, ["/pots/0/share"]),
    ("9 decimals", {"pots": [pot(share="0.999999999")]}, ["/pots/0/share"]),
    ("no share", {"pots": [{"name": "main"}]}, ["/pots/0/share"]),
    ("one name twice", {"pots": [pot(share="0.5"), pot(share="0.5")]}, ["/pots/1/name"]),
    ("seed < 0", {"pots": [pot(seed="-1")]}, ["/pots/0/seed"]),
    ("ceiling at the seed", {"pots": [pot(seed="5", ceiling="5.00")]}, ["/pots/0/ceiling"]),
    ("ceiling 0", {"pots": [pot(ceiling="0")]}, ["/pots/0/ceiling"]),
    ("folded in the body", {"pots": [pot(folded="9")]}, ["/pots/0/folded"]),
    # Drops.
    ("no drop type", drop(amount="5"), ["/pots/0/drop/type"]),
    ("unknown drop", drop(type="random"), ["/pots/0/drop/type"]),
    ("manual with an amount", drop(type="manual", amount="5"), ["/pots/0/drop/amount"]),
    ("no drop amount", drop(type="must_hit_by_amount"), ["/pots/0/drop/amount"]),
    ("drop amount 0", drop(type="must_hit_by_amount", amount="0"), ["/pots/0/drop/amount"]),
    ("no drop time", drop(type="must_hit_by_time"), ["/pots/0/drop/at"]),
    (
        "drop in the year 1",
        drop(type="must_hit_by_time", at="0001-01-02T00:00:00Z"),
        ["/pots/0/drop/at"],
    ),
    ("bad drop time", drop(type="must_hit_by_time", at="noon"), ["/pots/0/drop/at"]),
    ("no probability", drop(type="hit_rate"), ["/pots/0/drop/probability"]),
    ("probability 0", drop(type="hit_rate", probability="0"), ["/pots/0/drop/probability"]),
    ("above 1", drop(type="hit_rate", probability="1.1"), ["/pots/0/drop/probability"]),
    (
        "two members",
        drop(type="hit_rate", probability="0.1", at="2026-04-01T00:00:00Z"),
        ["/pots/0/drop/at"],
    ),
    (
        "drop amount at the seed",
        {
            **PROGRESSIVE,
            "pots": [pot(seed="5", drop={"type": "must_hit_by_amount", "amount": "5"})],
        },
        ["/pots/0/drop/amount"],
    ),
    (
        "drop amount above the ceiling",
        {
            **PROGRESSIVE,
            "pots": [pot(ceiling="5", drop={"type": "must_hit_by_amount", "amount": "5.01"})],
        },
        ["/pots/0/drop/amount"],
    ),
    (
        "a raffle's pot drops",
        {"pots": [pot(drop={"type": "hit_rate", "probability": "0.1"})]},
        ["/pots/0/drop"],
    ),
    # Tickets and prizes.
    ("ticket for nothing", {"ticket_cost": "0"}, ["/ticket_cost"]),
    ("progressive with tickets", {**PROGRESSIVE, "ticket_cost": "1"}, ["/ticket_cost"]),
    ("progressive with prizes", {**PROGRESSIVE, "prizes": [prize(amount="1")]}, ["/prizes"]),
    ("prize of nothing", {"prizes": [prize()]}, ["/prizes/0"]),
    ("amount and share", {"prizes": [prize(amount="1", share="1")]}, ["/prizes/0"]),
    ("prize of 0", {"prizes": [prize(amount="0")]}, ["/prizes/0/amount"]),
    ("prize below the cent", {"prizes": [prize(amount="0.005")]}, ["/prizes/0/amount"]),
    ("share above 1", {"prizes": [prize(share="1.1")]}, ["/prizes/0/share"]),
    ("shares above 1", {"prizes": [prize(share="0.34", count=3)]}, ["/prizes"]),
    ("count 0", {"prizes": [prize(share="1", count=0)]}, ["/prizes/0/count"]),
    ("count as text", {"prizes": [prize(share="1", count="1")]}, ["/prizes/0/count"]),
    ("count too large", {"prizes": [prize(amount="1", count=2**31)]}, ["/prizes/0/count"]),
    ("priority < 0", {"prizes": [prize(share="1", priority=-1)]}, ["/prizes/0/priority"]),
    ("no tickets", {"prizes": [prize(share="1", min_tickets=0)]}, ["/prizes/0/min_tickets"]),
    (
        "prizes that nobody can pay",
        {"prizes": [prize(amount="99999999999999999999", count=10), prize(amount="5")]},
        ["/prizes"],
    ),
    (
        "prizes at the limit",
        {"prizes": [prize(amount="99999999999999999999.99"), prize(amount="0.01")]},
        ["/prizes"],
    ),
    ("101 prizes", {"prizes": [prize(amount="1")] * 101}, ["/prizes"]),
    # All of it at once.
    (
        "several",
        {**PROGRESSIVE, "ticket_cost": "1", "pots": [pot(share="0.5", seed="1", ceiling="1")]},
        ["/ticket_cost", "/pots", "/pots/0/ceiling"],
    ),
]


@pytest.mark.parametrize(
    ("members", "pointers"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_impossible_terms_are_refused(
    members: dict[str, Any], pointers: list[str], client: Client
) -> None:
    response = client.post(PATH, {**BASE, **members})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert [error["pointer"] for error in response.json()["errors"]] == pointers
    assert not Instance.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_schedule_that_cannot_be_is_told_its_years(client: Client) -> None:
    response = client.post(PATH, {**BASE, "opens_at": "9999-01-01T00:00:00Z"})

    [error] = response.json()["errors"]
    assert error["detail"] == "It must be in the years 2000 to 2200."


@pytest.mark.parametrize("name", ["name", "kind", "currency", "contribution"])
def test_what_has_no_default_must_be_sent(name: str, client: Client) -> None:
    body = {member: value for member, value in BASE.items() if member != name}

    response = client.post(PATH, body)

    assert response.status_code == 400
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [
        (f"/{name}", "required")
    ]


def test_an_unknown_currency_has_a_code_of_its_own(client: Client) -> None:
    response = client.post(PATH, {**BASE, "currency": "XXX"})

    assert (response.status_code, response.json()["code"]) == (400, "CURRENCY_UNKNOWN")
    assert not Instance.objects.exists()


@pytest.mark.parametrize("body", [[], "text", 7, None])
def test_a_body_that_is_no_object_is_refused(body: Any, client: Client) -> None:
    response = client.generic("POST", PATH, data=json.dumps(body), content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")


# The same terms, at the edge of what can be.
TAKEN: list[tuple[str, dict[str, Any]]] = [
    ("the least percentage", {"contribution": {"type": "percent", "percent": "0.00000001"}}),
    ("all of the wager", {"contribution": {"type": "percent", "percent": "100"}}),
    ("below the cent, operator-funded", {"contribution": {**FIXED, "amount": "0.00000001"}}),
    ("a cent, player-funded", {"funding": "player", "contribution": {**FIXED, "amount": "0.010"}}),
    ("10 pots", {"pots": [pot(name=str(n), share="0.1") for n in range(10)]}),
    (
        "shares of 8 decimals",
        {"pots": [pot(share="0.99999999"), pot(name="x", share="0.00000001")]},
    ),
    ("just above the seed", {"pots": [pot(seed="5", ceiling="5.00000001")]}),
    ("no ceiling, no drop", {"pots": [pot(ceiling=None, drop=None)]}),
    ("a raffle's manual drop", {"pots": [pot(drop={"type": "manual"})]}),
    (
        "a drop at the ceiling",
        {
            **PROGRESSIVE,
            "pots": [pot(ceiling="5", drop={"type": "must_hit_by_amount", "amount": "5"})],
        },
    ),
    ("a certain hit", drop(type="hit_rate", probability="1")),
    ("shares of the whole pot", {"prizes": [prize(share="0.25", count=4)]}),
    (
        "one more instant",
        {"opens_at": "2026-04-01T00:00:00Z", "closes_at": "2026-04-01T00:00:00.000001Z"},
    ),
    (
        "the first and the last instant",
        {"opens_at": "2000-01-01T00:00:00Z", "closes_at": "2200-12-31T23:59:59.999999Z"},
    ),
    ("the largest prizes", {"prizes": [prize(amount="49999999999999999999.99", count=2)]}),
    ("nulls", {"opens_at": None, "closes_at": None, "ticket_cost": None, "recurrence": None}),
    ("progressive without prizes", {**PROGRESSIVE, "prizes": []}),
]


@pytest.mark.parametrize("members", [case[1] for case in TAKEN], ids=[case[0] for case in TAKEN])
def test_terms_at_the_edge_are_taken(members: dict[str, Any], client: Client) -> None:
    response = client.post(PATH, {**BASE, **members})

    assert response.status_code == 201, response.json()
    assert Instance.objects.count() == 1
