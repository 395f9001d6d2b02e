"""The load generator counts what was answered, sends nothing twice, and tells of trouble."""

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import ClassVar

import pytest

from bench.load import Load, render_post
from core.embedded.errors import CannotRun

CONNECTIONS = 3


class Handler(BaseHTTPRequestHandler):
    """Answers 201, or what the path asks for, and remembers every body."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[Counter[bytes]] = Counter()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Handler.seen[body] += 1
        if self.path == "/hang-up":
            self.close_connection = True
            return
        answer = b"x" * (300_000 if self.path == "/long" else 10)
        self.send_response(409 if self.path == "/refuse" else 201)
        # Any case will do.
        self.send_header("CONTENT-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def port() -> Iterator[int]:
    Handler.seen = Counter()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def posts(path: str) -> Iterator[bytes]:
    return (render_post(path, str(number).encode(), headers={}) for number in count())


def test_everything_that_is_sent_is_answered_once(port: int) -> None:
    answers = Load(port=port, connections=CONNECTIONS).run(posts("/"), seconds=0.2, warm_up_s=0.05)

    assert answers.accepted == answers.statuses[201] == sum(Handler.seen.values())
    assert set(Handler.seen.values()) == {1}
    # The warm-up, and what was under way at the end, is accepted but not counted.
    assert 0 < answers.counted < answers.accepted
    assert answers.rate == pytest.approx(answers.counted / 0.2)
    assert answers.percentile_ms(0.5) <= answers.percentile_ms(0.99)
    assert answers.unexpected == []


def test_a_finite_load_ends_with_its_last_request(port: int) -> None:
    requests = [next(posts("/")) for _ in range(10)]

    answers = Load(port=port, connections=CONNECTIONS).run(iter(requests), seconds=1e9)

    assert answers.accepted == sum(Handler.seen.values()) == 10
    # All of it was over within the warm-up, and counts because nothing else does.
    assert answers.counted == 10
    assert answers.rate > 0


def test_requests_and_answers_longer_than_a_buffer_are_whole(port: int) -> None:
    body = b"y" * 3_000_000
    requests = [render_post("/long", body, headers={}) for _ in range(4)]

    answers = Load(port=port, connections=2).run(iter(requests), seconds=1e9)

    assert answers.accepted == 4
    assert Handler.seen == {body: 4}


def test_a_refusal_is_not_accepted_and_is_shown(port: int) -> None:
    requests = [next(posts("/refuse")) for _ in range(5)]

    answers = Load(port=port, connections=1).run(iter(requests), seconds=1e9)

    assert (answers.accepted, answers.statuses) == (0, {409: 5})
    assert len(answers.unexpected) == 3
    assert answers.unexpected[0].startswith("HTTP/1.1 409")


def test_a_server_that_hangs_up_ends_the_measurement(port: int) -> None:
    with pytest.raises(CannotRun, match="closed a connection"):
        Load(port=port, connections=1).run(posts("/hang-up"), seconds=1)


def test_nobody_listening_ends_the_measurement(port: int) -> None:
    with pytest.raises(CannotRun, match="Nothing answers on port 1"):
        Load(port=1, connections=1).run(posts("/"), seconds=1)
