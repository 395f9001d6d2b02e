"""The sandbox platform misbehaves as it is told, as often as it is told, and no longer."""

import http.client
import json
import threading
import time
from typing import Any

import pytest

from tests.adapters.sandbox import Sandbox, grant_body, to_bytes, wait_for

GRANT = "/v1/bonuses/grant"
OTHER_GRANT = "00000000-0000-4000-8000-000000000000"


def raw(
    sandbox: Sandbox,
    body: dict[str, Any] | None = None,
    *,
    timeout: float = 30,
    method: str = "POST",
) -> tuple[http.client.HTTPResponse, bytes]:
    """Grant, and return what came over the wire."""
    body = body or grant_body()
    connection = http.client.HTTPConnection(sandbox.host, timeout=timeout)
    try:
        connection.request(method, GRANT, to_bytes(body), sandbox.headers(body))
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("mode", "members", "status", "code"),
    [
        ("reject", {}, 422, "BONUS_REJECTED"),
        ("reject", {"code": "PLAYER_UNKNOWN", "status": 400}, 400, "PLAYER_UNKNOWN"),
        ("error", {}, 500, "INTERNAL_ERROR"),
        ("error", {"status": 429}, 429, "INTERNAL_ERROR"),
        ("unavailable", {}, 503, "UNAVAILABLE"),
    ],
)
def test_a_refusal_does_nothing(
    sandbox_process: Sandbox, mode: str, members: dict[str, Any], status: int, code: str
) -> None:
    sandbox_process.misbehave(mode, **members)

    answered, answer = sandbox_process.call("POST", GRANT, grant_body())

    assert (answered, answer["code"]) == (status, code)
    assert sandbox_process.bonuses() == []


