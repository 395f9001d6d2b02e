"""
Input that breaks careless servers: on every route that takes a body, the right 4xx.

Generated over the URL resolver. Every trap is sent with a good key, to an object that
exists, so that nothing but the trap can be what is refused. A test sends all traps to one
route, and names those that were taken.
"""

import gzip
import json
from itertools import product
from typing import Any

import pytest
from rest_framework.test import APIClient

from operators.models import Operator
from tests.api.routes import WRITES, Route, calls, routes
from tests.factories.operators import issue_key

pytestmark = pytest.mark.django_db

MEBIBYTE = 1024 * 1024

#: name → (body, status)
TRAPS: dict[str, tuple[bytes, int]] = {
    "not JSON": (b"{", 400),
    "only white space": (b"  ", 400),
    "two documents": (b"{} {}", 400),
    "NUL in a value": (b'{"name": "a\\u0000b"}', 400),
    "NUL in a name": (b'{"a\\u0000b": 1}', 400),
    "NUL as a byte": (b'{"name": "a\x00b"}', 400),
    "half of a surrogate pair": (b'{"name": "\\ud800"}', 400),
    "surrogates the wrong way round": (b'{"name": "\\udc00\\ud800"}', 400),
    "half of a pair in a name": (b'{"\\udfff": 1}', 400),
    "as deep as 60,000 lists": (b"[" * 60_000, 400),
    "as deep as 60,000 lists, closed": (b"[" * 30_000 + b"]" * 30_000, 400),
    "as deep as 10,000 objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
    "5,001 digits": (b'{"amount": ' + b"9" * 5_001 + b"}", 400),
    "1e400": (b'{"amount": 1e400}', 400),
    "-1e400": (b'{"amount": -1e400}', 400),
    "a huge exponent": (b'{"amount": 1e999999999}', 400),
    "NaN": (b'{"amount": NaN}', 400),
    "Infinity": (b'{"amount": Infinity}', 400),
    "-Infinity": (b'{"amount": -Infinity}', 400),
    "the same name twice": (b'{"a": 1, "a": 2}', 400),
    "the same name twice, inside": (b'{"config": {"a": 1, "a": 2}}', 400),
    "the same name spelled twice": (b'{"a": 1, "\\u0061": 2}', 400),
    "an empty list": (b"[]", 400),
    "a list of objects": (b"[{}]", 400),
    "a string": (b'"text"', 400),
    "a number": (b"7", 400),
    "null": (b"null", 400),
    "true": (b"true", 400),
    "not UTF-8": (b'{"name": "\xff\xfe"}', 400),
    "UTF-16": ('{"name": "a"}'.encode("utf-16"), 400),
    "a byte order mark": (b"\xef\xbb\xbf{}", 400),
    "an overlong NUL": (b'{"name": "\xc0\x80"}', 400),
    "100,000 lists": (b"[" * 100_000, 400),
    "over a mebibyte": (b'{"name": "' + b"x" * MEBIBYTE + b'"}', 413),
    "over a mebibyte of white space": (b" " * MEBIBYTE + b"{}", 413),
}
MEDIA_TYPES = [
    "text/plain",
    "text/json",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "nonsense",
    "",
]

every_write = pytest.mark.parametrize(("route", "method"), calls(*WRITES), ids=str)


class Sender:
    """Sends bodies with one method to one route of an operator, with a good key."""

    def __init__(self, operator: Operator, route: Route, method: str) -> None:
        self._client = APIClient()
        self._client.credentials(HTTP_AUTHORIZATION=f"Api-Key {issue_key(operator)}")
        self._method = method
        self._path = route.path(**route.objects_of(operator))

    def send(self, body: bytes, media_type: str = "application/json", **headers: str) -> Any:
        return self._client.generic(
            self._method,
            self._path,
            body,
            content_type=media_type,
            headers={"Idempotency-Key": "trap", **headers},
        )


CODES = {400: "INVALID_REQUEST", 413: "BODY_TOO_LARGE", 415: "UNSUPPORTED_MEDIA_TYPE"}


def is_refused(response: Any, status: int) -> bool:
    """Tell whether the answer is the problem document of that status."""
    if response.headers["Content-Type"] != "application/problem+json":
        return False
    document = response.json()
    return response.status_code == document["status"] == status and (
        document["code"] == CODES[status]
    )


def test_there_are_routes_to_try() -> None:
    assert {"player", "game", "segments", "exchange-rate"} <= {
        route.name for route, _method in calls(*WRITES)
    }


