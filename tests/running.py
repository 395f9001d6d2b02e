"""The whole product, running: for the tests that speak HTTP with it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.embedded.make_run import MakeRun
from tests.embedded.processes import wait_until_nobody_knows


@contextmanager
def public_folder() -> Iterator[Path]:
    """Make a folder that every user may pass through; afterwards nothing may know of it."""
    path = Path(tempfile.mkdtemp(prefix="windfall-tests-"))
    path.chmod(0o711)
    yield path
    left = wait_until_nobody_knows(path, seconds=10)
    shutil.rmtree(path)
    assert left == []


@pytest.fixture(scope="session")
def running_windfall() -> Iterator[MakeRun]:
    """
    The whole product, as `make run` starts it from a copy of this tree.

    `running_windfall.base_url` and `.api_key` are what a client needs. It is started once
    for each worker, so a test that uses it carries `@pytest.mark.xdist_group("make_run")`.
    """
    with public_folder() as path:
        windfall = MakeRun(path)
        windfall.start()
        yield windfall
        windfall.stop()
