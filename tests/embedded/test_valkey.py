"""Valkey from the wheel: a queue that survives, behind a password."""

from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from core.embedded.folder import DataFolder
from core.embedded.leftovers import find_processes
from core.embedded.supervisor import Supervisor
from core.embedded.valkey import start_valkey

Supervise = Callable[[], Supervisor]


def test_the_queue_survives_a_restart(folder: DataFolder, supervise: Supervise) -> None:
    with supervise() as nest:
        broker, _ = start_valkey(nest, folder)
        with redis.Redis.from_url(broker) as client:
            client.rpush("queue", "task")

    with supervise() as nest:
        same_broker, _ = start_valkey(nest, folder)

        assert same_broker == broker
        with redis.Redis.from_url(broker) as client:
            assert client.lrange("queue", 0, -1) == [b"task"]


def test_broker_and_cache_do_not_meet(folder: DataFolder, supervise: Supervise) -> None:
    with supervise() as nest:
        broker, cache = start_valkey(nest, folder)
        with redis.Redis.from_url(broker) as client:
            client.set("kept", "1")
        with redis.Redis.from_url(cache) as client:
            client.flushdb()
        with redis.Redis.from_url(broker) as client:
            assert client.get("kept") == b"1"


def test_asks_for_a_password_that_no_command_line_shows(
    folder: DataFolder, supervise: Supervise
) -> None:
    with supervise() as nest:
        broker, _ = start_valkey(nest, folder)
        stranger = broker.replace(f":{folder.secret('valkey')}@", "")
        configuration = str(folder.path / "valkey" / "valkey.conf")
        [server] = find_processes(program="valkey-server", argument=configuration)

        assert folder.secret("valkey") not in Path("/proc", str(server), "cmdline").read_text()
        with redis.Redis.from_url(stranger) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
