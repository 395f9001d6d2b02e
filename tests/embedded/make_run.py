"""`make run` in a copy of the tree: from a fresh folder to answers over HTTP, and back."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from core.embedded.folder import find_free_port
from tests.embedded.processes import processes_of
from tests.embedded.standin import ROOT, clean_environment

# The first start collects and compresses the static files, on whatever machine this is.
FIRST_START_TIMEOUT_S = 600
STOP_TIMEOUT_S = 30
READY = "Ctrl-C stops everything."
# What a clone would not have; the tests must also pass where there is no git to ask.
NOT_SOURCE = (
    ".git",
    ".venv",
    "venv",
    ".data",
    "staticfiles",
    "__pycache__",
    ".*_cache",
    ".hypothesis",
)


class MakeRun:
    """One copy of the tree, with a data folder and a port that stay the same over restarts."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        self.data_dir = folder / "data"
        self.port = find_free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        #: Where a test may listen for what is sent to operators.
        self.receiver_port = find_free_port()
        self._output_path = folder / "output"
        self._make: subprocess.Popen[bytes] | None = None
        shutil.copytree(ROOT, self.tree, ignore=shutil.ignore_patterns(*NOT_SOURCE))

    @property
    def api_key(self) -> str:
        """The demo operator's key, with every scope."""
        return str(self._credentials()["api_key"])

    @property
    def sandbox_url(self) -> str:
        """Where its sandbox platform listens."""
        return f"http://127.0.0.1:{(self.data_dir / 'sandbox.port').read_text().strip()}"

    @property
    def output(self) -> str:
        """What `make run` has printed since its last start."""
        return self._output_path.read_text()

    @property
    def processes(self) -> list[str]:
        """The command lines of everything that runs for this copy."""
        return processes_of(self.tree.parent)

    def start(self) -> float:
        """Start it and return how many seconds it took to say that it is ready."""
        began = time.monotonic()
        with self._output_path.open("wb") as output:
            # The environment this test runs in has all it needs; a second one would have to
            # be downloaded. A session of its own, as a terminal would give it.
            self._make = subprocess.Popen(
                ["make", "run", f"VENV={sys.prefix}"],
                cwd=self.tree,
                env=clean_environment(
                    PORT=str(self.port),
                    DATA_DIR=str(self.data_dir),
                    ADAPTER_ALLOWED_HOSTS=f"127.0.0.1:{self.receiver_port}",
                ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            while READY not in self.output:
                assert self._make.poll() is None, self.output
                assert time.monotonic() - began < FIRST_START_TIMEOUT_S, self.output
                time.sleep(0.05)
        except AssertionError:
            if self._make.poll() is None:
                self.stop()
            raise
        return time.monotonic() - began

    def stop(self) -> tuple[int, float]:
        """Send SIGTERM to the launcher; return make's exit status and the seconds it took."""
        assert self._make is not None, "it was started"
        launcher = int((self.data_dir / "run.pid").read_text())
        began = time.monotonic()
        os.kill(launcher, signal.SIGTERM)
        status = self._make.wait(timeout=STOP_TIMEOUT_S)
        return status, time.monotonic() - began

    def _credentials(self) -> dict[str, str]:
        credentials: dict[str, str] = json.loads((self.data_dir / "demo.json").read_text())
        return credentials
