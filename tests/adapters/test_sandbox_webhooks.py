"""The sandbox platform's webhooks: sent in order, sent again, and sent wrong when told to."""

import json
import socket
from typing import Any

import pytest

from adapters.errors import WebhookSignatureInvalid
from adapters.http.signing import make_secret
from tests.adapters.sandbox import Receiver, Sandbox


@pytest.fixture
def sandbox(sandbox_process: Sandbox, webhook_receiver: Receiver) -> Sandbox:
    """A platform whose webhooks arrive."""
    sandbox_process.configure(windfall_url=webhook_receiver.url)
    return sandbox_process


def test_what_was_answered_5xx_is_sent_again_word_for_word(
    sandbox: Sandbox, webhook_receiver: Receiver
) -> None:
    webhook_receiver.statuses = [503, 500]
    granted = sandbox.grant()

    [webhook] = sandbox.credit(granted["grant_id"])["webhooks"]

    bodies = {body for _path, _headers, body in webhook_receiver.received}
    ids = {headers["webhook-id"] for _path, headers, _body in webhook_receiver.received}
    assert [attempt["status"] for attempt in webhook["attempts"]] == [503, 500, 200]
    assert (len(bodies), ids) == (1, {webhook["event_id"]})
    assert webhook["state"] == "delivered"
    for number in range(3):
        webhook_receiver.is_signed(number)


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_was_refused_is_not_sent_again(
    sandbox: Sandbox, webhook_receiver: Receiver, status: int
) -> None:
    webhook_receiver.statuses = [status]
    granted = sandbox.grant()

    [webhook] = sandbox.credit(granted["grant_id"])["webhooks"]

    assert [attempt["status"] for attempt in webhook["attempts"]] == [status]
    assert webhook["state"] == "failed"


def test_when_nobody_listens_it_gives_up_after_a_few_attempts(sandbox: Sandbox) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        sandbox.configure(windfall_url=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        granted = sandbox.grant()

        [webhook] = sandbox.credit(granted["grant_id"])["webhooks"]

    assert [attempt["status"] for attempt in webhook["attempts"]] == [None] * 5
    assert "refused" in webhook["answer"]["error"]
    assert webhook["state"] == "failed"
    # What happened, happened, whether Windfall heard of it or not.
    assert sandbox.bonus(granted["grant_id"])["status"] == "credited"


def test_the_log_keeps_what_was_sent_and_what_was_said(
    sandbox: Sandbox, webhook_receiver: Receiver
) -> None:
    granted = sandbox.grant()
    sandbox.play(granted["grant_id"], steps=2)

    logged = sandbox.webhooks()

    sent = [json.loads(body) for _path, _headers, body in webhook_receiver.received]
    assert [webhook["body"] for webhook in logged] == sent
    assert {webhook["answer"]["status"] for webhook in logged} == {200}


def test_any_event_can_be_sent(sandbox: Sandbox, webhook_receiver: Receiver) -> None:
    data = {"platform_bonus_id": "sbx_nobody", "wagered_amount_subunit": -5}

    sandbox.send("bonus.danced", data, event_id="evt-1", ts="2026-03-29T00:59:00Z")

    [(_path, _headers, body)] = webhook_receiver.received
    webhook_receiver.is_signed(0)
    assert json.loads(body) == {
        "event_id": "evt-1",
        "event": "bonus.danced",
        "ts": "2026-03-29T00:59:00Z",
        "data": data,
    }


def test_another_adapter_gets_its_webhooks_at_its_own_path_with_its_own_secret(
    sandbox: Sandbox, webhook_receiver: Receiver
) -> None:
    secret = make_secret()
    sandbox.configure(adapter_slug="nordic star", secret=secret)
    granted = sandbox.grant()

    sandbox.credit(granted["grant_id"])

    [(path, _headers, _body)] = webhook_receiver.received
    webhook_receiver.is_signed(0, secret)
    assert path == "/v1/adapters/nordic%20star/webhooks/bonus-events"


def test_dropped_webhooks_are_never_sent(sandbox: Sandbox, webhook_receiver: Receiver) -> None:
    sandbox.misbehave("drop_webhooks", times=1)
    granted = sandbox.grant()

    [dropped] = sandbox.credit(granted["grant_id"])["webhooks"]
    [sent] = sandbox.complete(granted["grant_id"])["webhooks"]

    assert (dropped["state"], dropped["attempts"]) == ("dropped", [])
    assert sent["state"] == "delivered"
    assert webhook_receiver.events == ["bonus.completed"]


def test_duplicated_webhooks_come_twice_word_for_word(
    sandbox: Sandbox, webhook_receiver: Receiver
) -> None:
    sandbox.misbehave("duplicate_webhooks")
    granted = sandbox.grant()

    sandbox.credit(granted["grant_id"])

    [first, second] = webhook_receiver.received
    assert first[2] == second[2]
    assert first[1]["webhook-id"] == second[1]["webhook-id"]


def test_late_webhooks_wait_until_they_are_released(
    sandbox: Sandbox, webhook_receiver: Receiver
) -> None:
    sandbox.misbehave("late", times=2)
    granted = sandbox.grant()
    sandbox.credit(granted["grant_id"])
    [held] = sandbox.wager(granted["grant_id"], 500)["webhooks"]
    sandbox.complete(granted["grant_id"])

    released = sandbox.release()["webhooks"]

    assert held["state"] == "held"
    assert [webhook["state"] for webhook in released] == ["delivered", "delivered"]
    assert webhook_receiver.events == ["bonus.completed", "bonus.credited", "bonus.wagered"]
    assert sandbox.release()["webhooks"] == []


def test_webhooks_out_of_order_come_the_other_way_round(
    sandbox: Sandbox, webhook_receiver: Receiver
) -> None:
    sandbox.misbehave("out_of_order", times=3)
    granted = sandbox.grant()
    sandbox.credit(granted["grant_id"])
    sandbox.wager(granted["grant_id"], 500)
    assert webhook_receiver.events == []

    sandbox.complete(granted["grant_id"])
    sandbox.send("bonus.marker", {})

    assert webhook_receiver.events == [
        "bonus.completed",
        "bonus.wagered",
        "bonus.credited",
        "bonus.marker",
    ]


def test_out_of_order_without_a_count_waits_for_the_release(
    sandbox: Sandbox, webhook_receiver: Receiver
) -> None:
    sandbox.misbehave("out_of_order")
    granted = sandbox.grant()
    sandbox.play(granted["grant_id"], steps=1)

    sandbox.release()

    assert webhook_receiver.events == ["bonus.completed", "bonus.wagered", "bonus.credited"]


def test_a_bad_signature_is_one(sandbox: Sandbox, webhook_receiver: Receiver) -> None:
    sandbox.misbehave("bad_signature", times=1)
    granted = sandbox.grant()

    sandbox.credit(granted["grant_id"])

    with pytest.raises(WebhookSignatureInvalid):
        webhook_receiver.is_signed(0)


def test_orders_about_webhooks_do_not_touch_answers(
    sandbox: Sandbox, webhook_receiver: Receiver
) -> None:
    sandbox.misbehave("drop_webhooks", times=1)

    granted: dict[str, Any] = sandbox.grant()

    assert granted["status"] == "pending"
    assert sandbox.overview()["misbehaviours"][0]["times"] == 1
