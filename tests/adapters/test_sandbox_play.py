"""The sandbox platform plays bonuses on when it is told to, and tells Windfall of each step."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.sandbox import Receiver, Sandbox, start_sandbox, wait_for

PATH = "/v1/adapters/demo-sandbox/webhooks/bonus-events"


@pytest.fixture
def sandbox(sandbox_process: Sandbox, webhook_receiver: Receiver) -> Sandbox:
    """A platform whose webhooks arrive."""
    sandbox_process.configure(windfall_url=webhook_receiver.url)
    return sandbox_process


def events_of(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(body) for _path, _headers, body in receiver.received]


def test_a_credit_is_told_in_a_signed_webhook(sandbox: Sandbox, webhook_receiver: Receiver) -> None:
    granted = sandbox.grant()

    answer = sandbox.credit(granted["grant_id"])

    [(path, headers, body)] = webhook_receiver.received
    event = json.loads(body)
    webhook_receiver.is_signed(0)
    assert path == PATH
    assert headers["webhook-id"] == event["event_id"]
    assert event == {
        "event_id": event["event_id"],
        "event": "bonus.credited",
        "ts": answer["bonus"]["ts"],
        "data": {name: granted[name] for name in ("platform_bonus_id", "grant_id")},
    }
    assert answer["bonus"]["status"] == "credited"
    [webhook] = answer["webhooks"]
    assert webhook["state"] == "delivered"
    assert webhook["answer"]["status"] == 200
    assert webhook["answer"]["body"] == {"received": True, "applied": True}


def test_a_wager_is_told_by_what_it_adds_and_seen_in_total(
    sandbox: Sandbox, webhook_receiver: Receiver
) -> None:
    granted = sandbox.grant()
    sandbox.credit(granted["grant_id"])

    sandbox.wager(granted["grant_id"], 700)
    sandbox.wager(granted["grant_id"], 500, 25)

    told = [
        (event["data"]["wagered_amount_subunit"], event["data"]["weighted_progress_subunit"])
        for event in events_of(webhook_receiver)[1:]
    ]
    _status, view = sandbox.call("GET", f"/v1/bonuses/{granted['platform_bonus_id']}")
    assert told == [(700, 700), (500, 25)]
    assert (view["wagered_amount_subunit"], view["weighted_progress_subunit"]) == (1200, 725)
    assert view["status"] == "active"


@pytest.mark.parametrize(
    ("verb", "status", "reason"),
    [
        ("complete", "completed", None),
        ("expire", "expired", None),
        ("cancel", "cancelled", "fraud"),
        ("forfeit", "forfeited", "max bet"),
    ],
)
def test_an_end_is_told_and_seen(
    sandbox: Sandbox, webhook_receiver: Receiver, verb: str, status: str, reason: str | None
) -> None:
    granted = sandbox.grant()

    getattr(sandbox, verb)(granted["grant_id"])

    [event] = events_of(webhook_receiver)
    _status, view = sandbox.call("GET", f"/v1/bonuses/{granted['platform_bonus_id']}")
    assert event["event"] == f"bonus.{status}"
    assert event["data"].get("reason") == reason
    assert (view["status"], view["reason"], view["ts"]) == (status, reason, event["ts"])


@pytest.mark.parametrize("steps", [1, 3, 7])
def test_to_play_is_to_credit_wager_the_requirement_and_complete(
    sandbox: Sandbox, webhook_receiver: Receiver, steps: int
) -> None:
    granted = sandbox.grant(template={"amount_subunit": 1_001})

    answer = sandbox.play(granted["grant_id"], steps=steps)

    wagers = [event["data"] for event in events_of(webhook_receiver)[1:-1]]
    assert webhook_receiver.events == [
        "bonus.credited",
        *["bonus.wagered"] * steps,
        "bonus.completed",
    ]
    assert sum(data["weighted_progress_subunit"] for data in wagers) == 30_030
    assert answer["bonus"]["status"] == "completed"
    assert {webhook["state"] for webhook in answer["webhooks"]} == {"delivered"}


def test_what_was_wagered_before_is_not_played_again(
    sandbox: Sandbox, webhook_receiver: Receiver
) -> None:
    granted = sandbox.grant()
    sandbox.credit(granted["grant_id"])
    sandbox.wager(granted["grant_id"], 1_000, 1_000)

    answer = sandbox.play(granted["grant_id"], requirement_subunit=5_000)

    assert webhook_receiver.events.count("bonus.credited") == 1
    assert answer["bonus"]["weighted_progress_subunit"] == 5_000


@pytest.mark.parametrize(
    ("percent", "requirement"), [("100", 600_000), ("50", 900_000), ("0", 0), ("half", 0)]
)
def test_a_requirement_on_bonus_plus_deposit_follows_from_the_percentage(
    sandbox: Sandbox, percent: str, requirement: int
) -> None:
    template = {
        "wagering": {"multiplier": "30", "basis": "bonus_plus_deposit"},
        "config": {"match_percent": percent},
    }

    assert sandbox.grant(template=template)["requirement_subunit"] == requirement


def test_a_bonus_without_a_requirement_is_complete_at_once(
    sandbox: Sandbox, webhook_receiver: Receiver
) -> None:
    granted = sandbox.grant(template={"wagering": {"multiplier": "0"}})

    sandbox.play(granted["grant_id"])

    assert webhook_receiver.events == ["bonus.credited", "bonus.completed"]


@pytest.mark.parametrize("verb", ["credit", "wager", "complete", "expire", "cancel", "play"])
def test_a_bonus_that_has_ended_moves_no_more(
    sandbox: Sandbox, webhook_receiver: Receiver, verb: str
) -> None:
    granted = sandbox.grant()
    ended = sandbox.forfeit(granted["grant_id"])["bonus"]

    status, answer = sandbox.ask(
        "POST", f"/sandbox/bonuses/{granted['grant_id']}/{verb}", {"amount_subunit": 1}
    )

    assert (status, answer["code"], answer["state"]) == (409, "BONUS_ENDED", "forfeited")
    assert sandbox.bonus(granted["grant_id"]) == ended
    assert webhook_receiver.events == ["bonus.forfeited"]


def test_nothing_is_wagered_before_the_credit(sandbox: Sandbox, webhook_receiver: Receiver) -> None:
    granted = sandbox.grant()

    status, answer = sandbox.ask(
        "POST", f"/sandbox/bonuses/{granted['grant_id']}/wager", {"amount_subunit": 1}
    )

    assert (status, answer["code"]) == (409, "BONUS_NOT_CREDITED")
    assert webhook_receiver.events == []


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("bonuses/nobody/credit", {}, 404, "BONUS_NOT_FOUND"),
        ("bonuses/{id}/dance", {}, 404, "NOT_FOUND"),
        ("bonuses/{id}/wager", {}, 422, "INVALID_REQUEST"),
        ("bonuses/{id}/wager", {"amount_subunit": "1"}, 422, "INVALID_REQUEST"),
        ("bonuses/{id}/wager", {"amount_subunit": 1, "weighted_subunit": -1}, 422, None),
        ("bonuses/{id}/play", {"steps": 0}, 422, "INVALID_REQUEST"),
        ("bonuses/{id}/play", {"requirement_subunit": "1"}, 422, "INVALID_REQUEST"),
        ("bonuses/{id}/credit", b"{", 400, "INVALID_REQUEST"),
        ("misbehave", {}, 422, "INVALID_REQUEST"),
        ("misbehave", {"mode": "nicely"}, 422, "UNKNOWN_MODE"),
        ("misbehave", {"mode": "hang", "times": 0}, 422, "INVALID_REQUEST"),
        ("webhooks/send", {"event": ""}, 422, "INVALID_REQUEST"),
        ("webhooks/send", {"event": "bonus.x", "event_id": "a.b"}, 422, "INVALID_REQUEST"),
        ("configure", {"secret": "abc"}, 422, "INVALID_REQUEST"),
        ("configure", {"autoplay_s": "soon"}, 422, "INVALID_REQUEST"),
        ("configure", {"windfall_url": ""}, 422, "INVALID_REQUEST"),
    ],
)
def test_a_control_call_that_is_wrong_is_refused_and_changes_nothing(
    sandbox: Sandbox, path: str, body: Any, status: int, code: str | None
) -> None:
    granted = sandbox.grant()
    before = sandbox.overview()

    answered, answer = sandbox.ask("POST", f"/sandbox/{path.format(id=granted['grant_id'])}", body)

    assert answered == status
    assert code in (None, answer["code"])
    assert sandbox.bonus(granted["grant_id"]) == granted
    assert sandbox.overview() == before


def test_the_overview_counts_and_lists_what_can_be_done(sandbox: Sandbox) -> None:
    first, _second = sandbox.grant(), sandbox.grant()
    sandbox.complete(first["grant_id"])
    sandbox.misbehave("error", times=2, path="/v1/bonuses/grant")

    overview = sandbox.overview()

    assert overview["bonuses"] == {"pending": 1, "completed": 1}
    assert (overview["requests"], overview["webhooks"]) == (2, 1)
    assert overview["misbehaviours"] == [
        {"mode": "error", "times": 2, "path": "/v1/bonuses/grant", "done": False}
    ]
    assert "POST /sandbox/bonuses/{id}/play" in overview["calls"]
    assert "slow_drip" in overview["modes"]


def test_a_reset_forgets_everything(sandbox: Sandbox) -> None:
    granted = sandbox.grant()
    sandbox.credit(granted["grant_id"])
    sandbox.misbehave("reject")

    sandbox.reset()

    overview = sandbox.overview()
    assert (overview["bonuses"], overview["requests"], overview["webhooks"]) == ({}, 0, 0)
    assert overview["misbehaviours"] == []


def test_with_autoplay_a_bonus_is_credited_by_itself(webhook_receiver: Receiver) -> None:
    with start_sandbox("--autoplay", "0.05", "--windfall-url", webhook_receiver.url) as sandbox:
        granted = sandbox.grant()
        wait_for(lambda: webhook_receiver.events == ["bonus.credited"])

        assert sandbox.bonus(granted["grant_id"])["status"] == "credited"


def test_autoplay_goes_on_after_a_restart(webhook_receiver: Receiver, tmp_path: Path) -> None:
    kept = ("--state", str(tmp_path / "kept"), "--windfall-url", webhook_receiver.url)
    with start_sandbox(*kept) as sandbox:
        granted = sandbox.grant()

    with start_sandbox(*kept, "--autoplay", "0") as sandbox:
        wait_for(lambda: webhook_receiver.events == ["bonus.credited"])

        assert sandbox.bonus(granted["grant_id"])["status"] == "credited"


def test_autoplay_leaves_a_bonus_alone_that_has_moved_on(
    sandbox: Sandbox, webhook_receiver: Receiver
) -> None:
    sandbox.configure(autoplay_s=0.3)
    ended, other = sandbox.grant(), sandbox.grant()

    sandbox.cancel(ended["grant_id"])

    wait_for(lambda: len(webhook_receiver.received) == 2)
    assert webhook_receiver.events == ["bonus.cancelled", "bonus.credited"]
    assert sandbox.bonus(ended["grant_id"])["status"] == "cancelled"
    assert sandbox.bonus(other["grant_id"])["status"] == "credited"
