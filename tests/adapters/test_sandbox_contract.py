"""The sandbox platform keeps the contract that an adapter of kind http expects of a platform."""

import time
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from adapters.http.signing import make_secret, sign
from tests.adapters.sandbox import Sandbox, grant_body, start_sandbox, to_bytes

GRANT = "/v1/bonuses/grant"
CANCEL = "/v1/bonuses/cancel"


def cancel_body(bonus: dict[str, Any], reason: str = "by staff") -> dict[str, Any]:
    ids = {name: bonus[name] for name in ("grant_id", "platform_bonus_id")}
    return {**ids, "reason": reason}


def test_a_grant_is_answered_with_its_id_and_state(sandbox_process: Sandbox) -> None:
    body = grant_body()

    status, answer = sandbox_process.call("POST", GRANT, body)

    [bonus] = sandbox_process.bonuses()
    assert status == 201
    assert answer == {"platform_bonus_id": bonus["platform_bonus_id"], "status": "pending"}
    assert bonus["grant_id"] == body["grant_id"]
    assert bonus["player_external_id"] == "player-001"
    assert bonus["template"] == body["template"]
    assert bonus["requirement_subunit"] == 300_000


def test_the_same_grant_again_names_the_bonus_that_is_there(sandbox_process: Sandbox) -> None:
    body = grant_body()
    _status, first = sandbox_process.call("POST", GRANT, body)

    status, answer = sandbox_process.call("POST", GRANT, body)

    assert status == 409
    assert answer["code"] == "DUPLICATE_GRANT"
    assert answer["platform_bonus_id"] == first["platform_bonus_id"]
    assert len(sandbox_process.bonuses()) == 1


@pytest.mark.parametrize("name", ["platform_bonus_id", "grant_id"])
def test_a_bonus_is_found_by_either_id(sandbox_process: Sandbox, name: str) -> None:
    bonus = sandbox_process.grant()

    status, view = sandbox_process.call("GET", f"/v1/bonuses/{bonus[name]}")

    assert status == 200
    assert datetime.fromisoformat(view.pop("ts")).tzinfo is not None
    assert view == {
        "platform_bonus_id": bonus["platform_bonus_id"],
        "status": "pending",
        "wagered_amount_subunit": 0,
        "weighted_progress_subunit": 0,
        "reason": None,
    }


def test_a_bonus_that_is_not_there_is_unknown(sandbox_process: Sandbox) -> None:
    gone = {"grant_id": str(uuid4()), "platform_bonus_id": "sbx_none", "reason": "by staff"}

    viewed = sandbox_process.call("GET", "/v1/bonuses/sbx_none")
    cancelled = sandbox_process.call("POST", CANCEL, gone)

    assert [(status, answer["code"]) for status, answer in (viewed, cancelled)] == [
        (404, "BONUS_NOT_FOUND"),
        (404, "BONUS_NOT_FOUND"),
    ]


def test_a_cancelled_bonus_stays_so_and_says_why(sandbox_process: Sandbox) -> None:
    bonus = sandbox_process.grant()

    first = sandbox_process.call("POST", CANCEL, cancel_body(bonus))
    again = sandbox_process.call("POST", CANCEL, cancel_body(bonus, reason="once more"))

    assert first == again
    assert first[0] == 200
    assert (first[1]["status"], first[1]["reason"]) == ("cancelled", "by staff")
    # Who cancels knows it already.
    assert sandbox_process.webhooks() == []


