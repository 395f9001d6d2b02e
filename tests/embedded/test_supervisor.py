"""The supervisor: nothing it started outlives it, and whatever ends by itself is named."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.embedded import supervisor as supervising
from core.embedded.errors import CannotRun, StopRequested
from core.embedded.interrupts import StopSignals
from core.embedded.processes import Command
from core.embedded.supervisor import Supervisor
from tests.embedded.processes import processes_of, wait_until_nobody_knows
from tests.embedded.standin import ROOT

Supervise = Callable[[], Supervisor]

SLEEP = "import time; time.sleep(600)"
# The grandchild says so when it runs, and hears nothing but SIGKILL.
DEAF_FAMILY = """\
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, *sys.orig_argv[1:], "grandchild"])
else:
    print("ready", flush=True)
time.sleep(600)
"""
LAUNCHER = """\
import pathlib, sys, time
from core.embedded.guard import Guard
from core.embedded.interrupts import StopSignals
from core.embedded.processes import Command
from core.embedded.supervisor import Supervisor
folder = pathlib.Path(sys.argv[1])
nest = Supervisor(logs=folder, signals=StopSignals(), guard=Guard())
nest.start(Command("family", (sys.executable, "-c", sys.argv[2]), {}, folder))
time.sleep(600)
"""


@pytest.fixture
def command(public_path: Path) -> Callable[..., Command]:
    """Return a function that makes a command of a Python script."""

    def make(name: str, script: str, *, is_server: bool = False) -> Command:
        return Command(
            name=name,
            argv=(sys.executable, "-c", script),
            environment={"PYTHONUNBUFFERED": "1"},
            folder=public_path,
            is_server=is_server,
        )

    return make


def wait_for_line(log: Path, line: str) -> None:
    deadline = time.monotonic() + 30
    while not log.exists() or line not in log.read_text():
        assert time.monotonic() < deadline, f"no {line!r} in {log}"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("import sys; print('no such table'); sys.exit(3)", "ended with exit status 3"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by SIGKILL"),
        ("print('done')", "ended with exit status 0"),
    ],
)
def test_a_child_that_ends_is_named_and_the_rest_is_stopped(
    command: Callable[..., Command],
    supervise: Supervise,
    public_path: Path,
    script: str,
    outcome: str,
) -> None:
    with supervise() as nest:
        nest.start(command("web", SLEEP))
        worker = nest.start(command("worker", script))
        with pytest.raises(CannotRun) as report:
            nest.watch()

    assert report.value.message == (
        f"worker {outcome}, so the rest is being stopped. Its log, {worker.log}, says why; then "
        "run the same command again."
    )
    assert report.value.log == public_path / "logs" / "worker.log"
    assert processes_of(public_path) == []


def test_grandchildren_that_ignore_the_request_are_killed_in_time(
    command: Callable[..., Command],
    supervise: Supervise,
    public_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervising, "APPLICATION_GRACE_S", 0.2)
    with supervise() as nest:
        family = nest.start(command("family", DEAF_FAMILY))
        wait_for_line(family.log, "ready")

        began = time.monotonic()

    # The promise for everything.
    assert time.monotonic() - began < 10
    assert wait_until_nobody_knows(public_path, seconds=2) == []


def test_grandchildren_of_a_crashed_child_are_killed(
    command: Callable[..., Command], supervise: Supervise, public_path: Path
) -> None:
    with supervise() as nest:
        family = nest.start(command("family", DEAF_FAMILY))
        wait_for_line(family.log, "ready")
        os.kill(family.pid, signal.SIGKILL)

    assert wait_until_nobody_knows(public_path, seconds=2) == []


def test_servers_end_after_the_application(
    command: Callable[..., Command], supervise: Supervise, public_path: Path
) -> None:
    ends = public_path / "ends"
    script = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    time.sleep({delay})\n"
        f"    print('{{name}}', file=open({str(ends)!r}, 'a'), flush=True)\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready')\n"
        "while True: time.sleep(1)\n"
    )
    with supervise() as nest:
        server = nest.start(
            command("server", script.format(name="server", delay=0), is_server=True)
        )
        web = nest.start(command("web", script.format(name="web", delay=0.3)))
        wait_for_line(server.log, "ready")
        wait_for_line(web.log, "ready")

    assert ends.read_text().splitlines() == ["web", "server"]


def test_a_signal_ends_the_watch(
    command: Callable[..., Command],
    supervise: Supervise,
    signals: StopSignals,
    public_path: Path,
) -> None:
    with supervise() as nest:
        nest.start(command("web", SLEEP))
        signals.received = signal.SIGTERM
        with pytest.raises(StopRequested):
            nest.watch()

    assert processes_of(public_path) == []


def test_a_command_that_fails_is_reported_with_its_log(
    command: Callable[..., Command], supervise: Supervise
) -> None:
    with supervise() as nest, pytest.raises(CannotRun) as report:
        nest.run_to_end(command("migrate", "import sys; sys.exit('no such column')"), seconds=30)

    assert report.value.message.startswith("migrate ended with exit status 1. Its output is in ")
    assert report.value.log is not None
    assert report.value.log.read_text() == "no such column\n"


def test_a_program_that_is_not_there_is_reported(public_path: Path, supervise: Supervise) -> None:
    command = Command("web", (str(public_path / "none"),), {}, public_path)

    with supervise() as nest, pytest.raises(CannotRun, match=r"web cannot be started: No such "):
        nest.start(command)


def test_the_log_of_the_last_run_is_kept(
    command: Callable[..., Command], supervise: Supervise, public_path: Path
) -> None:
    for word in ("first", "second"):
        with supervise() as nest:
            nest.run_to_end(command("migrate", f"print('{word}')"), seconds=30)

    logs = public_path / "logs"
    assert (logs / "migrate.log").read_text() == "second\n"
    assert (logs / "migrate.log.1").read_text() == "first\n"


def test_nothing_outlives_a_launcher_that_was_killed(public_path: Path) -> None:
    # SIGTERM from the kernel is not enough here: only the guard gets rid of a deaf family.
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, str(public_path), DEAF_FAMILY], cwd=ROOT
    ) as launcher:
        wait_for_line(public_path / "family.log", "ready")
        assert len(processes_of(public_path)) == 3

        launcher.kill()

    assert wait_until_nobody_knows(public_path, seconds=10) == []
