"""Folders, supervisors and running projects for the tests of the launcher."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from core.embedded.accounts import choose_account
from core.embedded.folder import DataFolder
from core.embedded.guard import Guard
from core.embedded.interrupts import StopSignals
from core.embedded.placement import shelter_of_cluster
from core.embedded.supervisor import Supervisor
from tests.embedded.standin import StandIn
from tests.running import public_folder


@pytest.fixture
def public_path() -> Iterator[Path]:
    """
    A folder that every user of the machine can pass through, unlike pytest's own.

    Afterwards nothing that knows of it may be running.
    """
    with public_folder() as path:
        yield path


@pytest.fixture
def private_path(tmp_path: Path) -> Iterator[Path]:
    """A folder that its owner alone can enter, and no trace of it elsewhere afterwards."""
    path = tmp_path / "private"
    path.mkdir(mode=0o700)
    yield path
    account = choose_account()
    if account is not None:
        shutil.rmtree(shelter_of_cluster(path / "data", account), ignore_errors=True)


@pytest.fixture
def folder(public_path: Path) -> DataFolder:
    return DataFolder.open(public_path)


@pytest.fixture
def signals() -> StopSignals:
    """Signals that a test sets by hand; pytest's own handlers stay in place."""
    return StopSignals()


@pytest.fixture
def supervise(public_path: Path, signals: StopSignals) -> Callable[[], Supervisor]:
    """Return a function that makes a supervisor, as one start of the launcher does."""
    logs = public_path / "logs"

    def make() -> Supervisor:
        logs.mkdir(exist_ok=True)
        return Supervisor(logs=logs, signals=signals, guard=Guard())

    return make


@pytest.fixture
def standin(public_path: Path) -> Iterator[StandIn]:
    """A project with stand-ins for Django, granian and celery."""
    project = StandIn(public_path)
    yield project
    # Should a test have failed in the middle, its launcher still runs.
    with suppress(OSError, ValueError, ProcessLookupError):
        os.kill(int((project.data_dir / "run.pid").read_text()), 15)
