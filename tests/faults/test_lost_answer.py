"""
An answer may be lost after the effect is committed: the retry hears it, and nothing twice.

A real web process, and a wire that is cut when the answer is on it.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

from core.embedded.folder import find_free_port
from jackpots.models import Contribution, Instance
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import issue_key
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import link, meter

Call = Callable[[int, str], tuple[int, str | None, bytes]]

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60


@pytest.fixture
def port() -> Iterator[int]:
    """Where a web process of the product listens, on the test's database."""
    number = find_free_port()
    url = urlsplit(os.environ["DATABASE_URL"])
    url = url._replace(path=f"/{connection.settings_dict['NAME']}")
    command = ["-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [sys.executable, *command, "--port", str(number), "config.wsgi:application"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "DATABASE_URL": urlunsplit(url),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not listens(number):
            assert process.poll() is None, "the web process died"
            assert time.monotonic() < deadline, "the web process does not listen"
            time.sleep(0.1)
        yield number
    finally:
        process.terminate()
        process.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def cut_wire(port: int) -> Iterator[tuple[int, list[bytes]]]:
    """Listen for one call, pass it on, and hang up instead of passing the answer back."""
    lost: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def pass_on() -> None:
            caller, _address = server.accept()
            with caller, socket.create_connection(("127.0.0.1", port)) as web:
                web.sendall(received(caller))
                lost.append(received(web))

        thread = threading.Thread(target=pass_on)
        thread.start()
        yield server.getsockname()[1], lost
        thread.join(PATIENCE_S)


def received(peer: socket.socket) -> bytes:
    """Return a whole message: its head, and as much body as the head says."""
    message = b""
    while b"\r\n\r\n" not in message:
        message += peer.recv(65536)
    head, _gap, body = message.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    [length] = [line.split(":")[1] for line in lines if line.startswith("content-length:")]
    while len(body) < int(length):
        body += peer.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def instances(operator: Operator) -> list[Instance]:
    """An instance and the one it is linked to."""
    PlayerFactory.create(operator=operator, reference="ada")
    made = InstanceFactory.create_batch(2, operator=operator)
    link(*made)
    return list(made)


@pytest.fixture
def call(operator: Operator, instances: list[Instance]) -> Call:
    """Return a function that contributes over HTTP, under a key."""
    authorization = f"Api-Key {issue_key(operator)}"
    body = json.dumps({"player_id": "ada", "base_wager": "150.00", "currency": "EUR"})
    path = f"/v2/jackpots/instances/{instances[0].pk}/contributions"

    def contribute(port: int, key: str) -> tuple[int, str | None, bytes]:
        headers = {
            "Authorization": authorization,
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        wire = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        with closing(wire):
            wire.request("POST", path, body, headers)
            answer = wire.getresponse()
            return answer.status, answer.headers["Idempotency-Replayed"], answer.read()

    return contribute


def test_a_contribution_whose_answer_was_lost_is_heard_at_the_retry(
    instances: list[Instance], call: Call, port: int
) -> None:
    with cut_wire(port) as (wire_port, lost), pytest.raises(http.client.RemoteDisconnected):
        call(wire_port, "once")
    rows = Contribution.objects.count()
    status, replayed, heard = call(port, "once")

    assert rows == Contribution.objects.count() == 2
    assert (status, replayed) == (201, "true")
    assert lost[0].startswith(b"HTTP/1.1 201")
    assert lost[0].endswith(b"\r\n\r\n" + heard)
    assert [leg["amount"] for leg in json.loads(heard)["results"]] == ["1.50", "1.50"]
    assert [meter(each) for each in instances] == [Decimal("1.5")] * 2


def test_control_sent_again_under_another_key_it_counts_twice(
    instances: list[Instance], call: Call, port: int
) -> None:
    with cut_wire(port) as (wire_port, _lost), pytest.raises(http.client.RemoteDisconnected):
        call(wire_port, "once")
    status, replayed, _heard = call(port, "twice")

    assert (status, replayed) == (201, None)
    assert [meter(each) for each in instances] == [Decimal(3)] * 2
