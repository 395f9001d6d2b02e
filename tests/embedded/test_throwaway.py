"""`core.embedded test`: servers for one command, and nothing of them afterwards."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.embedded.processes import processes_of, wait_until_nobody_knows
from tests.embedded.standin import STOP_TIMEOUT_S, StandIn

PROVE = """\
import os, pathlib, psycopg, redis, sys
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("SELECT 1")
for name in ("BROKER_URL", "CACHE_URL"):
    redis.Redis.from_url(os.environ[name]).ping()
print("folder", os.environ["DATA_DIR"])
print("settings", os.environ["DJANGO_SETTINGS_MODULE"])
sys.exit(5)
"""


@pytest.fixture
def temporary(public_path: Path) -> Path:
    """The folder for temporary files: empty before, and empty afterwards."""
    path = public_path / "tmp"
    path.mkdir()
    path.chmod(0o711)
    return path


def test_the_command_has_servers_and_its_exit_status_counts(
    standin: StandIn, temporary: Path, public_path: Path
) -> None:
    status = standin.run("test", "--", sys.executable, "-c", PROVE, TMPDIR=str(temporary))

    assert status == 5, standin.output
    assert f"folder {temporary}/windfall-test-" in standin.output
    assert "settings config.settings.test\n" in standin.output
    assert list(temporary.iterdir()) == []
    assert processes_of(public_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_and_removes_everything(
    standin: StandIn, temporary: Path, public_path: Path, number: signal.Signals
) -> None:
    script = public_path / "script.py"
    script.write_text("import pathlib, time; pathlib.Path('runs').touch(); time.sleep(600)")
    launcher = standin.launch("test", "--", sys.executable, str(script), TMPDIR=str(temporary))
    while not (standin.folder / "runs").exists():
        assert launcher.poll() is None, standin.output

    os.killpg(launcher.pid, number)

    assert launcher.wait(timeout=STOP_TIMEOUT_S) == 128 + number
    assert list(temporary.iterdir()) == []
    assert wait_until_nobody_knows(public_path, seconds=2) == []


def test_given_servers_replace_the_embedded_ones(standin: StandIn) -> None:
    show = "import os; print(os.environ['BROKER_URL'], os.environ['CACHE_URL'])"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"

        status = standin.run(
            *("test", "--", sys.executable, "-c", show),
            BROKER_URL=f"amqp://{address}",
            CACHE_URL=f"redis://{address}/3",
        )

    assert status == 0
    assert standin.output == (f"  Starting PostgreSQL\namqp://{address} redis://{address}/3\n")


def test_a_command_that_does_not_exist_is_named(standin: StandIn, temporary: Path) -> None:
    status = standin.run("test", "--", "no-such-program", TMPDIR=str(temporary))

    assert status == 1
    assert standin.output.endswith(
        "\nno-such-program cannot be started: No such file or directory.\n"
    )
    assert list(temporary.iterdir()) == []
