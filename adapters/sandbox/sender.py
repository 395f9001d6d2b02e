"""Sends the platform's webhooks: in order, signed, and again when nobody answered."""

import http.client
import json
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from adapters.http.signing import sign
from adapters.sandbox.misbehaviour import Misbehaviour, Misbehaviours, Mode
from adapters.sandbox.state import timestamp

#: How long it waits before each further attempt.
BACKOFF_S = (0.2, 0.5, 1.0, 2.0)
TIMEOUT_S = 10.0
KEPT_MAX = 20_000
# Signed with it, a webhook is as good as forged.
WRONG_SECRET = "whsec_bm90LXRoZS1zZWNyZXQtb2YtYW55Ym9keQ=="  # noqa: S105


@dataclass
class Webhook:
    """One event: the bytes that are sent, whatever happens, and everything that was heard."""

    event_id: str
    event: str
    body: bytes
    state: str = "queued"
    attempts: list[dict[str, Any]] = field(default_factory=list)
    misbehaviour: Mode | None = None
    is_settled: threading.Event = field(default_factory=threading.Event)

    def settle(self, state: str) -> None:
        """Say what became of it, to whoever waits."""
        self.state = state
        self.is_settled.set()

    def as_overview(self) -> dict[str, Any]:
        """Return it for a person; ``answer`` is the last thing the receiver said."""
        return {
            "event_id": self.event_id,
            "event": self.event,
            "state": self.state,
            "misbehaviour": self.misbehaviour.value if self.misbehaviour else None,
            "body": json.loads(self.body),
            "attempts": self.attempts,
            "answer": self.attempts[-1] if self.attempts else None,
        }


@dataclass(frozen=True)
class Destination:
    """Where webhooks go, and with which secret they are signed; none: they are not signed."""

    url: str
    secret: str | None


class Sender:
    """The queue of webhooks and the one thread that works it off, so that order is kept."""

    def __init__(self, misbehaviours: Misbehaviours, destination: Callable[[], Destination]):
        self._misbehaviours = misbehaviours
        self._destination = destination
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[Webhook] = queue.SimpleQueue()
        self._held: list[Webhook] = []
        self._sent: list[Webhook] = []

    def start(self) -> None:
        """Begin to send."""
        threading.Thread(target=self._work, name="webhooks", daemon=True).start()

    def send(
        self,
        event: str,
        data: Any,
        *,
        event_id: str | None = None,
        ts: str | None = None,
    ) -> Webhook:
        """Put an event on its way, or do with it what a standing order says."""
        event_id = event_id or str(uuid4())
        content = {"event_id": event_id, "event": event, "ts": ts or timestamp(), "data": data}
        webhook = Webhook(event_id, event, json.dumps(content).encode())
        order = self._misbehaviours.take_for_webhook()
        webhook.misbehaviour = order.mode if order else None
        with self._lock:
            self._sent.append(webhook)
            del self._sent[:-KEPT_MAX]
        match webhook.misbehaviour:
            case Mode.DROP_WEBHOOKS:
                webhook.settle("dropped")
            case Mode.LATE | Mode.OUT_OF_ORDER:
                assert order is not None, "the mode is the order's"
                self._hold(webhook, order)
            case _:
                self._queue.put(webhook)
        return webhook

    def release(self) -> list[Webhook]:
        """Send what is held: the late ones in their order, the others the other way round."""
        with self._lock:
            held, self._held = self._held, []
        late = [webhook for webhook in held if webhook.misbehaviour is Mode.LATE]
        turned = [webhook for webhook in reversed(held) if webhook not in late]
        for webhook in (*late, *turned):
            webhook.is_settled.clear()
            webhook.state = "queued"
            self._queue.put(webhook)
        return [*late, *turned]

    def all(self) -> list[Webhook]:
        """Return every webhook, the first one first."""
        with self._lock:
            return list(self._sent)

    def clear(self) -> None:
        """Forget what was sent and what is held."""
        with self._lock:
            self._sent.clear()
            self._held.clear()

    def _hold(self, webhook: Webhook, order: Misbehaviour) -> None:
        with self._lock:
            self._held.append(webhook)
        webhook.settle("held")
        if order.mode is Mode.OUT_OF_ORDER and order.times == 0:
            # The last one it was told to hold: all of them go out the wrong way round.
            self.release()

    def _work(self) -> None:
        while True:
            webhook = self._queue.get()
            for attempt in range(2 if webhook.misbehaviour is Mode.DUPLICATE_WEBHOOKS else 1):
                is_delivered = self._deliver(webhook)
                if attempt == 0 and not is_delivered:
                    break
            webhook.settle("delivered" if is_delivered else "failed")

    def _deliver(self, webhook: Webhook) -> bool:
        for pause_s in (*BACKOFF_S, None):
            heard = self._post(webhook)
            webhook.attempts.append(heard)
            status = heard["status"]
            if status is not None and status < http.client.INTERNAL_SERVER_ERROR:
                return bool(status < http.client.MULTIPLE_CHOICES)
            if pause_s is not None:
                time.sleep(pause_s)
        return False

    def _post(self, webhook: Webhook) -> dict[str, Any]:
        destination = self._destination()
        at = timestamp()
        headers = {"Content-Type": "application/json", "User-Agent": "windfall-sandbox"}
        secret = destination.secret
        if webhook.misbehaviour is Mode.BAD_SIGNATURE:
            secret = WRONG_SECRET
        if secret is not None:
            headers |= sign(secret, webhook.event_id, int(time.time()), webhook.body)
        try:
            status, body = _exchange(destination.url, webhook.body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return {"at": at, "status": None, "error": f"{type(error).__name__}: {error}"}
        return {"at": at, "status": status, "body": _readable(body)}


def _exchange(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    # Not urllib: it would take a proxy from the environment to the loopback address.
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", parts.path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(1_000_000)
    finally:
        connection.close()


def _readable(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")[:2000]
