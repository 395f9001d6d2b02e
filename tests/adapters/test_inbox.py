"""POST /v1/adapters/{slug}/webhooks/bonus-events: what a signed message does, and is answered."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from adapters.enums import MessageOutcome
from adapters.models import WebhookMessage
from adapters.services import inbox
from adapters.tasks import delete_old_webhook_messages
from bonuses.models import BonusGrant, PlatformEvent
from core.failpoints import FailpointHit
from tests.adapters.platforms import CLOCK, Platform, event_about, platform_of
from tests.bonuses.platform_events import stored
from tests.factories.bonuses import BonusGrantFactory, BonusIssuanceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(CLOCK, tick=False):
        yield


@pytest.fixture
def grant() -> BonusGrant:
    return BonusGrantFactory.create(external=True)


@pytest.fixture
def platform(grant: BonusGrant) -> Platform:
    return platform_of(grant)


def answer(applied: bool, new_status: str | None, reason: str | None) -> dict[str, Any]:
    return {"received": True, "applied": applied, "new_status": new_status, "reason": reason}


def outcome(response: Any) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


# Every outcome of the contract


def test_an_event_is_applied(grant: BonusGrant, platform: Platform) -> None:
    response = platform.send(event_about(grant))

    assert response.status_code == 200
    assert response.json() == answer(True, "active", None)
    assert stored(grant).activated_at == CLOCK
    assert PlatformEvent.objects.get().payload["ts"] == "2026-03-28T12:30:00Z"


def test_a_wagered_event_takes_six_statements(grant: BonusGrant, platform: Platform) -> None:
    wagered = event_about(
        grant, "wagered", wagered_amount_subunit=2500, weighted_progress_subunit=125
    )

    with CaptureQueriesContext(connection) as queries:
        assert platform.send(wagered).json() == answer(True, "active", None)

    savepoints = [query["sql"] for query in queries if "SAVEPOINT" in query["sql"]]
    # Adapter; message; event, grant, what came of it; what was answered. Three transactions:
    # two are a statement each, one is a savepoint in a test, and has none within it.
    assert (len(queries) - len(savepoints), len(savepoints)) == (6, 2)


def test_wagered_then_completed(grant: BonusGrant, platform: Platform) -> None:
    wagered = event_about(
        grant, "wagered", wagered_amount_subunit=2500, weighted_progress_subunit=125
    )

    assert platform.send(wagered).json() == answer(True, "active", None)
    assert platform.send(event_about(grant, "completed")).json() == answer(True, "completed", None)
    assert stored(grant).total_wagered == Decimal(25)
    assert stored(grant).wagering_progress == Decimal("1.25")


def test_a_repeat_is_a_duplicate(grant: BonusGrant, platform: Platform) -> None:
    event = event_about(grant, "forfeited", reason="Two accounts.")
    platform.send(event)

    assert platform.send(event).json() == answer(False, "forfeited", "duplicate")


def test_the_same_event_id_with_another_body(grant: BonusGrant, platform: Platform) -> None:
    event = event_about(grant)
    platform.send(event)

    response = platform.send({**event, "event": "bonus.cancelled"})

    assert outcome(response) == (409, "EVENT_ID_REUSED")
    assert stored(grant).is_active


def test_an_ended_grant_is_immutable(grant: BonusGrant, platform: Platform) -> None:
    platform.send(event_about(grant, "expired"))

    response = platform.send(event_about(grant, "completed"))

    assert response.json() == answer(False, "expired", "terminal_immutable")


def test_an_event_we_do_not_know(grant: BonusGrant, platform: Platform) -> None:
    response = platform.send(event_about(grant, "teleported", to=["the", {"moon": 1}]))

    assert response.json() == answer(False, "active", "unsupported_event")


def test_an_event_of_a_bonus_that_is_being_issued_is_parked() -> None:
    issuance = BonusIssuanceFactory.create(external=True)
    event = event_about(issuance) | {"data": {"grant_id": str(issuance.grant_id)}}

    assert platform_of(issuance).send(event).json() == answer(False, None, "parked")


def test_an_unknown_bonus_is_not_remembered(grant: BonusGrant, platform: Platform) -> None:
    event = event_about(grant) | {"data": {"grant_id": str(uuid4())}}

    assert outcome(platform.send(event)) == (404, "NOT_FOUND")
    assert not PlatformEvent.objects.exists()
    # The very same event id, once its bonus is known.
    assert platform.send(event | {"data": {"grant_id": str(grant.pk)}}).json()["applied"]


@pytest.mark.parametrize("slug", ["nobody", "Nobody", "no%00body", "x" * 300, "nobody%0A"])
def test_an_unknown_slug(grant: BonusGrant, platform: Platform, slug: str) -> None:
    body = json.dumps(event_about(grant)).encode()

    response = APIClient().generic(
        "POST", f"/v1/adapters/{slug}/webhooks/bonus-events", body, headers=platform.sign(body)
    )

    assert outcome(response) == (404, "NOT_FOUND")


def test_our_own_ledger_sends_no_webhooks(grant: BonusGrant, platform: Platform) -> None:
    platform.config.slug = f"{grant.operator.slug}-internal"

    assert outcome(platform.send(event_about(grant))) == (404, "NOT_FOUND")


# Malformed: 422, and never a bug

GOOD = {"event_id": "evt-1", "event": "bonus.credited", "ts": "2026-03-28T12:30:00Z"}
ID = "019a0000-0000-7000-8000-000000000000"
MALFORMED: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"{",
    "not UTF-8": b"\xff\xfe",
    "a form": b"event_id=1&event=bonus.credited",
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "the same key twice": b'{"event_id": "a", "event_id": "b"}',
    "NUL": b'{"event_id": "a\\u0000"}',
    "half a surrogate pair": b'{"event_id": "\\ud800"}',
    "nested deeply": b"[" * 100_000,
    "a huge number": b'{"event_id": ' + b"9" * 5_001 + b"}",
    "Infinity": b'{"event_id": 1e400}',
    "NaN": b'{"event_id": NaN}',
}
WRONG: dict[str, dict[str, Any]] = {
    "no event id": {"event_id": None},
    "a number as event id": {"event_id": 7},
    "an empty event id": {"event_id": ""},
    "a long event id": {"event_id": "x" * 256},
    "a line break in the event id": {"event_id": "a\nb"},
    "no event": {"event": None},
    "a long event": {"event": "bonus." + "x" * 60},
    "no ts": {"ts": None},
    "seconds as ts": {"ts": 1774700000},
    "a date as ts": {"ts": "2026-03-28"},
    "ts without an offset": {"ts": "2026-03-28T12:30:00"},
    "ts that does not exist": {"ts": "2026-02-30T12:30:00Z"},
    "ts before time": {"ts": "0001-01-01T00:00:00+14:00"},
    "ts after time": {"ts": "9999-12-31T23:59:59-14:00"},
    "no data": {"data": None},
    "data as text": {"data": ID},
    "no bonus": {"data": {}},
    "a bonus that is no UUID": {"data": {"grant_id": "7"}},
    "a UUID in another dress": {"data": {"grant_id": "{" + ID + "}"}},
    "a platform's id as number": {"data": {"platform_bonus_id": 7}},
    "a long platform's id": {"data": {"platform_bonus_id": "x" * 201}},
    "a reason that is no text": {"data": {"grant_id": ID, "reason": ["x"]}},
}
AMOUNTS: list[Any] = [
    None, -1, 1.5, 1.0, True, "100", "NaN", [], {}, 10**18 + 1, 10**29,
]  # fmt: skip


def assert_refused_as_malformed(platform: Platform, body: Any) -> None:
    response = platform.send(body)

    assert outcome(response) == (422, "INVALID_EVENT")
    assert not PlatformEvent.objects.exists()
    message = WebhookMessage.objects.get()
    assert (message.outcome, message.status_code) == (MessageOutcome.REFUSED, 422)
    assert message.detail.startswith("INVALID_EVENT: ")


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_is_not_json_is_refused(platform: Platform, body: bytes) -> None:
    assert_refused_as_malformed(platform, body)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_no_event_is_refused(platform: Platform, wrong: dict[str, Any]) -> None:
    assert_refused_as_malformed(platform, {**GOOD, "data": {"grant_id": ID}, **wrong})


@pytest.mark.parametrize("name", ["wagered_amount_subunit", "weighted_progress_subunit"])
@pytest.mark.parametrize("value", AMOUNTS, ids=str)
def test_what_is_no_amount_is_refused(
    grant: BonusGrant, platform: Platform, name: str, value: Any
) -> None:
    amounts = {"wagered_amount_subunit": 100, "weighted_progress_subunit": 100, name: value}

    assert_refused_as_malformed(platform, event_about(grant, "wagered", **amounts))
    assert stored(grant).total_wagered == 0


def test_others_flow_past_a_poisonous_message(grant: BonusGrant, platform: Platform) -> None:
    for _delivery in range(3):
        assert platform.send(b"{").status_code == 422

    assert platform.send(event_about(grant)).json()["applied"]


def test_a_body_above_a_mebibyte_is_not_read_to_its_end(platform: Platform) -> None:
    response = platform.send(b'{"event_id": "' + b"x" * 1024 * 1024 + b'"}')

    assert outcome(response) == (413, "BODY_TOO_LARGE")
    assert not WebhookMessage.objects.exists()


def test_a_platforms_long_reason_is_cut_and_shown_as_text(
    grant: BonusGrant, platform: Platform
) -> None:
    reason = "<script>alert(1)</script>" + "x" * 500_000

    assert platform.send(event_about(grant, "cancelled", reason=reason)).json()["applied"]
    assert stored(grant).outcome_reason == reason[:500]


@pytest.mark.parametrize(
    "ts",
    ["1970-01-01T00:00:00Z", "2099-12-31T23:59:59.123456789+02:00", "2026-03-29t02:30:00z"],
)
def test_an_odd_instant_is_taken(grant: BonusGrant, platform: Platform, ts: str) -> None:
    response = platform.send(event_about(grant, "completed") | {"ts": ts})

    assert response.json() == answer(True, "completed", None)


# The inbox


def test_the_bytes_are_kept_as_they_came(grant: BonusGrant, platform: Platform) -> None:
    body = json.dumps(event_about(grant), indent=7).encode() + b"\n\n"
    headers = platform.sign(body)

    platform.send(body, headers=headers)

    message = WebhookMessage.objects.get()
    assert bytes(message.body) == body
    assert message.signatures == headers["webhook-signature"]
    assert message.operator_id == grant.operator_id
    assert (message.outcome, message.status_code) == (MessageOutcome.APPLIED, 200)
    assert message.event_id == PlatformEvent.objects.get().event_id


def test_a_message_that_comes_again_is_counted(grant: BonusGrant, platform: Platform) -> None:
    event = event_about(grant)
    for _delivery in range(3):
        platform.send(event, message_id="msg_1")

    message = WebhookMessage.objects.get()
    assert (message.delivery_count, message.outcome) == (3, MessageOutcome.APPLIED)


def test_the_bytes_are_kept_even_if_nobody_gets_to_interpret_them(
    grant: BonusGrant, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILPOINTS", "state_sync.after_dedupe:raise")
    event = event_about(grant)
    with pytest.raises(FailpointHit):
        platform.send(event, message_id="msg_1")
    assert WebhookMessage.objects.get().outcome == MessageOutcome.RECEIVED

    monkeypatch.delenv("FAILPOINTS")
    assert platform.send(event, message_id="msg_1").json()["applied"]
    assert WebhookMessage.objects.get().outcome == MessageOutcome.APPLIED


def test_what_was_received_cannot_be_changed(grant: BonusGrant, platform: Platform) -> None:
    platform.send(event_about(grant))

    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        WebhookMessage.objects.update(body=b"{}")


def test_old_messages_are_deleted_batch_by_batch(grant: BonusGrant, platform: Platform) -> None:
    for _number in range(5):
        platform.send(event_about(grant))
    keep_for = timedelta(days=90)
    until = CLOCK + keep_for

    def delete(now: datetime) -> int:
        return inbox.delete_old_messages(now=now, keep_for=keep_for, batch_size=2, limit=3)

    assert delete(until) == 0
    later = until + timedelta(seconds=1)
    assert [delete(later), delete(later), delete(later)] == [3, 2, 0]
    assert stored(grant).activated_at is not None


def test_the_task_keeps_them_for_the_days_that_are_set(
    grant: BonusGrant, platform: Platform, settings: Any
) -> None:
    platform.send(event_about(grant))
    settings.WEBHOOK_INBOX_DAYS = 7

    with time_machine.travel(CLOCK + timedelta(days=7), tick=False):
        assert delete_old_webhook_messages.apply().get() == 0
    with time_machine.travel(CLOCK + timedelta(days=7, seconds=1), tick=False):
        assert delete_old_webhook_messages.apply().get() == 1
