"""segments.create_listed_segment, create_segment_by_rules and /v1/segments"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.models import AuditEntry
from operators.models import Operator
from players import selectors
from players.models import Player, Segment, SegmentMember
from tests.factories.operators import LONG_AGO
from tests.factories.players import PlayerFactory, SegmentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowd(operator: Operator) -> None:
    """Three players of ``operator`` who differ in everything, and a stranger like anna."""
    anna = {
        "reference": "anna",
        "country": "MT",
        "kyc_level": 1,
        "vip_level": 5,
        "affiliate_code": "SUMMER",
        "tags": ["new", "sports"],
        "total_deposit_usd": Decimal("100.00"),
        "total_wager_usd": Decimal("5000.00"),
        "deposit_count": 3,
    }
    PlayerFactory.create(operator=operator, **anna)
    PlayerFactory.create(**anna)
    PlayerFactory.create(
        operator=operator,
        reference="bert",
        country="DE",
        kyc_level=2,
        tags=["sports"],
        total_deposit_usd=Decimal("99.99999999"),
        deposit_count=1,
    )
    PlayerFactory.create(operator=operator, reference="carl")


def create(client, **body: Any) -> Any:
    return client.post("/v1/segments", {"name": "Regulars", **body})


def members_of(response: Any) -> list[str]:
    assert response.status_code == 201, response.content
    segment = Segment.objects.get(pk=response.json()["id"])
    found = selectors.list_segment_players(segment=segment)
    return sorted(found.values_list("reference", flat=True))


def nothing_was_stored() -> bool:
    return not (Segment.objects.exists() or AuditEntry.objects.exists())


@pytest.mark.usefixtures("crowd")
def test_a_list_holds_exactly_the_players_named(client) -> None:
    response = create(client, player_ids=["carl", "anna"])

    assert members_of(response) == ["anna", "carl"]
    body = response.json()
    assert (body["name"], body["rules"], body["size"]) == ("Regulars", None, 2)


@pytest.mark.usefixtures("crowd")
def test_a_player_named_twice_is_in_it_once(client, operator: Operator) -> None:
    PlayerFactory.create(operator=operator, reference="Zo\u00eb")

    response = create(client, player_ids=["anna", "anna", "Zo\u00eb", "Zoe\u0308"])

    assert members_of(response) == ["Zo\u00eb", "anna"]
    assert response.json()["size"] == 2


@pytest.mark.usefixtures("crowd")
def test_unknown_players_are_named(client) -> None:
    response = create(client, player_ids=["anna", "dora", "emil"])

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert response.json()["errors"] == [
        {
            "pointer": "/player_ids",
            "code": "invalid",
            "detail": "There is no player dora, emil.",
        }
    ]
    assert nothing_was_stored()


def test_only_the_first_unknown_players_are_named(client) -> None:
    response = create(client, player_ids=[f"nobody-{number}" for number in range(8)])

    assert response.json()["errors"][0]["detail"] == (
        "There is no player nobody-0, nobody-1, nobody-2, nobody-3, nobody-4 and 3 more."
    )


def test_another_operators_player_is_unknown(client) -> None:
    PlayerFactory.create(reference="anna")

    response = create(client, player_ids=["anna"])

    assert response.status_code == 400
    assert response.json()["errors"][0]["detail"] == "There is no player anna."
    assert nothing_was_stored()


def test_a_list_may_be_long(client, operator: Operator) -> None:
    Player.objects.bulk_create(
        PlayerFactory.build(operator=operator, reference=f"player-{number:05}")
        for number in range(10_000)
    )

    response = create(client, player_ids=[f"player-{number:05}" for number in range(10_000)])

    assert (response.status_code, response.json()["size"]) == (201, 10_000)
    assert SegmentMember.objects.count() == 10_000


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, ["anna", "bert", "carl"]),
        ({"min_kyc_level": 1}, ["anna", "bert"]),
        ({"min_kyc_level": 2}, ["bert"]),
        ({"max_kyc_level": 1}, ["anna", "carl"]),
        ({"max_kyc_level": 0}, ["carl"]),
        ({"min_kyc_level": 1, "max_kyc_level": 1}, ["anna"]),
        ({"min_vip_level": 5}, ["anna"]),
        ({"max_vip_level": 4}, ["bert", "carl"]),
        ({"min_total_deposit_usd": "100"}, ["anna"]),
        ({"min_total_deposit_usd": "99.99999999"}, ["anna", "bert"]),
        ({"max_total_deposit_usd": "99.99999999"}, ["bert", "carl"]),
        ({"min_total_wager_usd": "5000.00000001"}, []),
        ({"max_total_wager_usd": "4999.99999999"}, ["bert", "carl"]),
        ({"min_deposit_count": 1, "max_deposit_count": 3}, ["anna", "bert"]),
        ({"countries": ["MT", "DE"]}, ["anna", "bert"]),
        ({"countries": ["FR"]}, []),
        ({"tags_any": ["new", "gone"]}, ["anna"]),
        ({"tags_all": ["sports"]}, ["anna", "bert"]),
        ({"tags_all": ["sports", "new"]}, ["anna"]),
        ({"affiliate_code": "SUMMER"}, ["anna"]),
        ({"countries": ["MT"], "min_kyc_level": 2}, []),
    ],
    ids=str,
)
def test_rules_choose_players(client, rules: dict, expected: list[str]) -> None:
    response = create(client, rules=rules)

    assert members_of(response) == expected
    assert (response.json()["rules"], response.json()["size"]) == (rules, len(expected))


def test_who_matches_the_rules_is_decided_anew_each_time(client, operator: Operator) -> None:
    player = PlayerFactory.create(operator=operator, reference="anna")
    path = f"/v1/segments/{create(client, rules={'min_vip_level': 2}).json()['id']}"
    before = client.get(path).json()["size"]

    client.put("/v1/players/anna", {"currency": player.currency, "vip_level": 2})

    assert (before, client.get(path).json()["size"]) == (0, 1)


def test_a_new_player_does_not_join_a_list(client, operator: Operator) -> None:
    PlayerFactory.create(operator=operator, reference="anna")
    path = f"/v1/segments/{create(client, player_ids=['anna']).json()['id']}"

    PlayerFactory.create(operator=operator)

    assert client.get(path).json()["size"] == 1


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("min_kyc_level", "1"),
        ("min_kyc_level", -1),
        ("max_vip_level", 1.5),
        ("min_deposit_count", True),
        ("min_total_deposit_usd", 100),
        ("min_total_deposit_usd", "-1"),
        ("max_total_wager_usd", "NaN"),
        ("max_total_wager_usd", "1.000000001"),
        ("countries", []),
        ("countries", ["XX"]),
        ("countries", [""]),
        ("countries", "MT"),
        ("tags_any", []),
        ("tags_all", [1]),
        ("affiliate_code", ""),
        ("affiliate_code", None),
        ("min_age", 18),
        ("kyc_level", 1),
        ("min_country", "MT"),
    ],
)
def test_refuses_what_a_rule_cannot_be(client, rule: str, value: Any) -> None:
    response = create(client, rules={rule: value})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert response.json()["errors"][0]["pointer"].startswith(f"/rules/{rule}")
    assert nothing_was_stored()


@pytest.mark.parametrize(
    "field", ["kyc_level", "vip_level", "deposit_count", "total_deposit_usd", "total_wager_usd"]
)
def test_refuses_bounds_that_nobody_could_match(client, field: str) -> None:
    more, less = ("10.5", "9") if field.endswith("_usd") else (10, 9)

    response = create(client, rules={f"min_{field}": more, f"max_{field}": less})

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == f"/rules/min_{field}"
    assert nothing_was_stored()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"player_ids": ["anna"], "rules": {}},
        {"player_ids": []},
        {"player_ids": "anna"},
        {"player_ids": [None]},
        {"player_ids": None},
        {"rules": None},
        {"rules": []},
        {"rules": "all"},
        {"rules": {}, "name": ""},
        {"rules": {}, "name": "x" * 121},
        {"rules": {}, "name": None},
        {"rules": {}, "size": 7},
    ],
    ids=str,
)
def test_refuses_a_body_without_exactly_one_way_to_choose(
    client, operator: Operator, body: dict
) -> None:
    PlayerFactory.create(operator=operator, reference="anna")

    response = create(client, **body)

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert nothing_was_stored()


def test_creation_leaves_a_trail(client, operator: Operator) -> None:
    PlayerFactory.create(operator=operator, reference="anna")

    create(client, player_ids=["anna"])
    create(client, rules={"min_kyc_level": 1})

    listed, ruled = AuditEntry.objects.order_by("pk")
    assert listed.action == ruled.action == "player.segment.created"
    assert listed.after == {"name": "Regulars", "rules": None, "size": 1}
    assert ruled.after == {"name": "Regulars", "rules": {"min_kyc_level": 1}}


def test_segments_are_listed_newest_first(client, operator: Operator) -> None:
    for day, name in enumerate(["First", "Second"]):
        SegmentFactory.create(
            operator=operator, name=name, created_at=LONG_AGO + timedelta(days=day)
        )
    SegmentFactory.create()

    response = client.get("/v1/segments")

    assert [segment["name"] for segment in response.json()["results"]] == ["Second", "First"]


def test_a_segment_is_read_with_its_size(client, operator: Operator) -> None:
    players = PlayerFactory.create_batch(2, operator=operator)
    segment = SegmentFactory.create(operator=operator, name="Pair", players=players)

    body = client.get(f"/v1/segments/{segment.pk}").json()

    assert body == {
        "id": str(segment.pk),
        "name": "Pair",
        "rules": None,
        "size": 2,
        "created_at": "2026-01-01T00:00:00Z",
    }


@pytest.mark.parametrize("segment_id", ["019a0000-0000-7000-8000-000000000000", "1", "not-a-uuid"])
def test_an_absent_segment_is_404(client, segment_id: str) -> None:
    response = client.get(f"/v1/segments/{segment_id}")

    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
