"""DATA_DIR: what it keeps, and who may use it."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from signal import Signals

import pytest

from core.embedded.errors import CannotRun, StopRequested
from core.embedded.folder import DataFolder, ensure_port_free
from core.embedded.interrupts import StopSignals

HOLD = """\
import pathlib, sys, time
from core.embedded.folder import DataFolder
from core.embedded.interrupts import StopSignals
DataFolder.open(pathlib.Path(sys.argv[1])).claim(StopSignals())
print("claimed", flush=True)
time.sleep(60)
"""


def test_a_folder_that_cannot_be_made_is_refused_with_a_way_out(tmp_path: Path) -> None:
    # Below a file nobody can make a folder, not even root.
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "data"

    with pytest.raises(CannotRun) as refusal:
        DataFolder.open(path)

    assert str(refusal.value) == (
        f"{path} cannot be written (Not a directory): make it writable, or choose another "
        "data folder, for example DATA_DIR=/tmp/windfall make run."
    )


def test_a_secret_stays_the_same_and_is_ours_alone(tmp_path: Path) -> None:
    secret = DataFolder.open(tmp_path).secret("postgres")

    assert DataFolder.open(tmp_path).secret("postgres") == secret
    assert stat.S_IMODE((tmp_path / "postgres.password").stat().st_mode) == 0o600


def test_a_port_stays_the_same_until_somebody_takes_it(tmp_path: Path) -> None:
    port = DataFolder.open(tmp_path).port("postgres")
    again = DataFolder.open(tmp_path).port("postgres")
    with socket.create_server(("127.0.0.1", port)):
        other = DataFolder.open(tmp_path).port("postgres")

    assert again == port
    assert other != port
    assert DataFolder.open(tmp_path).port("postgres") == other


def test_no_outgoing_connection_takes_a_port_before_it_is_bound(tmp_path: Path) -> None:
    assert DataFolder.open(tmp_path).port("postgres") < 32_768


def test_a_port_that_is_preferred_is_taken_if_it_is_free(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = taken.getsockname()[1]
        instead = folder.port("valkey", preferred=busy)
    other = folder.port("postgres", preferred=busy)

    assert busy not in (0, instead)
    assert other == busy
    assert folder.port("postgres", preferred=instead) == busy


def test_a_port_that_is_reserved_is_never_taken(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path)
    port = folder.port("sandbox")

    other = folder.port("sandbox", preferred=port, reserved=port)

    assert other != port
    assert folder.port("sandbox") == other


def test_a_second_launcher_is_refused_until_the_first_is_gone(
    tmp_path: Path, signals: StopSignals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"claimed\n"

        with pytest.raises(CannotRun) as refusal:
            DataFolder.open(tmp_path).claim(signals)
        holder.kill()

    assert str(refusal.value) == (
        f"Windfall already runs on {tmp_path} (process {holder.pid}): stop it with Ctrl-C where "
        "it runs, or choose another DATA_DIR and PORT."
    )
    os.close(DataFolder.open(tmp_path).claim(signals))


def test_a_pid_file_left_by_a_crash_claims_nothing(tmp_path: Path, signals: StopSignals) -> None:
    # Our own number: alive, as a number that was given out again would be.
    (tmp_path / "run.pid").write_text(f"{os.getpid()}\n")

    os.close(DataFolder.open(tmp_path).claim(signals))

    assert (tmp_path / "run.pid").read_text() == f"{os.getpid()}\n"


def test_a_killed_launchers_guard_is_waited_for(tmp_path: Path, signals: StopSignals) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    claim = DataFolder.open(tmp_path).claim(signals)
    (tmp_path / "run.pid").write_text(f"{ended.pid}\n")
    signals.received = Signals.SIGINT

    # It would be refused at once were the number alive; now it waits, and hears Ctrl-C.
    with pytest.raises(StopRequested):
        DataFolder.open(tmp_path).claim(signals)
    os.close(claim)


def test_a_taken_port_is_refused_with_another_one_to_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(CannotRun) as refusal:
            ensure_port_free("127.0.0.1", port)

    assert str(refusal.value) == (
        f"127.0.0.1:{port} is not free to listen on (Address already in use): stop what listens "
        f"there, or choose another PORT, for example PORT={port + 1} make run."
    )
