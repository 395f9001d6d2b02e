"""The express way gives the answers of the general way, to the byte (docs/adr/0011)."""

import re
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client

from core.api import express
from core.api.parsers import BODY_BYTES_MAX
from jackpots.api.v2 import contributions
from jackpots.enums import InstanceStatus
from jackpots.models import Contribution, ContributionRequest
from operators import throttling
from operators.enums import Scope
from operators.models import Operator
from tests.factories.games import GameFactory
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import ExchangeRateFactory, OperatorFactory, issue_key
from tests.factories.players import PlayerFactory
from tests.factories.promos import PromoFactory
from tests.jackpots.conftest import link

pytestmark = pytest.mark.django_db

WAGER = b'{"player_id": "ada", "base_wager": "150.00", "currency": "EUR"}'
#: Ids, instants and tickets are all in which the answers to two like requests may differ.
UNLIKE = re.compile(
    rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:.]+Z"
    rb'|"tickets":\{[^}]*\}|general|express'
)

Answer = tuple[int, dict[str, str], bytes]


class World:
    """An operator with a player and two linked instances, and requests sent either way."""

    def __init__(self, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
        self.operator = operator
        self._monkeypatch = monkeypatch
        self._secrets: dict[str, str] = {}
        PlayerFactory.create(operator=operator, reference="ada")
        self.instance, linked = InstanceFactory.create_batch(2, operator=operator)
        link(self.instance, linked)
        self.path = f"/v2/jackpots/instances/{self.instance.pk}/contributions"
        self.batch = "/v2/jackpots/contributions/batch"

    def both(
        self,
        body: bytes = WAGER,
        *,
        path: str = "",
        key: str = "",
        scopes: list[Scope] | None = None,
        **headers: str | None,
    ) -> Answer:
        """Send it the general way, then the express way; return what was answered to both."""
        key = key or str(uuid4())
        general, taken_in_general = self._send("general", body, path, key, scopes, headers)
        answer, taken = self._send("express", body, path, key, scopes, headers)
        assert answer == general
        assert not taken_in_general
        self.was_express = taken
        status, listed, content = answer
        return status, dict(listed), content

    def _send(
        self,
        way: str,
        body: bytes,
        path: str,
        key: str,
        scopes: list[Scope] | None,
        headers: dict[str, str | None],
    ) -> tuple[tuple[int, list[tuple[str, str]], bytes], bool]:
        """Send it one way, with a key of that way's own."""
        taken: list[bool] = []

        def is_plain(request: Any) -> bool:
            taken.append(way == "express" and genuine(request))
            return taken[-1]

        if scopes is not None or way not in self._secrets:
            kwargs = {} if scopes is None else {"scopes": scopes}
            self._secrets[way] = issue_key(self.operator, **kwargs)
        genuine = express._is_plain
        given: dict[str, str | None] = {
            "HTTP_AUTHORIZATION": f"Api-Key {self._secrets[way]}",
            "HTTP_X_REQUEST_ID": "the-same",
            "HTTP_IDEMPOTENCY_KEY": f"{key}-{way}",
            "CONTENT_TYPE": "application/json",
            **headers,
        }
        sent = {name: value for name, value in given.items() if value is not None}
        with self._monkeypatch.context() as patch:
            patch.setattr(express, "_is_plain", is_plain)
            response: Any = Client(raise_request_exception=False).generic(
                "POST",
                path or self.path,
                body.replace(b"<way>", way.encode()),
                sent.pop("CONTENT_TYPE"),
                **sent,  # type: ignore[arg-type]
            )
        content = UNLIKE.sub(b"<unlike>", response.content)
        location = UNLIKE.sub(b"<unlike>", response.headers.get("Location", "").encode()).decode()
        listed = [
            (name, location if name == "Location" else value)
            for name, value in response.headers.items()
        ]
        return (response.status_code, listed, content), any(taken)


@pytest.fixture
def world(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which the clock of the limit stands still."""
    monkeypatch.setattr(throttling, "time", SimpleNamespace(time=lambda: 6_000_015.5))
    return World(operator, monkeypatch)


def code_of(content: bytes) -> bytes:
    [code] = re.findall(rb'^\{.*?"code": ?"([A-Z_]+)"', content)
    return bytes(code)


@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8"])
def test_contributions(world: World, media_type: str) -> None:
    status, headers, content = world.both(CONTENT_TYPE=media_type)

    assert world.was_express
    assert status == 201
    assert content.count(b'"status":"accepted"') == 2
    assert (headers["Allow"], headers["Content-Type"]) == ("POST, OPTIONS", "application/json")
    assert headers["RateLimit-Remaining"] == "599999"
    assert Contribution.objects.count() == 4


def test_contributions_of_version_1(world: World) -> None:
    status, _headers, _content = world.both(path=world.path.replace("/v2/", "/v1/"))

    assert world.was_express
    assert status == 201
    assert Contribution.objects.count() == 2


def test_batches(world: World) -> None:
    item = WAGER[:-1] + b', "idempotency_key": "<way>-%d", "instance_id": "%s"}'
    instance = str(world.instance.pk).encode()
    items = [item % (number, instance) for number in (1, 2, 3, 3)]
    items[1] = items[1].replace(b"ada", b"nobody")
    items[2] = items[2].replace(b"EUR", b"???")
    body = b'{"contributions": [%s]}' % b",".join(items)

    status, _headers, content = world.both(body, path=world.batch)

    assert world.was_express
    assert status == 200
    assert content.count(b'"status":"accepted"') == 2 * 3
    assert content.count(b'"status":"failed"') == 2


def test_bets(world: World, client) -> None:
    game = GameFactory.create(operator=world.operator)
    ExchangeRateFactory.create(operator=world.operator)
    money = {"amount": "50.00", "currency": "EUR"}
    assert client.post("/v1/players/ada/deposits", money).status_code == 201
    placed = b'{"bet_id": "<way>", "game": "%s", "stake": "1.00", "currency": "EUR"}'
    path = "/v1/players/ada/bets"

    for body, where, expected in (
        (placed % game.slug.encode(), "", 201),
        # Who comes second finds it done, and hears the same.
        (b'{"payout": "2.00"}', "/general/settlement", 200),
        (b"{}", "/general/rollback", 200),
    ):
        status, _headers, content = world.both(body, path=path + where)

        assert world.was_express
        assert (status, content.count(b'"stake":"1.00"')) == (expected, 1)


def test_claims(world: World) -> None:
    for way in ("general", "express"):
        PlayerFactory.create(operator=world.operator, reference=way)
    by_id, by_code = PromoFactory.create_batch(2, operator=world.operator, instant=True)
    coded = b'{"code": "%s", "player_id": "<way>"}' % by_code.code.encode()

    for body, path in (
        (b'{"player_id": "<way>"}', f"/v1/promos/{by_id.pk}/claim"),
        (coded, "/v1/promos/claim"),
    ):
        status, _headers, content = world.both(body, path=path)

        assert world.was_express
        assert (status, content.count(b'"status":"COMPLETED"')) == (201, 1)


def test_replays(world: World) -> None:
    _status, _headers, first = world.both(key="once")

    status, headers, content = world.both(key="once")

    assert world.was_express
    assert (status, content) == (201, first)
    assert headers["Idempotency-Replayed"] == "true"
    assert Contribution.objects.count() == 4


def test_promises(world: World) -> None:
    status, headers, _content = world.both(HTTP_PREFER="respond-async")

    assert world.was_express
    assert status == 202
    assert headers["Location"].endswith("/<unlike>")
    assert ContributionRequest.objects.count() == 2


def test_refusals_of_the_main_leg(world: World) -> None:
    paused = InstanceFactory.create(operator=world.operator, paused=True)
    link(paused, world.instance)

    status, headers, content = world.both(
        path=world.path.replace(str(world.instance.pk), str(paused.pk))
    )

    assert world.was_express
    assert (status, code_of(content)) == (409, b"INSTANCE_NOT_ACTIVE")
    assert headers["Content-Type"] == "application/problem+json"
    assert b'"results":[{' in content


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b"7", 400),
        (b"\xff", 400),
        (b'{"player_id": "ada", "player_id": "ada"}', 400),
        (b'{"player_id": "a\\u0000"}', 400),
        (b"[" * 5000, 400),
        (WAGER.replace(b'"150.00"', b"150.00"), 400),
        (WAGER.replace(b'"150.00"', b'"1e5"'), 400),
        (WAGER.replace(b"EUR", b"???"), 400),
        (WAGER.replace(b"}", b', "extra": 1}'), 400),
        (WAGER.replace(b"ada", b"nobody"), 404),
        (b" " * (BODY_BYTES_MAX + 1), 413),
    ],
    # One of them is a megabyte long.
    ids=lambda value: str(value)[:40],
)
def test_bodies_that_are_refused(world: World, body: bytes, status: int) -> None:
    answered, _headers, _content = world.both(body)

    assert world.was_express
    assert answered == status
    assert not Contribution.objects.exists()


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"HTTP_IDEMPOTENCY_KEY": None}, 400, b"IDEMPOTENCY_KEY_REQUIRED"),
        ({"HTTP_IDEMPOTENCY_KEY": " "}, 400, b"INVALID_REQUEST"),
        ({"HTTP_AUTHORIZATION": None}, 401, b"UNAUTHENTICATED"),
        ({"HTTP_AUTHORIZATION": "Bearer x"}, 401, b"UNAUTHENTICATED"),
        ({"HTTP_AUTHORIZATION": "Api-Key wf_nobodys"}, 401, b"UNAUTHENTICATED"),
    ],
)
def test_headers_that_are_refused(
    world: World, headers: dict[str, str | None], status: int, code: bytes
) -> None:
    answered, shown, content = world.both(**headers)

    assert world.was_express
    assert (answered, code_of(content)) == (status, code)
    assert ("WWW-Authenticate" in shown) == (status == 401)
    assert not Contribution.objects.exists()


def test_keys_without_the_scope(world: World) -> None:
    status, _headers, content = world.both(scopes=[Scope.READ])

    assert world.was_express
    assert (status, code_of(content)) == (403, b"INSUFFICIENT_SCOPE")


def test_a_key_used_for_something_else(world: World) -> None:
    world.both(key="once")

    status, _headers, content = world.both(WAGER.replace(b"150", b"151"), key="once")

    assert world.was_express
    assert (status, code_of(content)) == (422, b"IDEMPOTENCY_KEY_REUSED")


def test_one_too_many(world: World, settings: Any) -> None:
    settings.API_RATE_LIMIT_PER_MINUTE = 1
    world.both()

    status, headers, content = world.both()

    assert world.was_express
    assert (status, code_of(content)) == (429, b"RATE_LIMITED")
    assert (headers["Retry-After"], headers["RateLimit-Remaining"]) == ("45", "0")
    assert Contribution.objects.count() == 4


def test_instances_of_somebody_else(world: World) -> None:
    other = InstanceFactory.create(operator=OperatorFactory.create())
    assert other.status == InstanceStatus.ACTIVE

    status, _headers, content = world.both(
        path=world.path.replace(str(world.instance.pk), str(other.pk))
    )

    assert world.was_express
    assert (status, code_of(content)) == (404, b"NOT_FOUND")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OperationalError("the connection is lost"), 503, b"RESOURCE_BUSY"),
        (ZeroDivisionError("a bug"), 500, b"INTERNAL_ERROR"),
    ],
)
def test_failures(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    code: bytes,
) -> None:
    def fail(**_kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(contributions, "contribute", fail)

    answered, _headers, content = world.both()

    assert world.was_express
    assert (answered, code_of(content)) == (status, code)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"", "application/json"),
        (WAGER, "application/json; charset=latin-1"),
        (WAGER, "text/plain"),
        (b"player_id=ada", "application/x-www-form-urlencoded"),
    ],
)
def test_whatever_else_comes_goes_the_general_way(
    world: World, body: bytes, media_type: str
) -> None:
    world.both(body, CONTENT_TYPE=media_type)

    assert not world.was_express


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_other_methods_are_refused(world: World, client, method: str) -> None:
    response = client.generic(method, world.path, WAGER, "application/json")

    assert response.status_code == 405
    assert response.headers["Allow"] == "POST, OPTIONS"
