"""The API is answered past what only pages need, and without Django's signals (docs/adr/0015)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.test import Client, RequestFactory

from config import wsgi

pytestmark = pytest.mark.django_db

#: What nobody may do without, on pages and on the API alike.
HEADERS = {
    "Content-Security-Policy",
    "Cross-Origin-Opener-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-Request-Id",
}


@pytest.fixture
def signals() -> Iterator[list[str]]:
    """The signals that were sent."""
    sent: list[str] = []

    def started(**_kwargs: Any) -> None:
        sent.append("started")

    def finished(**_kwargs: Any) -> None:
        sent.append("finished")

    request_started.connect(started)
    request_finished.connect(finished)
    yield sent
    request_started.disconnect(started)
    request_finished.disconnect(finished)


def ask(path: str) -> tuple[str, dict[str, str], bytes]:
    """Send a GET to the WSGI application as a server does; return status, headers and body."""
    said: list[Any] = []
    answer: Any = wsgi.application(
        RequestFactory().get(path).environ, lambda *given: said.extend(given)
    )
    body = b"".join(answer)
    if not isinstance(answer, list):
        answer.close()
    status, headers = said
    return status, dict(headers), body


@pytest.mark.parametrize("path", ["/v1/promos", "/v2/nothing", "/admin/login/", "/livez"])
def test_every_answer_is_guarded(path: str) -> None:
    _status, headers, _body = ask(path)

    assert headers.keys() >= HEADERS


def test_the_api_sends_no_signals(signals: list[str]) -> None:
    status, headers, body = ask("/v1/promos")

    assert status == "401 Unauthorized"
    assert headers["Content-Type"] == "application/problem+json"
    assert b'"code":"UNAUTHENTICATED"' in body
    assert signals == []


def test_pages_do(signals: list[str]) -> None:
    ask("/livez")

    assert signals == ["started", "finished"]


def test_after_each_request_of_the_api_dead_connections_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(wsgi, "close_old_connections", lambda: calls.append("closed"))

    ask("/v1/promos")

    assert calls == ["closed"]


@pytest.mark.parametrize("path", ["/v1/promos", "/v2/nothing"])
def test_the_api_has_no_session_and_no_cookies(path: str) -> None:
    response = Client().get(path)

    assert not hasattr(response.wsgi_request, "session")
    assert not response.cookies
    assert "Cookie" not in response.headers.get("Vary", "")


def test_a_bug_of_the_api_is_a_problem_document(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any) -> None:
        raise RuntimeError("A bug")

    monkeypatch.setattr("core.middleware.resolve", fail)

    response = Client(raise_request_exception=False).get("/v1/promos")

    assert response.status_code == 500
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers.keys() >= HEADERS
