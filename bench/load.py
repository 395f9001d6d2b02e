"""
The load: one thread, a few connections that are kept, and requests rendered beforehand.

It shares the machine with the server, so it must cost little: it writes bytes, looks for the
status and the length in what comes back, and nothing else. What it cost is in the result.
"""

import re
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from core.embedded.errors import CannotRun

#: Time for the server to wake up; its answers are awaited but not counted.
WARM_UP_S = 0.3
#: A request that is not answered by then is a bug, not a slow one.
ANSWER_WITHIN_S = 30.0
POLL_S = 0.2
RECEIVED_MAX = 1 << 18
BODIES_KEPT_MAX = 3

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Answers:
    """
    What came back in one run of the load.

    ``counted`` were answered within the ``seconds`` that count; ``statuses`` has every
    answer, those of the warm-up and the last ones too. ``cpu_share`` is how much of one core
    the load itself took. ``unexpected`` are the first bodies whose status was not 2xx.
    """

    counted: int
    seconds: float
    cpu_share: float
    statuses: Counter[int]
    latencies_ms: list[float]
    unexpected: list[str]

    @property
    def rate(self) -> float:
        """Return the answers for each second that counts."""
        return self.counted / self.seconds

    @property
    def accepted(self) -> int:
        """Return how many of all requests were answered 2xx."""
        return sum(count for status, count in self.statuses.items() if 200 <= status < 300)

    def percentile_ms(self, share: float) -> float:
        """Return the latency that ``share`` of the counted answers did not exceed."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


@dataclass(slots=True)
class _Connection:
    channel: socket.socket
    sent_at: float = 0.0
    unsent: bytes = b""
    received: bytearray = field(default_factory=bytearray)
    #: Bytes of the whole answer, once its head is there.
    expected: int | None = None
    status: int = 0


@dataclass(slots=True)
class _Tally:
    """Answers as they come, within the time that counts and around it."""

    began_at: float
    starts_at: float
    ends_at: float
    statuses: Counter[int] = field(default_factory=Counter)
    latencies_ms: list[float] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    last_at: float = 0.0

    def take(self, connection: _Connection, now: float) -> None:
        self.statuses[connection.status] += 1
        if not 200 <= connection.status < 300 and len(self.unexpected) < BODIES_KEPT_MAX:
            self.unexpected.append(connection.received.decode(errors="replace")[-600:])
        if self.starts_at <= now < self.ends_at:
            self.latencies_ms.append((now - connection.sent_at) * 1000)
            self.last_at = now

    def sum_up(self, *, over_at: float, cpu_s: float) -> Answers:
        counted, seconds = len(self.latencies_ms), self.ends_at - self.starts_at
        if over_at < self.ends_at:
            # The requests ran out before the time did.
            seconds = self.last_at - self.starts_at
        if not counted:
            # Slower than the time there was for it, or already over: all of it counts.
            counted, seconds = self.statuses.total(), over_at - self.began_at
        return Answers(
            counted=counted,
            seconds=max(seconds, 1e-3),
            cpu_share=cpu_s / max(over_at - self.began_at, 1e-3),
            statuses=self.statuses,
            latencies_ms=self.latencies_ms,
            unexpected=self.unexpected,
        )


class Load:
    """Sends requests to a server for a while, each as soon as one is answered."""

    def __init__(
        self,
        *,
        port: int,
        connections: int,
        check: Callable[[], None] = lambda: None,
        host: str = "127.0.0.1",
    ) -> None:
        self._address = (host, port)
        self._connections = connections
        self._check = check

    def run(
        self, requests: Iterator[bytes], *, seconds: float, warm_up_s: float = WARM_UP_S
    ) -> Answers:
        """
        Send for ``seconds``, after a warm-up, and wait for the last answers.

        Ends early if ``requests`` does.

        :raises CannotRun: if the server does not answer, or closes a connection.
        """
        with selectors.DefaultSelector() as selector:
            opened = [self._open(selector) for _ in range(self._connections)]
            try:
                return self._drive(selector, opened, requests, seconds, warm_up_s)
            finally:
                for connection in opened:
                    connection.channel.close()

    def _open(self, selector: selectors.BaseSelector) -> _Connection:
        try:
            channel = socket.create_connection(self._address, timeout=ANSWER_WITHIN_S)
        except OSError as error:
            raise CannotRun(f"Nothing answers on port {self._address[1]}: {error}.") from error
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        channel.settimeout(0)
        connection = _Connection(channel)
        selector.register(channel, selectors.EVENT_READ, connection)
        return connection

    def _drive(
        self,
        selector: selectors.BaseSelector,
        opened: list[_Connection],
        requests: Iterator[bytes],
        seconds: float,
        warm_up_s: float,
    ) -> Answers:
        clock = time.perf_counter
        waiting = 0
        for connection in opened:
            waiting += self._send_next(selector, connection, requests)
        began_at, cpu = clock(), time.process_time()
        tally = _Tally(began_at, began_at + warm_up_s, began_at + warm_up_s + seconds)
        checked_at = began_at
        while waiting:
            events = selector.select(POLL_S)
            now = clock()
            if now - checked_at > POLL_S:
                self._check()
                _ensure_none_waits_too_long(opened, now)
                checked_at = now
            for key, mask in events:
                connection = key.data
                if mask & selectors.EVENT_WRITE:
                    self._write(selector, connection)
                if not mask & selectors.EVENT_READ or not self._read(connection):
                    continue
                waiting -= 1
                tally.take(connection, now)
                if now < tally.ends_at:
                    waiting += self._send_next(selector, connection, requests)
        return tally.sum_up(over_at=clock(), cpu_s=time.process_time() - cpu)

    def _send_next(
        self,
        selector: selectors.BaseSelector,
        connection: _Connection,
        requests: Iterator[bytes],
    ) -> int:
        request = next(requests, None)
        if request is None:
            return 0
        connection.received.clear()
        connection.expected = None
        connection.sent_at = time.perf_counter()
        connection.unsent = request
        self._write(selector, connection)
        return 1

    def _write(self, selector: selectors.BaseSelector, connection: _Connection) -> None:
        try:
            sent = connection.channel.send(connection.unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise CannotRun(f"The server closed a connection: {error}.") from error
        was_all = sent == len(connection.unsent)
        connection.unsent = connection.unsent[sent:]
        events = selectors.EVENT_READ if was_all else selectors.EVENT_READ | selectors.EVENT_WRITE
        if selector.get_key(connection.channel).events != events:
            selector.modify(connection.channel, events, connection)

    def _read(self, connection: _Connection) -> bool:
        """Take what has come, and tell whether the answer is complete."""
        try:
            part = connection.channel.recv(RECEIVED_MAX)
        except BlockingIOError:
            return False
        except OSError as error:
            raise CannotRun(f"The server closed a connection: {error}.") from error
        if not part:
            raise CannotRun("The server closed a connection in the middle of the load.")
        received = connection.received
        received += part
        if connection.expected is None:
            end = received.find(b"\r\n\r\n")
            if end < 0:
                return False
            length = _LENGTH.search(received, 0, end)
            connection.status = int(received[9:12])
            connection.expected = end + 4 + (int(length[1]) if length else 0)
        return len(received) >= connection.expected


def _ensure_none_waits_too_long(opened: list[_Connection], now: float) -> None:
    for connection in opened:
        is_waiting = connection.expected is None or len(connection.received) < connection.expected
        if is_waiting and connection.sent_at and now - connection.sent_at > ANSWER_WITHIN_S:
            raise CannotRun(f"A request was not answered within {ANSWER_WITHIN_S:.0f} s.")


def render_post(
    path: str, body: bytes, *, headers: dict[str, str], host: str = "127.0.0.1"
) -> bytes:
    """Return the bytes of one POST of JSON."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
