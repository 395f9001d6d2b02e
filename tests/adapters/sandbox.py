"""The sandbox platform as a process of its own, a client of it, and a receiver of webhooks."""

import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from adapters.http.signing import sign, verify
from adapters.sandbox.demo import DEMO_SECRET, DEMO_SLUG

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 60
LISTENS = "listens on "


class Sandbox:
    """
    A running platform: its address, and the control calls as methods.

    Every method returns the JSON of the answer, and refuses an answer that is not 200;
    `ask` returns whatever status came with it.
    """

    def __init__(self, base_url: str, secret: str = DEMO_SECRET) -> None:
        self.base_url = base_url
        self.secret = secret
        self.host = urlsplit(base_url).netloc

    def ask(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Call the platform and return status and JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else to_bytes(body)
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, content, headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Call it as an adapter does: signed, and with the grant's id as idempotency key."""
        return self.ask(method, path, body, headers=self.headers(body))

    def headers(self, body: Any = None) -> dict[str, str]:
        """Return the headers of such a call."""
        content = b"" if body is None else to_bytes(body)
        headers = sign(self.secret, str(uuid4()), int(time.time()), content)
        if body is not None:
            headers |= {
                "Idempotency-Key": body.get("grant_id") or body.get("payout_id", ""),
                "Content-Type": "application/json",
            }
        return headers

    def grant(self, **changes: Any) -> dict[str, Any]:
        """Grant a bonus of 100.00, rolled over 30 times, and return it as people see it."""
        status, answer = self.call("POST", "/v1/bonuses/grant", grant_body(**changes))
        assert status == 201, answer
        return self.bonus(answer["platform_bonus_id"])

    def overview(self) -> dict[str, Any]:
        return self._control("GET", "/sandbox/")

    def bonuses(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._control("GET", "/sandbox/bonuses")["bonuses"]
        return rows

    def bonus(self, either_id: str) -> dict[str, Any]:
        """Return one bonus, by its own or its grant's id."""
        return self._control("GET", f"/sandbox/bonuses/{either_id}")

    def payouts(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._control("GET", "/sandbox/payouts")["payouts"]
        return rows

    def requests(self, path: str = "/") -> list[dict[str, Any]]:
        """Return the recorded requests whose path begins with ``path``."""
        rows = self._control("GET", "/sandbox/requests")["requests"]
        return [row for row in rows if row["path"].startswith(path)]

    def webhooks(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._control("GET", "/sandbox/webhooks")["webhooks"]
        return rows

    def credit(self, either_id: str) -> dict[str, Any]:
        return self._move(either_id, "credit")

    def wager(
        self, either_id: str, amount_subunit: int, weighted_subunit: int | None = None
    ) -> dict[str, Any]:
        body = {"amount_subunit": amount_subunit}
        if weighted_subunit is not None:
            body["weighted_subunit"] = weighted_subunit
        return self._move(either_id, "wager", body)

    def complete(self, either_id: str) -> dict[str, Any]:
        return self._move(either_id, "complete")

    def expire(self, either_id: str) -> dict[str, Any]:
        return self._move(either_id, "expire")

    def cancel(self, either_id: str, reason: str = "fraud") -> dict[str, Any]:
        return self._move(either_id, "cancel", {"reason": reason})

    def forfeit(self, either_id: str, reason: str = "max bet") -> dict[str, Any]:
        return self._move(either_id, "forfeit", {"reason": reason})

    def play(self, either_id: str, **members: Any) -> dict[str, Any]:
        """Credit it, wager the requirement in steps, and complete it."""
        return self._move(either_id, "play", members)

    def send(self, event: str, data: Any, **members: Any) -> dict[str, Any]:
        """Send any event at all, true or not; members: event_id, ts."""
        body = {"event": event, "data": data, **members}
        return self._control("POST", "/sandbox/webhooks/send", body)

    def release(self) -> dict[str, Any]:
        """Send the webhooks that are held."""
        return self._control("POST", "/sandbox/webhooks/release")

    def misbehave(self, mode: str, **members: Any) -> dict[str, Any]:
        """Misbehave; members: times, path, done, and those of the mode."""
        return self._control("POST", "/sandbox/misbehave", {"mode": mode, **members})

    def behave(self) -> None:
        self._control("POST", "/sandbox/behave")

    def configure(self, **members: Any) -> dict[str, Any]:
        """Change windfall_url, adapter_slug, secret or autoplay_s."""
        answer = self._control("POST", "/sandbox/configure", members)
        self.secret = members.get("secret") or self.secret
        return answer

    def reset(self) -> None:
        self._control("POST", "/sandbox/reset")

    def _move(self, either_id: str, verb: str, body: Any = None) -> dict[str, Any]:
        return self._control("POST", f"/sandbox/bonuses/{either_id}/{verb}", body)

    def _control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        status, answer = self.ask(method, path, body)
        assert status == 200, answer
        assert isinstance(answer, dict)
        return answer


def to_bytes(body: Any) -> bytes:
    return json.dumps(body).encode()


def grant_body(**changes: Any) -> dict[str, Any]:
    """Return the body of a grant of 100.00 USD × 30."""
    template = {
        "type": "no_deposit",
        "amount_subunit": 10_000,
        "currency": "USD",
        "wagering": {"multiplier": "30", "basis": "bonus", "max_bet_subunit": 500},
        "expires_at": None,
        "config": {"amount": "100.00", "currency": "USD"},
    }
    return {
        "grant_id": str(uuid4()),
        "player_external_id": "player-001",
        "granted_by": {"kind": "api", "ref": "1"},
        **changes,
        "template": {**template, **changes.get("template", {})},
    }


@contextmanager
def start_sandbox(*arguments: str) -> Iterator[Sandbox]:
    """Run the platform on a free port with ``arguments`` and yield a client."""
    with tempfile.NamedTemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "adapters.sandbox", "--port", "0", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Sandbox(_url_in(Path(output.name), process))
        finally:
            process.terminate()
            process.wait(timeout=60)


def _url_in(output: Path, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    while f"{LISTENS}http" not in (said := output.read_text()) or not said.endswith("\n"):
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.05)
    return said.partition(LISTENS)[2].split()[0]


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    """A platform that all tests of this process share; most want `sandbox_process`."""
    with start_sandbox("--windfall-url", "http://127.0.0.1:1") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox_process(sandbox_server: Sandbox) -> Iterator[Sandbox]:
    """
    A real platform in a process of its own, as on its first day.

    It is the adapter `demo-sandbox`, has the demo's secret, and sends its webhooks to
    nobody: tell it with `configure(windfall_url=…, adapter_slug=…)`.
    """
    sandbox_server.reset()
    sandbox_server.configure(
        windfall_url="http://127.0.0.1:1",
        adapter_slug=DEMO_SLUG,
        secret=DEMO_SECRET,
        autoplay_s=None,
    )
    yield sandbox_server
    sandbox_server.reset()


class Receiver:
    """Stands in for Windfall: keeps every webhook, and answers what a test wants."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((self.path, dict(self.headers.items()), body))
                answer = to_bytes({"received": True, "applied": True})
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: Any) -> None:
                """Be silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def events(self) -> list[str]:
        return [json.loads(body)["event"] for _path, _headers, body in self.received]

    def is_signed(self, number: int, secret: str = DEMO_SECRET) -> None:
        """Raise if the webhook was not signed with ``secret``."""
        _path, headers, body = self.received[number]
        verify([secret], headers, body, datetime.now(UTC))


@pytest.fixture
def webhook_receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def wait_for(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    """Return when ``condition`` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