def test_a_bonus_that_has_ended_is_not_cancelled(sandbox_process: Sandbox) -> None:
    bonus = sandbox_process.grant()
    sandbox_process.misbehave("drop_webhooks")
    sandbox_process.complete(bonus["grant_id"])

    status, answer = sandbox_process.call("POST", CANCEL, cancel_body(bonus))

    assert (status, answer["code"], answer["state"]) == (409, "BONUS_ENDED", "completed")
    assert sandbox_process.bonus(bonus["grant_id"])["status"] == "completed"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (to_bytes({**grant_body(), "grant_id": ""}), 422),
        (to_bytes(grant_body(player_external_id=7)), 422),
        (to_bytes({**grant_body(), "template": None}), 422),
        (to_bytes(grant_body(template={"amount_subunit": "100.00"})), 422),
        (to_bytes(grant_body(template={"amount_subunit": 0})), 422),
        (to_bytes(grant_body(template={"currency": None})), 422),
    ],
    # Not the bodies themselves: they have fresh ids, and all processes must name a test alike.
    ids=["no JSON", "a list", "no id", "a number", "no template", "text", "nothing", "no currency"],
)
def test_a_grant_that_is_malformed_is_refused(
    sandbox_process: Sandbox, body: bytes, status: int
) -> None:
    headers = sign(sandbox_process.secret, str(uuid4()), int(time.time()), body)
    key = body.partition(b'"grant_id": "')[2].partition(b'"')[0].decode()

    answered, _answer = sandbox_process.ask(
        "POST", GRANT, body, headers={**headers, "Idempotency-Key": key}
    )

    assert answered == status
    assert sandbox_process.bonuses() == []


def test_the_idempotency_key_must_be_the_grants_id(sandbox_process: Sandbox) -> None:
    body = grant_body()
    headers = {**sandbox_process.headers(body), "Idempotency-Key": "another"}

    status, answer = sandbox_process.ask("POST", GRANT, body, headers=headers)

    assert (status, answer["code"]) == (400, "IDEMPOTENCY_KEY_INVALID")
    assert sandbox_process.bonuses() == []


@pytest.mark.parametrize("forgery", ["none", "another secret", "another body", "old"])
def test_a_request_with_a_wrong_signature_does_nothing(
    sandbox_process: Sandbox, forgery: str
) -> None:
    body = grant_body()
    secret = make_secret() if forgery == "another secret" else sandbox_process.secret
    signed = b"{}" if forgery == "another body" else to_bytes(body)
    at = int(time.time()) - (301 if forgery == "old" else 0)
    headers = {} if forgery == "none" else sign(secret, str(uuid4()), at, signed)

    status, answer = sandbox_process.ask(
        "POST", GRANT, body, headers={**headers, "Idempotency-Key": body["grant_id"]}
    )

    assert (status, answer["code"]) == (401, "SIGNATURE_INVALID")
    assert sandbox_process.bonuses() == []
    [request] = sandbox_process.requests()
    assert (request["signature"], request["status"]) == ("invalid", 401)


def test_a_question_is_signed_too(sandbox_process: Sandbox) -> None:
    bonus = sandbox_process.grant()

    status, _answer = sandbox_process.ask("GET", f"/v1/bonuses/{bonus['grant_id']}")

    assert status == 401


def test_every_request_is_recorded_with_its_key(sandbox_process: Sandbox) -> None:
    bonus = sandbox_process.grant()
    sandbox_process.call("GET", f"/v1/bonuses/{bonus['grant_id']}")

    recorded = [
        (request["method"], request["path"], request["idempotency_key"], request["status"])
        for request in sandbox_process.requests()
    ]

    assert recorded == [
        ("POST", GRANT, bonus["grant_id"], 201),
        ("GET", f"/v1/bonuses/{bonus['grant_id']}", None, 200),
    ]
    assert {request["signature"] for request in sandbox_process.requests()} == {"valid"}


def test_an_unknown_path_is_not_found(sandbox_process: Sandbox) -> None:
    assert sandbox_process.call("GET", "/v1/players")[0] == 404
    assert sandbox_process.ask("GET", "/sandbox/nothing")[0] == 404


def test_without_a_secret_nothing_is_checked() -> None:
    with start_sandbox("--secret", "") as sandbox:
        body = grant_body()
        headers = {"Idempotency-Key": body["grant_id"]}

        status, _answer = sandbox.ask("POST", GRANT, body, headers=headers)

    assert status == 201
