"""`core.embedded run`: up, down, and a sentence for everything that keeps it from either."""

import os
import signal
import socket
import stat
from pathlib import Path

import pytest

from tests.embedded.processes import processes_of, wait_until_nobody_knows
from tests.embedded.standin import MANAGE, STOP_TIMEOUT_S, StandIn

READY = "Ctrl-C stops everything."
CRASH = "import sys; print('the last words'); sys.exit(7)\n"
LET_BEAT_LIVE = "import sys, time\nif 'beat' in sys.argv: time.sleep(600)\n"
STAND_IN_FOR_MAKE = """\
import subprocess, sys
subprocess.run([sys.executable, "-m", "core.embedded", "--end-with-parent", "run"])
"""


def test_says_where_everything_is(standin: StandIn) -> None:
    launcher = standin.launch_and_wait_for(READY)
    launcher.terminate()
    launcher.wait(timeout=STOP_TIMEOUT_S)

    assert standin.output == (
        "Windfall\n"
        "  Starting PostgreSQL\n"
        "  Starting Valkey\n"
        "  Collecting the static files\n"
        "  Migrating the database\n"
        "  Starting sandbox and web\n"
        "  Loading the demo world\n"
        "  Connecting the sandbox\n"
        "  Starting worker and beat\n"
        "\n"
        "Windfall is ready.\n"
        "\n"
        f"  Site         http://127.0.0.1:{standin.port}/\n"
        f"  Back office  http://127.0.0.1:{standin.port}/admin/\n"
        f"  API          http://127.0.0.1:{standin.port}/docs/   "
        f"http://127.0.0.1:{standin.port}/redoc/\n"
        f"  Sandbox      {standin.sandbox_url}/sandbox/   a casino platform to play with\n"
        f"  Metrics      http://127.0.0.1:{standin.port}/metrics   for Prometheus\n"
        "\n"
        "  Login        demo\n"
        "  Password     let-me-in\n"
        "  API key      wf_demo\n"
        "\n"
        "  Logs         data/logs\n"
        "\n"
        "Ctrl-C stops everything.\n"
        "\n"
        "Stopping ...\n"
        "Everything is stopped.\n"
    )
    assert stat.S_IMODE((standin.data_dir / "demo.json").stat().st_mode) == 0o600


def test_every_process_knows_where_the_sandbox_is_and_that_it_may_be_called(
    standin: StandIn,
) -> None:
    launcher = standin.launch_and_wait_for(READY, ADAPTER_ALLOWED_HOSTS="platform.example:8443")
    launcher.terminate()
    launcher.wait(timeout=STOP_TIMEOUT_S)

    url = standin.sandbox_url
    hosts = f"platform.example:8443,{url.removeprefix('http://')}"
    servers = (standin.data_dir / "servers.env").read_text().splitlines()
    assert f"SANDBOX_URL={url}" in servers
    assert f"ADAPTER_ALLOWED_HOSTS={hosts}" in servers
    for name in ("migrate", "load_demo", "sandbox"):
        log = (standin.data_dir / "logs" / f"{name}.log").read_text().splitlines()
        assert f"ADAPTER_ALLOWED_HOSTS {hosts}" in log
        assert f"SANDBOX_URL {url}" in log
    said = (standin.data_dir / "logs" / "sandbox.log").read_text()
    assert f"--windfall-url=http://127.0.0.1:{standin.port} " in said
    assert f"--state={standin.data_dir}/sandbox.jsonl" in said


def test_the_sandbox_is_connected_once_for_an_address(standin: StandIn) -> None:
    connected = []
    for _ in range(2):
        launcher = standin.launch_and_wait_for(READY)
        launcher.terminate()
        launcher.wait(timeout=STOP_TIMEOUT_S)
        connected.append("Connecting the sandbox" in standin.output)

    said = (standin.data_dir / "logs" / "connect_sandbox.log").read_text()
    assert f"connect_sandbox --url {standin.sandbox_url}\n" in said
    assert connected == [True, False]


