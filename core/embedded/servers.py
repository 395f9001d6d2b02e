"""The servers the application talks to: those that were given, and ours for the others."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import psycopg

from core.embedded.console import say
from core.embedded.errors import CannotRun
from core.embedded.folder import DataFolder
from core.embedded.options import GivenUrls
from core.embedded.postgres import start_postgres
from core.embedded.supervisor import Supervisor
from core.embedded.valkey import start_valkey

POSTGRES_SCHEMES = ("postgres", "postgresql", "pgsql", "psql")
CONNECT_TIMEOUT_S = 5
DEFAULT_PORTS = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671}


@dataclass(frozen=True)
class ServerUrls:
    """Where the database, the broker and the cache answer."""

    database: str
    broker: str
    cache: str

    def as_environment(self) -> dict[str, str]:
        """Return the variables under which the application's settings look for them."""
        return {
            "DATABASE_URL": self.database,
            "BROKER_URL": self.broker,
            "CACHE_URL": self.cache,
        }


def as_lines(variables: Mapping[str, str]) -> str:
    """Return variables as the lines of a file that a shell or django-environ reads."""
    return "\n".join(f"{name}={value}" for name, value in variables.items())


def start_servers(
    supervisor: Supervisor,
    folder: DataFolder,
    given: GivenUrls,
    postgres_settings: Mapping[str, str],
) -> ServerUrls:
    """
    Start what is not given, and return the URLs of all three.

    :raises CannotRun: if a server does not start, or a given one does not answer.
    :raises StopRequested: if somebody asked us to stop.
    """
    database, broker, cache = given.database, given.broker, given.cache
    for name, url in (("BROKER_URL", broker), ("CACHE_URL", cache)):
        if url is not None:
            ensure_somebody_listens(name, url)
    if database is not None:
        say("  Connecting to DATABASE_URL")
        ensure_database_answers(database)
    else:
        say("  Starting PostgreSQL")
        database = start_postgres(supervisor, folder, postgres_settings)
    if broker is None or cache is None:
        say("  Starting Valkey")
        own_broker, own_cache = start_valkey(supervisor, folder)
        broker, cache = broker or own_broker, cache or own_cache
    return ServerUrls(database=database, broker=broker, cache=cache)


def ensure_database_answers(url: str) -> None:
    """
    Log in to the database at ``url``.

    Only the parts every client understands are used; the rest of the URL may be options
    of the application's own.

    :raises CannotRun: if it does not answer, or is no PostgreSQL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError as error:
        raise CannotRun(f"DATABASE_URL is not a URL ({error}): correct it or unset it.") from error
    if parts.scheme not in POSTGRES_SCHEMES:
        raise CannotRun(
            "DATABASE_URL must begin with postgresql://, because Windfall runs on PostgreSQL "
            "only: correct it, or unset it to use the embedded one."
        )
    host = unquote(parts.hostname or "localhost")
    name = unquote(parts.path.lstrip("/"))
    try:
        psycopg.connect(
            host=host,
            port=port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            dbname=name,
            connect_timeout=CONNECT_TIMEOUT_S,
        ).close()
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        raise CannotRun(
            f"The database of DATABASE_URL ({name} on {host}:{port}) does not answer: start "
            f"it, correct the URL, or unset it to use the embedded one. It said: {reason}"
        ) from error


def ensure_somebody_listens(name: str, url: str) -> None:
    """
    Connect to the server at ``url``, if it is of a kind whose port we know.

    :raises CannotRun: if nobody listens there.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError as error:
        raise CannotRun(f"{name} is not a URL ({error}): correct it or unset it.") from error
    if port is None or parts.hostname is None:
        return
    try:
        socket.create_connection((parts.hostname, port), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise CannotRun(
            f"The server of {name} ({parts.hostname}:{port}) does not answer "
            f"({error.strerror or error}): start it, correct the URL, or unset it to use the "
            "embedded one."
        ) from error
