"""The limit per key and minute, and what happens when it cannot be counted."""

import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from operators import throttling
from operators.models import Operator
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db

PATH = "/v1/players"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock of the limit: 15.5 seconds into a minute, and still until ``at`` is changed."""
    clock = SimpleNamespace(at=6_000_015.5)
    monkeypatch.setattr(throttling, "time", SimpleNamespace(time=lambda: clock.at))
    return clock


@pytest.fixture
def _three_a_minute(settings: Any) -> None:
    settings.API_RATE_LIMIT_PER_MINUTE = 3


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A server that takes connections and never says a word: its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def limits(response: Any) -> tuple[str | None, ...]:
    names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    return tuple(response.headers.get(name) for name in names)


@pytest.mark.usefixtures("_three_a_minute", "clock")
def test_every_answer_says_what_is_left(client) -> None:
    assert limits(client.get(PATH)) == ("3", "2", "45")
    assert limits(client.get("/v1/players/nobody")) == ("3", "1", "45")
    assert limits(client.put(PATH + "/anna", {})) == ("3", "0", "45")


@pytest.mark.usefixtures("_three_a_minute", "clock")
def test_one_too_many_is_refused_until_the_next_minute(client, operator: Operator) -> None:
    for _time in range(3):
        assert client.get(PATH).status_code == 200

    response = client.put(PATH + "/anna", {"currency": "EUR"})

    assert (response.status_code, response.json()["code"]) == (429, "RATE_LIMITED")
    assert response.headers["Retry-After"] == "45"
    assert response.headers["Content-Type"] == "application/problem+json"
    assert limits(response) == ("3", "0", "45")
    assert PlayerFactory._meta.model.objects.exists() is False


@pytest.mark.usefixtures("_three_a_minute")
def test_the_next_minute_starts_afresh(client, clock: SimpleNamespace) -> None:
    statuses = [client.get(PATH).status_code for _time in range(4)]

    clock.at += 44.6
    response = client.get(PATH)

    assert statuses == [200, 200, 200, 429]
    assert response.status_code == 200
    assert limits(response)[1] == "2"


@pytest.mark.usefixtures("_three_a_minute", "clock")
def test_each_key_has_its_own_limit(operator: Operator, client_of) -> None:
    greedy, modest = client_of(operator), client_of(operator)
    for _time in range(4):
        greedy.get(PATH)

    assert (greedy.get(PATH).status_code, modest.get(PATH).status_code) == (429, 200)


@pytest.mark.usefixtures("clock")
def test_a_limit_of_zero_is_no_limit(client, settings: Any) -> None:
    settings.API_RATE_LIMIT_PER_MINUTE = 0

    responses = [client.get(PATH) for _time in range(5)]

    assert {response.status_code for response in responses} == {200}
    assert limits(responses[0]) == (None, None, None)


@pytest.mark.usefixtures("_three_a_minute", "clock")
def test_a_cache_that_is_away_limits_nobody(client, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed_port = server.getsockname()[1]
    settings.CACHES = at_port(settings, closed_port)

    responses = [client.get(PATH) for _time in range(5)]

    assert {response.status_code for response in responses} == {200}
    assert limits(responses[0]) == (None, None, None)


@pytest.mark.usefixtures("_three_a_minute", "clock")
def test_a_cache_that_says_nothing_limits_nobody_and_is_not_waited_for(
    client, settings: Any, silent_server: int
) -> None:
    settings.CACHES = at_port(settings, silent_server)

    started = time.monotonic()
    response = client.get(PATH)

    assert response.status_code == 200
    assert time.monotonic() - started < 20


def at_port(settings: Any, port: int) -> dict[str, Any]:
    default = settings.CACHES["default"]
    return {"default": {**default, "LOCATION": f"redis://127.0.0.1:{port}/1"}}
