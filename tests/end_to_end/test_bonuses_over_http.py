"""Bonuses over HTTP, with real workers, a real beat and a real casino platform."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from adapters.http.signing import verify
from tests.adapters.sandbox import Sandbox
from tests.embedded.make_run import MakeRun

pytestmark = pytest.mark.xdist_group("make_run")

WITHIN_S = 60
POLL_S = 0.2
AUDIENCE = 40


class Caller:
    """A client of the demo's operator that names every command."""

    def __init__(self, client: httpx2.Client) -> None:
        self.client = client

    def post(self, path: str, **body: object) -> httpx2.Response:
        return self.client.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})

    def get(self, path: str) -> Any:
        return self.client.get(path).json()

    def player(self, name: str = "") -> str:
        player = name or f"e2e-{uuid4()}"
        answer = self.client.put(f"/v1/players/{player}", json={"currency": "USD"})
        assert answer.status_code in (200, 201)
        return player

    def template(self) -> str:
        """Make a template of ten dollars, to be wagered twice on whatever game."""
        made = self.post(
            "/v1/bonus-templates",
            name=f"e2e {uuid4()}",
            type="no_deposit",
            config={"amount": "10.00", "currency": "USD"},
            wagering_requirement_multiplier="2",
            game_contribution={"default": 100},
            max_grants_per_player=1,
        )
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def give(self, template: str, player: str) -> httpx2.Response:
        return self.post("/v1/bonus-grants", template_id=template, player_id=player)


@pytest.fixture
def caller(running_windfall: MakeRun) -> Iterator[Caller]:
    with httpx2.Client(
        base_url=running_windfall.base_url,
        headers={"Authorization": f"Api-Key {running_windfall.api_key}"},
        timeout=30,
        trust_env=False,
    ) as client:
        yield Caller(client)


@pytest.fixture
def platform(caller: Caller, running_windfall: MakeRun) -> Iterator[Sandbox]:
    """The sandbox, through which the demo's bonuses go until the test is over."""
    caller.client.put("/v1/adapters/demo-sandbox", json={"kind": "http", "is_default": True})
    sandbox = Sandbox(running_windfall.sandbox_url)
    yield sandbox
    sandbox.behave()
    caller.client.put("/v1/adapters/demo-internal", json={"kind": "internal", "is_default": True})


