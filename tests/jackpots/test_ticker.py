"""GET /v2/jackpots/ticker: one answer for many screens, cheap to ask for again."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jackpots.api.v2 import ticker
from jackpots.models import Instance
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory, contribution_by

PATH = "/v2/jackpots/ticker"


@pytest.fixture(autouse=True)
def _nothing_remembered_here() -> Iterator[None]:
    ticker.forget_tickers()
    yield
    ticker.forget_tickers()


@pytest.fixture
def instance(operator: Operator) -> Instance:
    return InstanceFactory.create(
        operator=operator, pots=[{"name": "grand", "share": "0.75", "seed": 10}, {"share": "0.25"}]
    )


def forget(operator: Operator) -> None:
    """Let the second be over."""
    cache.delete(f"ticker:{operator.pk}")
    ticker.forget_tickers()


def statements(client: Client, **headers: str) -> tuple[int, Any]:
    """Return how many statements an answer took, and the answer; the key is known by now."""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(PATH, headers=headers)
    return len(queries), response


def test_it_shows_what_the_pots_of_active_instances_stand_at(
    operator: Operator, instance: Instance, player: Player, client: Client
) -> None:
    for status in ("draft", "closing", "closed"):
        InstanceFactory.create(operator=operator, status=status)
    contribution_by(player, instance, "150.00")

    response = client.get(PATH)

    body = response.json()
    assert body.pop("as_of").endswith("Z")
    assert body == {
        "instances": [
            {
                "instance_id": str(instance.pk),
                "name": instance.name,
                "currency": "EUR",
                "pots": [
                    {"name": "grand", "value": "11.125"},
                    {"name": "pot-1", "value": "0.375"},
                ],
            }
        ]
    }
    assert response.headers["Cache-Control"] == "private, max-age=1"
    assert response.headers["Content-Type"] == "application/json"
    assert "Authorization" in response.headers["Vary"]


def test_an_answer_is_given_again_for_a_second_and_named_for_its_content(
    operator: Operator, instance: Instance, player: Player, client: Client
) -> None:
    first_count, first = statements(client)
    contribution_by(player, instance, "0")
    second_count, second = statements(client)
    forget(operator)
    unchanged = client.get(PATH)
    contribution_by(player, instance, "150.00")
    forget(operator)
    changed = client.get(PATH)

    # The key is looked up at first; then the instances and their meters.
    assert (first_count, second_count) == (3, 0)
    assert (second.content, second.headers["ETag"]) == (first.content, first.headers["ETag"])
    assert unchanged.json()["as_of"] > first.json()["as_of"]
    assert unchanged.headers["ETag"] == first.headers["ETag"]
    assert changed.headers["ETag"] != first.headers["ETag"]
    assert changed.headers["ETag"].startswith('"')


def test_what_a_screen_has_already_is_not_sent_again(
    operator: Operator, instance: Instance, client: Client
) -> None:
    etag = client.get(PATH).headers["ETag"]

    same = [etag, f'"else", {etag}', f"W/{etag}", "*"]
    answers = [client.get(PATH, headers={"If-None-Match": each}) for each in same]
    other = client.get(PATH, headers={"If-None-Match": '"else"'})
    head = client.head(PATH)

    assert [(each.status_code, each.content) for each in answers] == [(304, b"")] * 4
    assert {each.headers["ETag"] for each in answers} == {etag}
    assert {each.headers["Cache-Control"] for each in answers} == {"private, max-age=1"}
    assert (other.status_code, head.status_code, head.headers["ETag"]) == (200, 200, etag)


def test_operators_see_their_own_although_it_is_remembered(
    instance: Instance, client: Client, client_of: Callable[..., Client]
) -> None:
    theirs = InstanceFactory.create()
    stranger = client_of(theirs.operator)

    names = [
        [each["name"] for each in who.get(PATH).json()["instances"]]
        for who in (client, stranger, client)
    ]

    assert names == [[instance.name], [theirs.name], [instance.name]]


def test_without_the_shared_cache_each_process_remembers_by_itself(
    instance: Instance, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Away:
        def get(self, key: str) -> None:
            asked.append(key)
            raise ConnectionError("no cache")

    monkeypatch.setattr(ticker, "cache", Away())

    first, (count, second) = client.get(PATH), statements(client)

    assert (first.status_code, second.status_code, count) == (200, 200, 0)
    assert second.content == first.content
    # It is left alone for a while: asking it would hold up every screen.
    assert len(asked) == 1
