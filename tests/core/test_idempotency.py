"""One key, one effect: idempotency.answer_once and respond_once."""

import hashlib
import json
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from core import idempotency
from core.api.idempotency import fingerprint
from core.errors import IdempotencyInProgress, IdempotencyKeyReused
from core.idempotency import IdempotencyKey
from core.models import AuditEntry, IdempotencyRecord
from operators.models import Operator
from tests.factories.operators import OperatorFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.urls")]


def effects() -> int:
    return AuditEntry.objects.filter(action="test.acted").count()


def test_a_replay_is_the_first_answer_again(client) -> None:
    first = client.post("/commands", {"a": 1}, key="k")
    again = client.post("/commands", {"a": 1}, key="k")

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert effects() == 1


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (b'{"a": 1, "b": {"c": 2}}', b'{ "b":{"c":2},\n"a":1 }'),
        (b'{"a": "\\u00e9"}', '{"a": "\u00e9"}'.encode()),
        (b"{}", b""),
    ],
)
def test_the_same_body_written_otherwise_is_the_same(client, first: bytes, again: bytes) -> None:
    def send(body: bytes) -> Any:
        return client.generic(
            "POST",
            "/commands",
            body,
            content_type="application/json",
            headers={"Idempotency-Key": "k"},
        )

    assert (send(first).status_code, send(again).status_code) == (202, 202)
    assert effects() == 1


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": None}, {}),
    ],
)
def test_another_body_under_the_key_is_refused(client, first: dict, other: dict) -> None:
    client.post("/commands", first, key="k")

    response = client.post("/commands", other, key="k")

    assert (response.status_code, response.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert effects() == 1


def test_another_endpoint_under_the_key_is_refused(client) -> None:
    client.post("/commands", {}, key="k")

    response = client.post("/commands/again", {}, key="k")

    assert (response.status_code, response.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert effects() == 1


def test_a_refusal_is_not_remembered(client) -> None:
    refused = client.post("/commands", {"refuse": True}, key="k")
    accepted = client.post("/commands", {}, key="k")

    assert (refused.status_code, refused.json()["code"]) == (409, "DOOR_CLOSED")
    assert accepted.status_code == 202
    assert "Idempotency-Replayed" not in accepted.headers
    assert effects() == 1


def test_keys_are_the_operators_own(client, client_of) -> None:
    stranger = client_of(OperatorFactory.create())

    first = client.post("/commands", {}, key="k")
    other = stranger.post("/commands", {"other": "body"}, key="k")

    assert (first.status_code, other.status_code) == (202, 202)
    assert effects() == 2


def test_two_keys_of_one_operator_share_its_answers(operator: Operator, client_of) -> None:
    first = client_of(operator).post("/commands", {}, key="k")
    again = client_of(operator).post("/commands", {}, key="k")

    assert again.json() == first.json()
    assert effects() == 1


def test_a_command_without_a_key_is_refused(client) -> None:
    response = client.generic("POST", "/commands", b"{}", content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    assert effects() == 0


@pytest.mark.parametrize("key", ["k", "!", "~", "a b", "x" * 255, "a" + " " * 253 + "b", "':--"])
def test_a_key_is_printable_ascii(client, key: str) -> None:
    assert client.post("/commands", {}, key=key).status_code == 202
    assert IdempotencyRecord.objects.get().key == key


@pytest.mark.parametrize(
    "key", ["x" * 256, " ", " a", "a ", "\u00fc", "a\x00b", "a\tb", "a\x7fb", "\u2603"]
)
def test_any_other_key_is_refused(client, key: str) -> None:
    response = client.post("/commands", {}, headers={"Idempotency-Key": key})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert effects() == 0


def test_an_empty_key_is_refused(client) -> None:
    response = client.post("/commands", {}, headers={"Idempotency-Key": ""})

    assert response.status_code == 400
    assert effects() == 0


def test_the_answer_is_stored_with_its_effect(client, operator: Operator) -> None:
    response = client.post("/commands", {"a": 1}, key="k")

    record = IdempotencyRecord.objects.get()
    assert (record.operator_id, record.key) == (operator.pk, "k")
    assert json.loads(record.answer) == [202, response.json()]
    assert record.fingerprint == fingerprint("POST", "/commands", {"a": 1})


def test_the_service_answers_once(operator: Operator, now: datetime) -> None:
    key = IdempotencyKey(value="k", fingerprint="f")
    asked: list[str] = []

    def command() -> str:
        asked.append("asked")
        return "answer"

    first = idempotency.answer_once(operator=operator, key=key, now=now, command=command)
    again = idempotency.answer_once(operator=operator, key=key, now=now, command=command)

    assert (first.answer, first.is_replay) == ("answer", False)
    assert (again.answer, again.is_replay) == ("answer", True)
    assert asked == ["asked"]
    with pytest.raises(IdempotencyKeyReused):
        idempotency.answer_once(
            operator=operator,
            key=IdempotencyKey(value="k", fingerprint="g"),
            now=now,
            command=command,
        )
    assert asked == ["asked"]


@pytest.mark.django_db(transaction=True)
def test_the_service_opens_its_own_transaction(operator: Operator, now: datetime) -> None:
    key = IdempotencyKey(value="k", fingerprint="f")

    def command() -> str:
        assert connection.in_atomic_block
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        idempotency.answer_once(operator=operator, key=key, now=now, command=command)

    assert IdempotencyRecord.objects.exists() is False
    assert not connection.in_atomic_block


def test_a_key_that_is_written_meanwhile_without_its_lock_is_in_progress(
    operator: Operator, now: datetime
) -> None:
    """As a batch writes its keys, which are too many to lock each."""
    key = IdempotencyKey(value="k", fingerprint="f" * 64)

    def be_overtaken() -> str:
        IdempotencyRecord.objects.create(
            operator_id=operator.pk, key="k", fingerprint="f" * 64, answer="", created_at=now
        )
        return "mine"

    with pytest.raises(IdempotencyInProgress):
        idempotency.answer_once(operator=operator, key=key, now=now, command=be_overtaken)

    assert IdempotencyRecord.objects.exists() is False


@given(
    st.dictionaries(
        st.text(max_size=5) | st.text(st.characters(max_codepoint=0x7F), max_size=5),
        st.text(st.characters(max_codepoint=0x7F)) | st.text(max_size=5) | st.integers(),
    )
)
def test_the_fingerprint_of_a_body_is_that_of_the_first_release(body: dict[str, Any]) -> None:
    canonical = json.dumps(["POST", "/v2/x", body], sort_keys=True, separators=(",", ":"))

    assert fingerprint("POST", "/v2/x", body) == hashlib.sha256(canonical.encode()).hexdigest()