def test_a_code_can_be_nested(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("reject", nested=True, code="NO_MONEY")

    _status, answer = sandbox_process.call("POST", GRANT, grant_body())

    assert answer["error"]["code"] == "NO_MONEY"


@pytest.mark.parametrize("mode", ["reject", "error", "unavailable", "redirect", "answer"])
def test_it_can_do_what_it_refuses(sandbox_process: Sandbox, mode: str) -> None:
    sandbox_process.misbehave(mode, done=True)

    raw(sandbox_process)

    assert len(sandbox_process.bonuses()) == 1


def test_garbage_is_no_json(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("garbage")

    answer, body = raw(sandbox_process)

    assert (answer.status, answer.headers["Content-Type"]) == (201, "application/json")
    with pytest.raises(ValueError, match=r"codec can't decode"):
        json.loads(body)
    assert len(sandbox_process.bonuses()) == 1


def test_html_is_a_page(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("html")

    answer, body = raw(sandbox_process)

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"<h1>" in body


def test_empty_is_nothing(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("empty")

    answer, body = raw(sandbox_process)

    assert (answer.status, body) == (204, b"")
    assert len(sandbox_process.bonuses()) == 1


@pytest.mark.parametrize(
    ("mode", "wrong"),
    [
        ("null_id", {"platform_bonus_id": None}),
        ("other_id", {"platform_bonus_id": "sbx_of_somebody_else", "grant_id": OTHER_GRANT}),
        ("wrong_currency", {"amount_subunit": 10_000, "currency": "XTS"}),
        ("wrong_amount", {"amount_subunit": 10_001, "currency": "USD"}),
    ],
)
def test_a_wrong_member_is_in_an_answer_that_is_right_otherwise(
    sandbox_process: Sandbox, mode: str, wrong: dict[str, Any]
) -> None:
    sandbox_process.misbehave(mode, times=1)

    status, answer = sandbox_process.call("POST", GRANT, grant_body())

    [bonus] = sandbox_process.bonuses()
    right = {"platform_bonus_id": bonus["platform_bonus_id"], "status": "pending"}
    assert (status, answer) == (201, {**right, **wrong})


def test_an_error_can_come_with_200(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("error_in_200")

    status, answer = sandbox_process.call("POST", GRANT, grant_body())

    assert (status, answer["error"]["code"]) == (200, "BONUS_REJECTED")


def test_any_answer_can_be_given(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("answer", status=207, body=[{"platform_bonus_id": 7}])

    status, answer = sandbox_process.call("POST", GRANT, grant_body())

    assert (status, answer) == (207, [{"platform_bonus_id": 7}])


def test_a_redirect_leads_elsewhere(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("redirect", times=1)
    sandbox_process.misbehave("redirect", times=1, location="http://169.254.169.254/")

    here, _body = raw(sandbox_process)
    away, _body = raw(sandbox_process)

    assert (here.status, here.headers["Location"]) == (307, f"/v1/elsewhere{GRANT}")
    assert away.headers["Location"] == "http://169.254.169.254/"
    assert sandbox_process.requests("/v1/elsewhere") == []


def test_a_lost_answer_is_of_something_that_was_done(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("lost", times=1)
    body = grant_body()

    with pytest.raises(http.client.RemoteDisconnected):
        raw(sandbox_process, body)
    status, answer = sandbox_process.call("POST", GRANT, body)

    assert (status, answer["code"]) == (409, "DUPLICATE_GRANT")


def test_a_reset_connection_is_one_and_nothing_was_done(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("reset", times=1)

    with pytest.raises(ConnectionResetError):
        raw(sandbox_process)

    assert sandbox_process.bonuses() == []


@pytest.mark.parametrize("is_done", [False, True])
def test_a_hanging_request_is_not_answered(sandbox_process: Sandbox, is_done: bool) -> None:
    sandbox_process.misbehave("hang", done=is_done, times=1)

    with pytest.raises(TimeoutError):
        raw(sandbox_process, timeout=0.5)

    wait_for(lambda: len(sandbox_process.requests()) == 1)
    assert len(sandbox_process.bonuses()) == is_done
    assert sandbox_process.requests()[0]["status"] is None


def test_what_hangs_is_let_go_when_it_behaves_again(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("hang")
    ended: list[str] = []

    def ask() -> None:
        try:
            raw(sandbox_process)
        except http.client.RemoteDisconnected:
            ended.append("let go")

    asking = threading.Thread(target=ask)
    asking.start()
    wait_for(lambda: len(sandbox_process.requests()) == 1)
    sandbox_process.behave()
    asking.join(timeout=60)

    assert ended == ["let go"]


def test_a_slow_drip_is_right_but_takes_its_time(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("slow_drip", times=2, interval_s=0.005)

    began = time.monotonic()
    _answer, body = raw(sandbox_process)
    took_s = time.monotonic() - began

    assert json.loads(body)["status"] == "pending"
    assert took_s >= 0.005 * (len(body) - 1)


def test_a_drip_to_nobody_ends(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("slow_drip", times=1, interval_s=60)

    with pytest.raises(TimeoutError):
        raw(sandbox_process, timeout=0.3)
    sandbox_process.behave()

    assert sandbox_process.grant()["status"] == "pending"


def test_a_huge_answer_is_as_long_as_it_is_told(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("huge", megabytes=3, times=1)

    answer, body = raw(sandbox_process)

    assert len(body) == int(answer.headers["Content-Length"]) > 3_000_000
    assert json.loads(body)["platform_bonus_id"] == "sbx_huge"


def test_a_forgetful_platform_knows_no_bonus_but_grants_new_ones(sandbox_process: Sandbox) -> None:
    bonus = sandbox_process.grant()
    ids = {name: bonus[name] for name in ("grant_id", "platform_bonus_id")}
    sandbox_process.misbehave("forget")

    viewed = sandbox_process.call("GET", f"/v1/bonuses/{bonus['grant_id']}")
    cancelled = sandbox_process.call("POST", "/v1/bonuses/cancel", {**ids, "reason": "by staff"})
    granted, _answer = sandbox_process.call("POST", GRANT, grant_body())

    assert [(status, answer["code"]) for status, answer in (viewed, cancelled)] == [
        (404, "BONUS_NOT_FOUND"),
        (404, "BONUS_NOT_FOUND"),
    ]
    assert granted == 201
    assert sandbox_process.bonus(bonus["grant_id"])["status"] == "pending"


def test_an_order_is_obeyed_as_often_as_it_says(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("error", times=2)

    statuses = [sandbox_process.call("POST", GRANT, grant_body())[0] for _ in range(3)]

    assert statuses == [500, 500, 201]
    assert sandbox_process.overview()["misbehaviours"] == []


def test_orders_are_obeyed_one_after_the_other(sandbox_process: Sandbox) -> None:
    for mode in ("error", "reject", "unavailable"):
        sandbox_process.misbehave(mode, times=1)

    statuses = [sandbox_process.call("POST", GRANT, grant_body())[0] for _ in range(4)]

    assert statuses == [500, 422, 503, 201]


def test_an_order_without_a_count_lasts_until_it_behaves(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("error")
    before = [sandbox_process.call("POST", GRANT, grant_body())[0] for _ in range(3)]

    sandbox_process.behave()

    assert before == [500, 500, 500]
    assert sandbox_process.call("POST", GRANT, grant_body())[0] == 201


def test_an_order_is_for_the_paths_it_names(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("error", path=GRANT)

    granted, _answer = sandbox_process.call("POST", GRANT, grant_body())
    viewed, _answer = sandbox_process.call("GET", "/v1/bonuses/sbx_none")

    assert (granted, viewed) == (500, 404)


def test_what_was_recorded_names_the_misbehaviour(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("lost", times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        raw(sandbox_process)
    sandbox_process.grant()

    recorded = [
        (request["misbehaviour"], request["status"]) for request in sandbox_process.requests()
    ]

    assert recorded == [("lost", None), (None, 201)]


def test_the_control_calls_always_behave(sandbox_process: Sandbox) -> None:
    sandbox_process.misbehave("reset")

    assert sandbox_process.overview()["misbehaviours"] != []