def test_the_sandbox_keeps_its_port_over_restarts(standin: StandIn) -> None:
    urls = []
    for _ in range(2):
        launcher = standin.launch_and_wait_for(READY)
        launcher.terminate()
        launcher.wait(timeout=STOP_TIMEOUT_S)
        urls.append(standin.sandbox_url)

    assert urls[0] == urls[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_whole_group_stops_everything(
    standin: StandIn, public_path: Path, number: signal.Signals
) -> None:
    launcher = standin.launch_and_wait_for(READY)

    # As a terminal does it; make passes SIGTERM on besides, so it may come twice.
    os.killpg(launcher.pid, number)
    os.killpg(launcher.pid, number)

    assert launcher.wait(timeout=STOP_TIMEOUT_S) == 0
    assert processes_of(public_path) == []


def test_a_signal_while_it_starts_stops_everything(standin: StandIn, public_path: Path) -> None:
    standin.write("manage.py", f"{MANAGE}\nimport time; time.sleep(600 * ('migrate' in sys.argv))")
    launcher = standin.launch_and_wait_for("Migrating")

    launcher.terminate()

    assert launcher.wait(timeout=STOP_TIMEOUT_S) == 0
    assert processes_of(public_path) == []


@pytest.mark.parametrize(
    ("name", "script", "text"),
    [
        ("web", "granian.py", CRASH),
        ("worker", "celery.py", f"{LET_BEAT_LIVE}{CRASH}"),
        ("sandbox", "adapters/sandbox/__main__.py", CRASH),
    ],
    ids=["web", "worker", "sandbox"],
)
def test_a_crashed_child_is_named_with_its_last_words(
    standin: StandIn, public_path: Path, name: str, script: str, text: str
) -> None:
    standin.write(script, text)

    status = standin.run()

    assert status == 1
    assert "  | the last words\n" in standin.output
    assert f"\n{name} ended with exit status 7, so the rest is being stopped." in standin.output
    assert processes_of(public_path) == []


def test_a_failed_migration_shows_its_output(standin: StandIn, public_path: Path) -> None:
    standin.write("manage.py", f"{MANAGE}\nsys.exit('migrate' in sys.argv and 'no such column')")

    status = standin.run()

    assert status == 1
    assert "  | no such column\n" in standin.output
    assert "\nmigrate ended with exit status 1." in standin.output
    assert processes_of(public_path) == []


def test_the_second_start_prepares_only_what_changed(standin: StandIn, public_path: Path) -> None:
    for _ in range(2):
        launcher = standin.launch_and_wait_for(READY)
        launcher.terminate()
        launcher.wait(timeout=STOP_TIMEOUT_S)

    assert "Collecting" not in standin.output


def test_starts_again_right_after_everything_was_killed(
    standin: StandIn, public_path: Path
) -> None:
    launcher = standin.launch_and_wait_for(READY)
    launcher.kill()
    launcher.wait()

    launcher = standin.launch_and_wait_for(READY)
    launcher.terminate()

    assert launcher.wait(timeout=STOP_TIMEOUT_S) == 0


def test_nothing_outlives_a_killed_make(standin: StandIn, public_path: Path) -> None:
    standin.write("make.py", STAND_IN_FOR_MAKE)
    make = standin.launch_and_wait_for(READY, module="make")

    make.kill()
    make.wait()

    assert wait_until_nobody_knows(public_path, seconds=STOP_TIMEOUT_S) == []


def test_a_second_launcher_leaves_the_first_alone(standin: StandIn) -> None:
    first = standin.launch_and_wait_for(READY)
    printed = standin.output

    status = standin.run(PORT="1")

    assert status == 1
    assert standin.output == (
        f"\nWindfall already runs on {standin.data_dir} (process {first.pid}): stop it with "
        "Ctrl-C where it runs, or choose another DATA_DIR and PORT.\n"
    )
    assert first.poll() is None, printed
    first.terminate()
    assert first.wait(timeout=STOP_TIMEOUT_S) == 0


def test_a_taken_port_is_refused_before_anything_starts(standin: StandIn) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        status = standin.run(PORT=str(port))

    assert status == 1
    assert standin.output == (
        f"\n127.0.0.1:{port} is not free to listen on (Address already in use): stop what listens "
        f"there, or choose another PORT, for example PORT={port + 1} make run.\n"
    )


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "postgresql://me:secret@127.0.0.1:1/windfall",
            "The database of DATABASE_URL (windfall on 127.0.0.1:1) does not answer: start it, ",
        ),
        ("sqlite:///windfall.db", "DATABASE_URL must begin with postgresql://, because "),
        ("postgresql://127.0.0.1:port/windfall", "DATABASE_URL is not a URL ("),
    ],
)
def test_a_given_database_that_does_not_answer_is_refused(
    standin: StandIn, url: str, sentence: str
) -> None:
    status = standin.run(DATABASE_URL=url)

    assert status == 1
    assert f"\n{sentence}" in standin.output
    assert "secret" not in standin.output


@pytest.mark.parametrize(
    ("name", "url"),
    [("BROKER_URL", "amqp://127.0.0.1:1/windfall"), ("CACHE_URL", "redis://127.0.0.1:1/0")],
)
def test_a_given_broker_or_cache_that_does_not_answer_is_refused(
    standin: StandIn, name: str, url: str
) -> None:
    status = standin.run(**{name: url})

    assert status == 1
    assert standin.output == (
        "Windfall\n"
        f"\nThe server of {name} (127.0.0.1:1) does not answer (Connection refused): start it, "
        "correct the URL, or unset it to use the embedded one.\n"
    )


def test_a_folder_that_cannot_be_written_is_refused(standin: StandIn) -> None:
    path = standin.folder / "manage.py" / "data"

    status = standin.run(DATA_DIR=str(path))

    assert status == 1
    assert standin.output.startswith(f"\n{path} cannot be written (Not a directory): make it ")
