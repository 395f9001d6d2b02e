"""What `make test` checks, in order; the first failure ends it."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from core.embedded.application import PROJECT
from core.embedded.browsers import NOT_FOUND, find_browser, is_browser_required
from core.embedded.console import say
from core.embedded.errors import CannotRun
from core.embedded.processes import die_with_parent

SCHEMA = PROJECT / "openapi.yaml"
DIFF_LINES_MAX = 60
SIGNALLED = 128
MANAGE = (sys.executable, "manage.py")


@dataclass(frozen=True)
class Check:
    """One check: its name, and what returns its exit status."""

    name: str
    run: Callable[[], int]


def run_checks(names: Sequence[str]) -> int:
    """Run the checks called ``names`` in their order, and return the first status not 0."""
    for check in CHECKS:
        if check.name not in names:
            continue
        say(f"==> {check.name}")
        status = check.run()
        if status != 0:
            say(f"\n{check.name} failed.")
            return status
    return 0


def write_schema(path: Path = SCHEMA) -> int:
    """Write the API's schema to ``path``, refusing one with warnings; return the exit status."""
    return _run(*MANAGE, "spectacular", "--validate", "--fail-on-warn", "--file", str(path))


def _check_schema() -> int:
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / SCHEMA.name
        status = write_schema(fresh)
        if status != 0:
            return status
        committed = SCHEMA.read_text().splitlines() if SCHEMA.exists() else []
        drift = list(
            unified_diff(
                committed,
                fresh.read_text().splitlines(),
                "openapi.yaml as committed",
                "openapi.yaml of this code",
                lineterm="",
            )
        )
    if not drift:
        return 0
    say("\n".join(drift[:DIFF_LINES_MAX]))
    say("\nThe API and openapi.yaml differ: run `make openapi` and look at what it changes.")
    return 1


def _check_in_browser() -> int:
    try:
        browser = find_browser(os.environ)
    except CannotRun as reason:
        say(reason.message)
        return 1
    if browser is None:
        say(NOT_FOUND)
        return 1 if is_browser_required(os.environ) else 0
    return _run(sys.executable, "-m", "pytest", "-m", "browser")


def _run(*argv: str) -> int:
    status = subprocess.run(
        argv,
        cwd=PROJECT,
        check=False,
        # This process has one thread.
        preexec_fn=die_with_parent(signal.SIGTERM),
    ).returncode
    return status if status >= 0 else SIGNALLED - status


def _command(*argv: str) -> Callable[[], int]:
    return lambda: _run(*argv)


def _module(*argv: str) -> Callable[[], int]:
    return _command(sys.executable, "-m", *argv)


CHECKS = (
    Check("ruff", _module("ruff", "check", ".")),
    Check("format", _module("ruff", "format", "--check", ".")),
    Check("mypy", _module("mypy", ".")),
    Check(
        "import-linter",
        _command(
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
        ),
    ),
    Check("migrations", _command(*MANAGE, "makemigrations", "--check", "--dry-run")),
    Check("schema", _check_schema),
    Check("pytest", _module("pytest", "-n", "2", "-m", "not xdist_group")),
    # The tests of one group share the whole running product, and one of them measures it:
    # they have the machine to themselves.
    Check("end-to-end", _module("pytest", "-m", "xdist_group and not browser")),
    # A running product of their own: what they do to it, they do as staff.
    Check("browser", _check_in_browser),
)