@every_write
def test_every_trap_is_refused(route: Route, method: str, operator: Operator) -> None:
    sender = Sender(operator, route, method)

    taken = []
    for name, (body, status) in TRAPS.items():
        response = sender.send(body)
        # The body itself is refused, not a field of it that happens to be unknown.
        if not is_refused(response, status) or "errors" in response.json():
            taken.append((name, response.status_code, response.content))

    assert taken == []


@every_write
def test_another_media_type_is_refused(route: Route, method: str, operator: Operator) -> None:
    body = json.dumps(route.body(method, operator)).encode()
    sender = Sender(operator, route, method)

    answers = {media_type: sender.send(body, media_type) for media_type in MEDIA_TYPES}

    assert [kind for kind, answer in answers.items() if not is_refused(answer, 415)] == []


@every_write
def test_a_compressed_body_is_refused(route: Route, method: str, operator: Operator) -> None:
    body = gzip.compress(json.dumps(route.body(method, operator)).encode())

    response = Sender(operator, route, method).send(body, **{"Content-Encoding": "gzip"})

    assert is_refused(response, 400)
    assert "errors" not in response.json()


@every_write
def test_an_unknown_member_is_refused(route: Route, method: str, operator: Operator) -> None:
    body = {**route.body(method, operator), "operator_id": 1}

    response = Sender(operator, route, method).send(json.dumps(body).encode())

    assert is_refused(response, 400), response.content
    assert ("/operator_id", "unknown") in {
        (error["pointer"], error["code"]) for error in response.json()["errors"]
    }


@every_write
def test_control_a_plain_body_is_read(route: Route, method: str, operator: Operator) -> None:
    body = json.dumps(route.body(method, operator)).encode()

    response = Sender(operator, route, method).send(body, "application/json; charset=utf-8")

    # Of a body that lacks a member, that is said; nothing else is wrong with it.
    if response.status_code == 400:
        assert {error["code"] for error in response.json()["errors"]} == {"required"}
    else:
        assert response.status_code in (200, 201, 202, 409), response.content


PATH_PARTS = [
    "%00",
    "a%00b",
    "%FF%FE",
    "%ED%A0%80",
    "%0D%0AX-Injected:%201",
    "x" * 5_000,
    "%2E%2E",
    "'--",
]


@pytest.mark.parametrize("route", [route for route in routes() if route.parts], ids=str)
def test_a_path_cannot_hold_a_trap(route: Route, client) -> None:
    taken = []
    for value, method in product(PATH_PARTS, route.methods):
        response = client.generic(
            method,
            route.path(**{part: value for part, _converter in route.parts}),
            b"{}",
            content_type="application/json",
            headers={"Idempotency-Key": "trap"},
        )
        if (
            response.status_code not in (400, 404)
            or response.headers["Content-Type"] != "application/problem+json"
            or "X-Injected" in response.headers
        ):
            taken.append((value, method, response.content))

    assert taken == []


QUERIES = [
    ("cursor", "nonsense"),
    ("cursor", "cD0="),
    ("cursor", "cD15ZXN0ZXJkYXk="),
    ("cursor", "cD0yMDI2LTEzLTAx"),
    ("cursor", "cD0lMDA="),
    ("cursor", "bz0tMQ=="),
    ("cursor", "bz05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk="),
    ("cursor", "cj0xJnA9MQ=="),
    ("cursor", "%FF%00"),
    ("page_size", "-1"),
    ("page_size", "0"),
    ("page_size", "1e9"),
    ("page_size", "9" * 5_000),
    ("page_size", "%00"),
    ("ordering", "operator__api_keys__digest"),
    ("format", "xml"),
]


def lists() -> list[Route]:
    return [
        route
        for route in routes()
        if "GET" in route.methods and getattr(route.view, "pagination_class", None) is not None
    ]


@pytest.mark.parametrize("route", lists(), ids=str)
def test_a_query_cannot_hold_a_trap(route: Route, operator: Operator, client) -> None:
    path = route.path(**route.objects_of(operator))

    answers = {(name, value): client.get(f"{path}?{name}={value}") for name, value in QUERIES}

    assert [
        (query, answer.content)
        for query, answer in answers.items()
        if answer.status_code not in (200, 400, 404)
    ] == []


FILTER_VALUES = ["%00", "%FF", "x" * 5_000, "1e400", "'", "{}", "%ED%A0%80"]


@pytest.mark.parametrize("route", lists(), ids=str)
def test_a_filter_cannot_hold_a_trap(route: Route, operator: Operator, client) -> None:
    path = route.path(**route.objects_of(operator))
    names = getattr(route.view, "filterset_fields", ())

    answers = {
        (name, value): client.get(f"{path}?{name}={value}")
        for name, value in product(names, FILTER_VALUES)
    }

    assert [
        (query, answer.content)
        for query, answer in answers.items()
        if answer.status_code not in (200, 400)
    ] == []
