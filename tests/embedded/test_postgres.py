"""PostgreSQL from the wheel: it starts, keeps what was committed, and starts again."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import psycopg
import pytest

from core.embedded import placement
from core.embedded.accounts import choose_account
from core.embedded.errors import CannotRun
from core.embedded.folder import DataFolder
from core.embedded.leftovers import find_processes
from core.embedded.postgres import DURABLE, THROWAWAY, start_postgres
from core.embedded.supervisor import Supervisor
from tests.embedded.processes import is_alive

Supervise = Callable[[], Supervisor]


def ask(url: str, question: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(question)
        return cursor.fetchall() if cursor.description else None


def postmaster(cluster: Path) -> int:
    return int((cluster / "postmaster.pid").read_text().splitlines()[0])


def test_starts_in_an_empty_folder_and_asks_for_the_password(
    folder: DataFolder, supervise: Supervise
) -> None:
    with supervise() as nest:
        url = start_postgres(nest, folder, THROWAWAY)

        assert ask(url, "SELECT current_database(), current_setting('listen_addresses')") == [
            ("windfall", "127.0.0.1")
        ]
        stranger = url.replace(folder.secret("postgres"), "guess")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            ask(stranger, "SELECT 1")


def test_a_demo_loses_no_commit(folder: DataFolder, supervise: Supervise) -> None:
    with supervise() as nest:
        url = start_postgres(nest, folder, DURABLE)

        settings = ask(
            url,
            "SELECT name, setting FROM pg_settings WHERE name IN "
            "('fsync', 'synchronous_commit', 'full_page_writes', 'max_connections') ORDER BY 1",
        )

    assert settings == [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("max_connections", "200"),
        ("synchronous_commit", "on"),
    ]


def test_keeps_rows_and_port_over_a_restart(folder: DataFolder, supervise: Supervise) -> None:
    with supervise() as nest:
        first = start_postgres(nest, folder, THROWAWAY)
        ask(first, "CREATE TABLE kept AS SELECT 7 AS number")

    with supervise() as nest:
        second = start_postgres(nest, folder, THROWAWAY)

        assert second == first
        assert ask(second, "SELECT number FROM kept") == [(7,)]


def test_recovers_after_kill_9(folder: DataFolder, supervise: Supervise) -> None:
    with supervise() as nest:
        url = start_postgres(nest, folder, DURABLE)
        ask(url, "CREATE TABLE kept AS SELECT 7 AS number")
        os.kill(postmaster(folder.path / "postgres"), signal.SIGKILL)
    assert (folder.path / "postgres" / "postmaster.pid").exists()

    with supervise() as nest:
        assert ask(start_postgres(nest, folder, DURABLE), "SELECT number FROM kept") == [(7,)]


def test_starts_although_its_old_number_belongs_to_another_program(
    folder: DataFolder, supervise: Supervise
) -> None:
    with supervise() as nest:
        start_postgres(nest, folder, THROWAWAY)
        os.kill(postmaster(folder.path / "postgres"), signal.SIGKILL)
    pid_file = folder.path / "postgres" / "postmaster.pid"
    account = choose_account()
    # Only a program of the same user stands in PostgreSQL's way.
    with subprocess.Popen(
        ["/bin/sh", "-c", "read line"],
        stdin=subprocess.PIPE,
        **(account.popen_arguments() if account else {}),
    ) as stranger:
        _, *lines = pid_file.read_text().splitlines(keepends=True)
        pid_file.write_text("".join([f"{stranger.pid}\n", *lines]))

        with supervise() as nest:
            assert ask(start_postgres(nest, folder, THROWAWAY), "SELECT 1") == [(1,)]
        assert stranger.poll() is None
        stranger.kill()


def test_stops_the_server_that_a_killed_launcher_left(
    folder: DataFolder, supervise: Supervise
) -> None:
    with supervise() as lost:
        start_postgres(lost, folder, THROWAWAY)
        left = postmaster(folder.path / "postgres")
        with supervise() as nest:
            url = start_postgres(nest, folder, THROWAWAY)

            assert not is_alive(left)
            assert ask(url, "SELECT 1") == [(1,)]


def test_takes_another_port_when_its_own_is_taken_at_the_last_moment(
    folder: DataFolder, supervise: Supervise, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, supervise() as nest:
        # The port looked free, and was taken before PostgreSQL could bind it.
        taken = listener.getsockname()[1]
        looks = iter([taken])
        choose = folder.port
        monkeypatch.setattr(folder, "port", lambda name: next(looks, None) or choose(name))

        url = start_postgres(nest, folder, THROWAWAY)

        assert urlsplit(url).port != taken
        assert ask(url, "SELECT 1") == [(1,)]


def test_a_cluster_without_its_password_is_refused(
    folder: DataFolder, supervise: Supervise
) -> None:
    with supervise() as nest:
        start_postgres(nest, folder, THROWAWAY)
    (folder.path / "postgres.password").unlink()

    with supervise() as nest, pytest.raises(CannotRun, match=r"The password .* is gone: remove "):
        start_postgres(nest, folder, THROWAWAY)


def test_a_cluster_of_another_version_is_refused(folder: DataFolder, supervise: Supervise) -> None:
    with supervise() as nest:
        start_postgres(nest, folder, THROWAWAY)
    (folder.path / "postgres" / "PG_VERSION").write_text("12\n")

    with supervise() as nest, pytest.raises(CannotRun, match="was made by PostgreSQL 12, and 18 "):
        start_postgres(nest, folder, THROWAWAY)


def test_runs_below_a_private_folder_without_opening_it_and_never_as_root(
    private_path: Path, supervise: Supervise
) -> None:
    folder = DataFolder.open(private_path / "data")

    with supervise() as nest:
        url = start_postgres(nest, folder, THROWAWAY)
        [(cluster,)] = ask(url, "SHOW data_directory")  # type: ignore[misc]
        [server] = find_processes(program="postgres", argument=cluster)

        assert Path("/proc", str(server)).stat().st_uid != 0
        assert stat.S_IMODE(private_path.stat().st_mode) == 0o700
        assert stat.S_IMODE(private_path.parent.stat().st_mode) == 0o700


def test_runs_programs_that_its_user_cannot_reach(
    private_path: Path,
    folder: DataFolder,
    supervise: Supervise,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = find_spec(placement.PACKAGE)
    assert installed is not None
    assert installed.submodule_search_locations is not None
    site = Path(installed.submodule_search_locations[0]).parent
    for name in placement.PACKAGE_FOLDERS:
        shutil.copytree(site / name, private_path / name)
    unreachable = SimpleNamespace(submodule_search_locations=[str(private_path / "any")])
    monkeypatch.setattr(placement, "find_spec", lambda name: unreachable)

    with supervise() as nest:
        url = start_postgres(nest, folder, THROWAWAY)
        assert ask(url, "SELECT 1") == [(1,)]

    programs = placement.place_programs(choose_account())
    assert (os.geteuid() != 0) == (private_path in programs.parents)
    if os.geteuid() == 0:
        shutil.rmtree(programs.parents[2])


def test_a_data_folder_that_was_removed_starts_afresh(
    private_path: Path, supervise: Supervise
) -> None:
    # As root the cluster lies elsewhere, and outlives the data folder with its password.
    folder = DataFolder.open(private_path / "data")
    with supervise() as nest:
        ask(start_postgres(nest, folder, THROWAWAY), "CREATE TABLE kept ()")
    subprocess.run(["rm", "-r", str(folder.path)], check=True)

    with supervise() as nest:
        url = start_postgres(nest, DataFolder.open(folder.path), THROWAWAY)

        assert ask(url, "SELECT to_regclass('kept')") == [(None,)]


def test_a_command_line_shows_no_password(folder: DataFolder, supervise: Supervise) -> None:
    with supervise() as nest:
        start_postgres(nest, folder, THROWAWAY)
        server = postmaster(folder.path / "postgres")

        command_line = Path("/proc", str(server), "cmdline").read_text()

    assert sys.executable not in command_line
    assert folder.secret("postgres") not in command_line
