"""PostgreSQL from the wheel, started by ourselves."""

import os
import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from core.embedded.accounts import Account, choose_account
from core.embedded.errors import CannotRun
from core.embedded.folder import LOOPBACK, DataFolder
from core.embedded.leftovers import stop_leftovers
from core.embedded.placement import place_cluster, place_programs
from core.embedded.processes import Command
from core.embedded.startup import Server, bring_up
from core.embedded.supervisor import Supervisor

NAME = "postgres"
DATABASE = "windfall"
OWNER = "windfall"
INITDB_TIMEOUT_S = 120
CONNECT_TIMEOUT_S = 5

# What a demo and its load test want. All that makes a commit durable keeps its default.
DURABLE = {"max_connections": "200", "jit": "off", "log_checkpoints": "off", "timezone": "UTC"}
# Nothing in a throw-away cluster is worth a wait for the disk. Tests roll back what they write: the
# autovacuum would count empty tables in the middle of the next test, and the planner loop over
# what it then takes for one row.
THROWAWAY = {
    **DURABLE,
    "autovacuum": "off",
    "max_connections": "300",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
# The programs need no more of our environment, and their messages are read by startup.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


def start_postgres(supervisor: Supervisor, folder: DataFolder, settings: Mapping[str, str]) -> str:
    """
    Start PostgreSQL on the cluster of ``folder``, made if there is none, and return its URL.

    A cluster that was not shut down properly recovers first.

    :raises CannotRun: if it does not start.
    :raises StopRequested: if somebody asked us to stop.
    """
    cluster, account = place_cluster(folder.path, choose_account())
    programs = place_programs(account)
    stop_leftovers(program="postgres", argument=str(cluster), number=signal.SIGINT)
    _discard_orphan(folder, cluster)
    if cluster.exists():
        _check_cluster(folder, cluster, programs)
        _disown_reused_pid(cluster)
    else:
        _make_cluster(supervisor, folder, cluster, programs, account)

    password = folder.secret(NAME)
    server = Server(
        name=NAME,
        command_on=lambda port: _command(programs, cluster, port, settings, account),
        answers_on=lambda port: _answers(port, password),
        port_taken="could not bind",
        # The last backends of a killed server are still on their way out.
        passing_troubles=("pre-existing shared memory block",),
    )
    port = bring_up(server, supervisor, folder)
    _create_database(port, password)
    return f"postgresql://{OWNER}:{password}@{LOOPBACK}:{port}/{DATABASE}"


def _discard_orphan(folder: DataFolder, cluster: Path) -> None:
    """Remove a cluster kept elsewhere whose data folder, and with it the password, is gone."""
    if folder.path not in cluster.parents and not folder.has_secret(NAME):
        shutil.rmtree(cluster, ignore_errors=True)


def _check_cluster(folder: DataFolder, cluster: Path, programs: Path) -> None:
    """
    See that the programs can use the cluster, and that we have its password.

    :raises CannotRun: if not.
    """
    if not folder.has_secret(NAME):
        raise CannotRun(
            f"The password of the database in {cluster} is gone: remove {folder.path} to start "
            "afresh, or choose another DATA_DIR."
        )
    made_by = (cluster / "PG_VERSION").read_text().strip()
    installed = _major_version(programs)
    if made_by != installed:
        raise CannotRun(
            f"The database in {cluster} was made by PostgreSQL {made_by}, and {installed} is "
            f"installed: remove {folder.path} to start afresh, or choose another DATA_DIR."
        )


def _disown_reused_pid(cluster: Path) -> None:
    """
    Write our own number over the one in postmaster.pid.

    After a crash the number there may have passed to any other program, and PostgreSQL then
    refuses to start. Its parent's number it disregards, and goes on to its other checks,
    which removing the file would defeat. The caller has seen that no server runs there.
    """
    path = cluster / "postmaster.pid"
    try:
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))
    except FileNotFoundError:
        return


def _make_cluster(
    supervisor: Supervisor,
    folder: DataFolder,
    cluster: Path,
    programs: Path,
    account: Account | None,
) -> None:
    draft = cluster.with_name("postgres.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=cluster.parent, prefix="initdb-") as password_file:
        password_file.write(folder.secret(NAME) + "\n")
        password_file.flush()
        if account is not None:
            os.chown(draft, account.uid, account.gid)
            os.chown(password_file.name, account.uid, account.gid)
        supervisor.run_to_end(
            Command(
                name="initdb",
                argv=(
                    str(programs / "initdb"),
                    f"--pgdata={draft}",
                    f"--username={OWNER}",
                    f"--pwfile={password_file.name}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--no-instructions",
                ),
                environment=ENVIRONMENT,
                folder=draft,
                account=account,
            ),
            seconds=INITDB_TIMEOUT_S,
        )
    # Half a cluster, left by an interruption, never gets this name.
    draft.rename(cluster)


def _command(
    programs: Path,
    cluster: Path,
    port: int,
    settings: Mapping[str, str],
    account: Account | None,
) -> Command:
    effective = {
        **settings,
        "listen_addresses": LOOPBACK,
        "port": str(port),
        # A socket's path is limited to about 100 bytes, and ours may be longer.
        "unix_socket_directories": "",
    }
    return Command(
        name=NAME,
        argv=(
            str(programs / "postgres"),
            "-D",
            str(cluster),
            *(f"--{name}={value}" for name, value in sorted(effective.items())),
        ),
        environment=ENVIRONMENT,
        folder=cluster,
        # Fast shutdown, then, should its checkpoint take too long, immediate shutdown.
        stop_signals=(signal.SIGINT, signal.SIGQUIT),
        account=account,
        is_server=True,
    )


def _connect(port: int, password: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(
        host=LOOPBACK,
        port=port,
        user=OWNER,
        password=password,
        dbname="postgres",
        connect_timeout=CONNECT_TIMEOUT_S,
        autocommit=True,
    )


def _answers(port: int, password: str) -> bool:
    try:
        _connect(port, password).close()
    except psycopg.OperationalError:
        return False
    return True


def _create_database(port: int, password: str) -> None:
    with _connect(port, password) as connection:
        found = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
        ).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _major_version(programs: Path) -> str:
    share = programs.parent / "share" / "postgres.bki"
    with share.open() as file:
        # Its first line reads "# PostgreSQL 18".
        return file.readline().split()[-1]
