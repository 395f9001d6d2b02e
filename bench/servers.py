"""The servers that are measured: PostgreSQL with everything durable, and granian."""

import http.client
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from core.embedded.application import PROJECT, WEB_WORKERS, without_make
from core.embedded.folder import LOOPBACK, DataFolder
from core.embedded.options import GivenUrls
from core.embedded.placement import place_programs
from core.embedded.postgres import DURABLE
from core.embedded.processes import Command, Process
from core.embedded.servers import ServerUrls, start_servers
from core.embedded.supervisor import Supervisor

#: As a server of its own would have it. What makes a commit durable keeps its default.
POSTGRES = {**DURABLE, "shared_buffers": "1GB", "max_wal_size": "4GB"}
READY_TIMEOUT_S = 60
PREPARATION_TIMEOUT_S = 1800
#: High enough never to refuse, and counted all the same, as in production.
UNLIMITED = "1000000000"


@dataclass(frozen=True)
class Web:
    """A web server that runs."""

    process: Process
    port: int


@dataclass
class Bench:
    """The database server, and what is started on it."""

    nest: Supervisor
    folder: DataFolder
    urls: ServerUrls
    sandbox_port: int
    threads: int
    _programs: Any = field(default=None)

    @classmethod
    def start(cls, nest: Supervisor, folder: DataFolder, *, threads: int) -> "Bench":
        """
        Start PostgreSQL and Valkey on a fresh cluster.

        :raises CannotRun: if one does not start.
        """
        given = GivenUrls(database=None, broker=None, cache=None)
        urls = start_servers(nest, folder, given, POSTGRES)
        return cls(nest, folder, urls, folder.port("sandbox"), threads)

    def database_url(self, name: str | None = None) -> str:
        """Return the address of a database, by default the first."""
        parts = urlsplit(self.urls.database)
        return self.urls.database if name is None else urlunsplit(parts._replace(path=f"/{name}"))

    @contextmanager
    def connect(self, name: str | None = None) -> Iterator["psycopg.Connection[Any]"]:
        """Connect to a database, each statement its own transaction."""
        with psycopg.connect(self.database_url(name), autocommit=True) as connection:
            yield connection

    def create_database(self, name: str, *, like: str | None = None) -> None:
        """Make a database, empty or as a copy of one that nobody is connected to."""
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if like is not None:
            statement += sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(like))
        with self.connect("postgres") as connection:
            connection.execute(statement)

    def environment(self, database: str | None = None, **more: str) -> dict[str, str]:
        """Return the environment of a process of ours on a database."""
        return {
            **without_make(os.environ),
            **self.urls.as_environment(),
            "DATABASE_URL": self.database_url(database),
            "DATA_DIR": str(self.folder.path),
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "LOG_LEVEL": "CRITICAL",
            "API_RATE_LIMIT_PER_MINUTE": UNLIMITED,
            "WEBHOOK_RATE_LIMIT_PER_MINUTE": UNLIMITED,
            "ADAPTER_ALLOWED_HOSTS": f"{LOOPBACK}:{self.sandbox_port}",
            **more,
        }

    def run(
        self,
        name: str,
        *arguments: str,
        environment: Mapping[str, str],
        python: str = sys.executable,
        seconds: float = PREPARATION_TIMEOUT_S,
    ) -> str:
        """
        Run a command of Python to its end, and return what it printed.

        :raises CannotRun: if it fails.
        """
        command = Command(name, (python, *arguments), environment, PROJECT)
        self.nest.run_to_end(command, seconds=seconds)
        return (self.folder.logs / f"{name}.log").read_text(errors="replace")

    def manage(self, *arguments: str, database: str | None = None) -> str:
        """
        Run a command of `manage.py`, and return what it printed.

        :raises CannotRun: if it fails.
        """
        # A check of ten million rows may take its time.
        environment = self.environment(database, DATABASE_STATEMENT_TIMEOUT_MS="0")
        return self.run(arguments[0], "manage.py", *arguments, environment=environment)

    def spawn(
        self, name: str, *arguments: str, environment: Mapping[str, str], python: str = ""
    ) -> Process:
        """Start a process of Python that goes on."""
        argv = (python or sys.executable, *arguments)
        return self.nest.start(Command(name, argv, environment, PROJECT))

    def serve(
        self,
        name: str,
        application: str,
        *,
        environment: Mapping[str, str],
        ready_path: str,
        python: str = "",
    ) -> Web:
        """
        Start granian as `make run` does, and wait until it answers.

        :raises CannotRun: if it does not.
        """
        port = self.folder.port(name)
        process = self.spawn(
            name,
            "-m",
            "granian",
            "--interface=wsgi",
            f"--host={LOOPBACK}",
            f"--port={port}",
            f"--workers={WEB_WORKERS}",
            f"--blocking-threads={self.threads}",
            "--no-ws",
            "--no-access-log",
            "--log-level=warning",
            "--workers-kill-timeout=3",
            application,
            environment=environment,
            python=python,
        )
        self.nest.wait_until(
            lambda: _answers(port, ready_path), process=process, seconds=READY_TIMEOUT_S
        )
        return Web(process, port)

    def serve_windfall(self, name: str = "web", *, database: str | None = None) -> Web:
        """
        Start the API on a database.

        :raises CannotRun: if it does not answer.
        """
        return self.serve(
            name,
            "config.wsgi:application",
            environment=self.environment(database),
            ready_path="/readyz",
        )

    def program(self, name: str) -> str:
        """
        Return the path of a program of PostgreSQL.

        :raises CannotRun: if it is not installed.
        """
        self._programs = self._programs or place_programs(None)
        return str(self._programs / name)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
