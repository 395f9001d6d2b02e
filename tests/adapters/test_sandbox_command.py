"""`manage.py sandbox_platform`: starts where it is told, says so, remembers, and ends quietly."""

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.adapters.sandbox import ROOT, Sandbox, grant_body, start_sandbox

MANAGE = ("manage.py", "sandbox_platform")
WITHOUT_DJANGO = ("-m", "adapters.sandbox")


def run(*arguments: str, program: tuple[str, ...] = MANAGE) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def test_its_help_names_every_option_and_says_that_it_is_for_demos() -> None:
    said = run("--help").stdout

    for option in (
        "--host",
        "--port",
        "--secret",
        "--windfall-url",
        "--adapter-slug",
        "--autoplay",
        "--state",
    ):
        assert option in said
    assert "for demos and tests" in said


def test_a_port_that_is_taken_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        ended = run("--port", str(port))
        other = run("--port", str(port), program=WITHOUT_DJANGO)

    sentence = f"127.0.0.1:{port} is not free to listen on (Address already in use).\n"
    assert (ended.returncode, ended.stderr) == (1, f"CommandError: {sentence}")
    assert (other.returncode, other.stderr) == (1, sentence)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--secret", "hunter2"), "A secret begins with whsec_."),
        (("--secret", "whsec_c2hvcnQ="), "A secret has 24 to 64 bytes, before base64."),
        (("--autoplay", "-1"), "'-1' is not a number of seconds from 0 to 3600"),
        (("--port", "65536"), "invalid choice: 65536"),
    ],
)
def test_an_option_that_is_wrong_is_refused(arguments: tuple[str, ...], sentence: str) -> None:
    ended = run(*arguments)

    assert ended.returncode == 2
    assert sentence in ended.stderr


@pytest.mark.parametrize("program", [MANAGE, WITHOUT_DJANGO], ids=["manage.py", "without Django"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_quietly(
    number: signal.Signals, program: tuple[str, ...]
) -> None:
    process = subprocess.Popen(
        [sys.executable, *program, "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(2)]
        url = said[0].split()[-1]
        Sandbox(url).overview()

        process.send_signal(number)

        rest = process.stdout.read().strip()
    assert (process.returncode, rest) == (0, "")
    assert said == [
        f"The sandbox platform listens on {url}\n",
        f"Its control calls, for demos and tests: {url}/sandbox/\n",
    ]


def test_with_a_file_it_remembers_its_bonuses(tmp_path: Path) -> None:
    kept_in = tmp_path / "sandbox.jsonl"
    with start_sandbox("--state", str(kept_in), "--windfall-url", "http://127.0.0.1:1") as sandbox:
        sandbox.misbehave("drop_webhooks")
        granted, ended = sandbox.grant(), sandbox.grant()
        sandbox.credit(granted["grant_id"])
        sandbox.wager(granted["grant_id"], 700, 70)
        sandbox.forfeit(ended["grant_id"])
        before = sandbox.bonuses()
    # What a kill in the middle of a line leaves.
    with kept_in.open("a") as file:
        file.write('{"platform_bonus_id": "sbx_ha')

    with start_sandbox("--state", str(kept_in)) as sandbox:
        after = sandbox.bonuses()
        sandbox.misbehave("drop_webhooks")
        sandbox.complete(granted["grant_id"])
    with start_sandbox("--state", str(kept_in)) as sandbox:
        last = sandbox.bonuses()
        sandbox.reset()

    assert after == before
    assert [bonus["status"] for bonus in after] == ["active", "forfeited"]
    assert [bonus["status"] for bonus in last] == ["completed", "forfeited"]
    assert not kept_in.exists()


def test_the_same_grant_sixteen_times_at_once_is_one_bonus(sandbox_process: Sandbox) -> None:
    body = grant_body()

    with ThreadPoolExecutor(16) as pool:
        calls = [
            pool.submit(sandbox_process.call, "POST", "/v1/bonuses/grant", body) for _ in range(16)
        ]
    answers = [call.result() for call in calls]

    assert sorted(status for status, _answer in answers) == [201] + [409] * 15
    assert len({answer["platform_bonus_id"] for _status, answer in answers}) == 1
