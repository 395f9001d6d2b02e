"""catalogue.put_game, selectors.get_game and /v1/games"""

from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from core.actors import Actor
from core.errors import NotFound
from core.models import AuditEntry
from games import selectors
from games.enums import GameCategory
from games.models import Game
from games.services import catalogue
from operators.models import Operator
from tests.factories.games import GameFactory

pytestmark = pytest.mark.django_db

BODY = {"name": "Book of Sums", "category": "slots", "provider": "Spinner", "is_house": True}


@pytest.fixture
def put(operator: Operator, actor: Actor, now: datetime):
    """Return a function that puts the game "book-of-sums" of ``operator``."""

    def put(*, name: str = "Book of Sums", category: str = "slots", **details: Any):
        return catalogue.put_game(
            operator=operator,
            slug="book-of-sums",
            name=name,
            category=category,
            details=details,
            actor=actor,
            now=now,
        )

    return put


def entries() -> list[tuple[str, dict, dict]]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", "before", "after"))


def slugs(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [game["slug"] for game in response.json()["results"]]


def test_adds_a_game(put, operator: Operator, now: datetime) -> None:
    catalogued = put(provider="Spinner", is_house=True)

    game = Game.objects.get()
    assert (catalogued.is_new, catalogued.game) == (True, game)
    assert (game.operator, game.slug, game.name) == (operator, "book-of-sums", "Book of Sums")
    assert (game.category, game.provider, game.is_house) == ("slots", "Spinner", True)
    assert game.created_at == now
    assert entries()[0][0] == "game.added"


def test_an_update_keeps_what_it_leaves_out(put) -> None:
    put(provider="Spinner", is_house=True)

    catalogued = put(name="Book of Products", category="crash")

    game = Game.objects.get()
    assert catalogued.is_new is False
    assert (game.name, game.category) == ("Book of Products", "crash")
    assert (game.provider, game.is_house) == ("Spinner", True)
    assert entries()[1] == (
        "game.changed",
        {"name": "Book of Sums", "category": "slots"},
        {"name": "Book of Products", "category": "crash"},
    )


def test_an_unchanged_update_leaves_no_trail(put) -> None:
    put(provider="Spinner")

    put(provider="Spinner")

    assert len(entries()) == 1


def test_another_operators_game_is_another_game(put) -> None:
    foreign = GameFactory.create(slug="book-of-sums", name="Theirs")

    catalogued = put()

    assert catalogued.is_new is True
    assert Game.objects.get(pk=foreign.pk).name == "Theirs"


def test_locks_the_game_only(put, record_locks) -> None:
    put()

    with record_locks() as tables:
        put(name="Book of Products")

    assert tables == ["games_game"]


def test_get_game_sees_the_operators_own_only(operator: Operator) -> None:
    game = GameFactory.create(operator=operator, slug="book-of-sums")
    GameFactory.create(slug="theirs")

    assert selectors.get_game(operator=operator, slug="book-of-sums") == game
    for slug in ("theirs", "", "a\x00", "Book-Of-Sums", "x" * 65):
        with pytest.raises(NotFound):
            selectors.get_game(operator=operator, slug=slug)


def test_answers_201_and_then_200(client) -> None:
    first = client.put("/v1/games/book-of-sums", BODY)
    again = client.put("/v1/games/book-of-sums", {"name": "Book of Sums", "category": "slots"})

    assert (first.status_code, again.status_code) == (201, 200)
    body = first.json()
    assert again.json() == client.get("/v1/games/book-of-sums").json() == body
    assert body.pop("created_at").endswith("Z")
    assert body == {"slug": "book-of-sums", **BODY}


@pytest.mark.parametrize("category", GameCategory.values)
def test_takes_every_category(client, category: str) -> None:
    response = client.put("/v1/games/a", {"name": "A", "category": category})

    assert (response.status_code, response.json()["category"]) == (201, category)


def test_the_categories_are_the_contracts() -> None:
    assert GameCategory.values == [
        "slots", "table", "live", "crash", "sports", "lottery", "other"
    ]  # fmt: skip


@pytest.mark.parametrize("slug", ["a", "7", "x" * 64, "a_b-c", "a__b", "2-much"])
def test_takes_a_slug(client, slug: str) -> None:
    assert client.put(f"/v1/games/{slug}", BODY).status_code == 201
    assert client.get(f"/v1/games/{slug}").json()["slug"] == slug


@pytest.mark.parametrize(
    "slug", ["A", "a b", "-a", "a-", "_a", "a_", "x" * 65, "\u00fc", "a.b", "%00", "a%0A"]
)
def test_refuses_what_cannot_be_a_slug(client, slug: str) -> None:
    put, got = client.put(f"/v1/games/{slug}", BODY), client.get(f"/v1/games/{slug}")

    assert (put.status_code, put.json()["code"]) == (400, "INVALID_REQUEST")
    assert put.json()["errors"][0]["pointer"] == "/slug"
    assert (got.status_code, got.json()["code"]) == (404, "NOT_FOUND")
    assert Game.objects.exists() is False


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", 7),
        ("name", "x" * 121),
        ("name", "two\nlines"),
        ("category", "SLOTS"),
        ("category", "bingo"),
        ("category", ""),
        ("category", None),
        ("category", ["slots"]),
        ("category", {"slots": 1}),
        ("provider", None),
        ("provider", "x" * 65),
        ("is_house", "yes"),
        ("is_house", 0),
        ("slug", "other"),
        ("operator", 1),
    ],
)
def test_refuses_what_a_member_cannot_be(client, member: str, value: Any) -> None:
    response = client.put("/v1/games/book-of-sums", {**BODY, member: value})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert response.json()["errors"][0]["pointer"] == f"/{member}"
    assert Game.objects.exists() is False


@pytest.mark.parametrize("missing", ["name", "category"])
def test_name_and_category_are_always_required(client, missing: str) -> None:
    client.put("/v1/games/book-of-sums", BODY)
    body = {member: value for member, value in BODY.items() if member != missing}

    response = client.put("/v1/games/book-of-sums", body)

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == f"/{missing}"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["roulette", "sums"]),
        ({"category": "table"}, ["roulette"]),
        ({"provider": "Spinner"}, ["sums"]),
        ({"is_house": "true"}, ["roulette"]),
        ({"is_house": "false", "category": "table"}, []),
    ],
    ids=str,
)
def test_lists_and_filters(client, operator: Operator, query: dict, expected: list[str]) -> None:
    GameFactory.create(operator=operator, slug="sums")
    GameFactory.create(
        operator=operator, slug="roulette", category="table", provider="", is_house=True
    )
    GameFactory.create(slug="theirs")

    assert slugs(client.get("/v1/games", query)) == expected


def test_refuses_an_unknown_category_as_a_filter(client) -> None:
    response = client.get("/v1/games", {"category": "bingo"})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert response.json()["errors"][0]["pointer"] == "/category"


def test_the_database_knows_the_categories() -> None:
    game = GameFactory.create()

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE games_game SET category = 'bingo' WHERE id = %s", [game.pk])

    assert Game.objects.get().category == "slots"
