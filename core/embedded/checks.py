"""What `make test` checks, in stages; one that fails is the last."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
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
#: The database that tests copy, and the variable that names it for them (tests/template.py).
TEMPLATE = "test_windfall_template"
TEMPLATE_VARIABLE = "TEST_DATABASE_TEMPLATE"
TAKES_TEMPLATE = {"pytest", "end-to-end"}


@dataclass(frozen=True)
class Check:
    """One check: its name, and what returns its exit status."""

    name: str
    run: Callable[[], int]


def run_checks(names: Sequence[str]) -> int:
    """Run the checks called ``names`` in their stages, and return the first status not 0."""
    wanted = set(names)
    if not wanted & TAKES_TEMPLATE:
        wanted.discard("template")
    if "template" in wanted:
        os.environ[TEMPLATE_VARIABLE] = TEMPLATE
    for stage in STAGES:
        lanes = [mine for lane in stage if (mine := [name for name in lane if name in wanted])]
        status = _run_side_by_side(lanes) if lanes else 0
        if status != 0:
            return status
    return 0


def _run_in_order(names: Sequence[str]) -> int:
    for check in CHECKS:
        if check.name not in names:
            continue
        say(f"==> {check.name}")
        status = check.run()
        if status != 0:
            say(f"\n{check.name} failed.")
            return status
    return 0


def _run_side_by_side(lanes: Sequence[Sequence[str]]) -> int:
    """Run the first lane here, and all to their ends; what the others say is shown after it."""
    with ExitStack() as stack:
        others = [stack.enter_context(_in_another_process(names)) for names in lanes[1:]]
        statuses = [_run_in_order(lanes[0]), *(wait() for wait in others)]
    return next((status for status in statuses if status != 0), 0)


@contextmanager
def _in_another_process(names: Sequence[str]) -> Iterator[Callable[[], int]]:
    """Start checks; what is yielded waits for them, shows what they said and returns the status."""
    left_out = [f"--without={check.name}" for check in CHECKS if check.name not in names]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            (sys.executable, "-m", "core.embedded", "--end-with-parent", "check", *left_out),
            cwd=PROJECT,
            stdout=output,
            stderr=subprocess.STDOUT,
            # This process has one thread.
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )

        def wait() -> int:
            status = _as_exit_status(process.wait())
            output.seek(0)
            say(output.read().rstrip())
            return status

        try:
            yield wait
        finally:
            # Never ended by us: tests that are killed leave behind what they have started. A
            # Ctrl-C reaches them as it reached us.
            process.wait()


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
    return _run(sys.executable, "-m", "pytest", "tests/browser", *SHUFFLED, "-m", "browser")


def _run(*argv: str) -> int:
    status = subprocess.run(
        argv,
        cwd=PROJECT,
        check=False,
        # This process has one thread.
        preexec_fn=die_with_parent(signal.SIGTERM),
    ).returncode
    return _as_exit_status(status)


def _as_exit_status(status: int) -> int:
    return status if status >= 0 else SIGNALLED - status


def _command(*argv: str) -> Callable[[], int]:
    return lambda: _run(*argv)


def _module(*argv: str) -> Callable[[], int]:
    return _command(sys.executable, "-m", *argv)


#: Where the tests are that share a running product. Not to look through all the others takes
#: half a minute less.
END_TO_END = (
    "tests/adapters",
    "tests/docs",
    "tests/embedded",
    "tests/end_to_end",
    "tests/faults",
)

#: The tests are shuffled, and examples drawn, each time in the same way: what failed fails again.
#: `make test ARGS=…` shuffles and draws anew.
SHUFFLED = ("--randomly-seed=1", "--hypothesis-seed=1")

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
    # Every process of tests copies it: migrating is what takes longest before a first test.
    Check("template", _module("tests.template")),
    Check("pytest", _module("pytest", "-n", "2", *SHUFFLED, "-m", "not xdist_group")),
    # The tests of one group share the whole running product.
    Check(
        "end-to-end", _module("pytest", *END_TO_END, *SHUFFLED, "-m", "xdist_group and not browser")
    ),
    # A running product of their own: what they do to it, they do as staff.
    Check("browser", _check_in_browser),
)

#: What follows what. The lanes of a stage run side by side: none of them keeps two cores busy.
STAGES = (
    (("ruff", "format", "import-linter", "migrations", "schema", "template"), ("mypy",)),
    (("pytest",),),
    (("end-to-end",), ("browser",)),
)