def until(condition: Callable[[], Any]) -> Any:
    """Return what ``condition`` returns once that is something."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(POLL_S)
    return found


def test_our_own_bonus_is_wagered_and_released(caller: Caller) -> None:
    player, template = caller.player(), caller.template()
    grant = caller.give(template, player).json()

    bets = [
        caller.post(
            f"/v1/players/{player}/bets",
            bet_id=str(turn), game="lucky-star", stake="10.00", payout="15.00", currency="USD",
        )
        for turn in range(2)
    ]  # fmt: skip

    assert [bet.status_code for bet in bets] == [201, 201]
    ended = caller.get(f"/v1/bonus-grants/{grant['id']}")
    assert (ended["status"], ended["wagering_progress"]) == ("completed", "20.00")
    assert ended["released_amount"] == "20.00"
    wallet = caller.get(f"/v1/players/{player}/wallet")
    assert wallet["balances"] == [{"currency": "USD", "main": "20.00", "vault": "0.00"}]
    assert wallet["bonus_balances"] == []


def test_a_bonus_goes_out_and_comes_back_completed(caller: Caller, platform: Sandbox) -> None:
    grant = caller.give(caller.template(), caller.player()).json()

    played = platform.play(grant["id"], steps=3)

    events = [(sent["event"], sent["answer"]["body"]["applied"]) for sent in played["webhooks"]]
    assert [event for event, _applied in events] == [
        "bonus.credited", "bonus.wagered", "bonus.wagered", "bonus.wagered", "bonus.completed",
    ]  # fmt: skip
    assert all(applied for _event, applied in events)
    ended = caller.get(f"/v1/bonus-grants/{grant['id']}")
    assert (ended["adapter_slug"], ended["status"]) == ("demo-sandbox", "completed")
    assert ended["wagering_progress"] == ended["wagering_required"] == "20.00"
    assert ended["platform_bonus_id"] == platform.bonus(grant["id"])["platform_bonus_id"]


def test_the_worker_goes_on_asking_a_platform_that_was_away(
    caller: Caller, platform: Sandbox
) -> None:
    platform.misbehave("unavailable", times=2)

    refused = caller.give(caller.template(), caller.player())

    assert (refused.status_code, refused.json()["code"]) == (503, "ADAPTER_UNAVAILABLE")
    path = f"/v1/bonus-issuances/{refused.json()['issuance_id']}"
    issuance = until(lambda: (it := caller.get(path))["status"] != "pending" and it)
    assert (issuance["status"], issuance["attempts"]) == ("succeeded", 3)
    assert caller.get(f"/v1/bonus-grants/{issuance['grant_id']}")["status"] == "active"
    asked = [
        request
        for request in platform.requests("/v1/bonuses/grant")
        if request["idempotency_key"] == issuance["grant_id"]
    ]
    assert len(asked) == 3


def test_workers_give_a_campaign_to_its_segment(caller: Caller, platform: Sandbox) -> None:
    mark = uuid4().hex[:8]
    players = [caller.player(f"c-{mark}-{number:03}") for number in range(AUDIENCE)]
    caller.client.put(f"/v1/players/{players[0]}", json={"currency": "USD", "is_blocked": True})
    segment = caller.post("/v1/segments", name=mark, player_ids=players).json()
    campaign = caller.post(
        "/v1/bonus-campaigns", name=mark, segment_id=segment["id"], template_id=caller.template()
    ).json()
    path = f"/v1/bonus-campaigns/{campaign['id']}"

    previewed = caller.post(f"{path}/preview").json()
    started = caller.post(f"{path}/issue")

    assert started.status_code == 202
    done = until(lambda: (it := caller.get(path))["status"] == "issued" and it)
    assert done["stats"] == {"pending": 0, "granted": AUDIENCE - 1, "skipped": 1, "failed": 0}
    assert previewed["audience"] == AUDIENCE
    granted = [
        row for row in platform.bonuses() if row["player_external_id"].startswith(f"c-{mark}")
    ]
    assert sorted(row["player_external_id"] for row in granted) == sorted(players[1:])


class Receiver:
    """An operator's own server, on the port that the running product may call."""

    def __init__(self, port: int) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((dict(self.headers.items()), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Be silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)

    def messages_of(self, subject_id: str) -> list[str]:
        """Return the types of the messages about one thing, in the order of their arrival."""
        messages = [json.loads(body) for _headers, body in list(self.received)]
        return [told["type"] for told in messages if told["data"]["id"] == subject_id]


@contextmanager
def listening(port: int) -> Iterator[Receiver]:
    receiver = Receiver(port)
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        thread.join()
        receiver.server.server_close()


def test_an_endpoint_of_the_operator_hears_what_happened(
    caller: Caller, running_windfall: MakeRun
) -> None:
    with listening(running_windfall.receiver_port) as receiver:
        endpoint = caller.post(
            "/v1/webhook-endpoints",
            url=f"http://127.0.0.1:{running_windfall.receiver_port}/windfall",
            topics=["bonus.grant.issued", "bonus.grant.cancelled"],
        ).json()

        grant = caller.give(caller.template(), caller.player()).json()
        caller.post(f"/v1/bonus-grants/{grant['id']}/cancel", reason="A test.")

        heard = until(lambda: len(told := receiver.messages_of(grant["id"])) == 2 and sorted(told))
        assert heard == ["bonus.grant.cancelled", "bonus.grant.issued"]
        for headers, body in receiver.received:
            verify([endpoint["secret"]], headers, body, datetime.now(UTC))
        caller.client.delete(f"/v1/webhook-endpoints/{endpoint['id']}")
