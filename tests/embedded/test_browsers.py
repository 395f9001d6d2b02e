"""`make test` drives a browser where there is one, and says plainly when there is none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.embedded import checks
from core.embedded.browsers import NOT_FOUND, find_browser, is_browser_required
from core.embedded.errors import CannotRun

Program = Callable[[str], Path]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Return a function that makes a program in a folder of its own."""

    def make(name: str) -> Path:
        path = tmp_path / name
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def check_in_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that makes the check in an environment; it returns status and commands."""

    def run(**environment: str) -> tuple[int, list[tuple[str, ...]]]:
        commands: list[tuple[str, ...]] = []

        def note(*argv: str) -> int:
            commands.append(argv)
            return 7

        monkeypatch.setattr(checks, "_run", note)
        for name in ("BROWSER_PATH", "REQUIRE_BROWSER"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {"PATH": str(tmp_path), **environment}.items():
            monkeypatch.setenv(name, value)
        return checks.run_checks(["browser"]), commands

    return run


@pytest.mark.parametrize(
    "name", ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
)
def test_a_browser_is_found_by_its_name(program: Program, tmp_path: Path, name: str) -> None:
    path = program(name)

    assert find_browser({"PATH": str(tmp_path)}) == path


def test_the_named_browser_wins_over_one_that_is_installed(
    program: Program, tmp_path: Path
) -> None:
    program("chromium")
    named = program("another")

    assert find_browser({"PATH": str(tmp_path), "BROWSER_PATH": str(named)}) == named


def test_a_named_browser_that_cannot_be_started_is_refused(
    program: Program, tmp_path: Path
) -> None:
    program("chromium")
    plain = tmp_path / "plain"
    plain.write_text("")

    for named in (plain, tmp_path / "absent", tmp_path):
        with pytest.raises(CannotRun) as refusal:
            find_browser({"PATH": str(tmp_path), "BROWSER_PATH": str(named)})
        assert str(refusal.value).startswith(f"BROWSER_PATH is {named}, and nothing there can be")


@pytest.mark.parametrize(
    ("value", "is_required"), [("", False), ("0", False), ("1", True), ("yes", True)]
)
def test_a_browser_is_required_where_somebody_says_so(value: str, is_required: bool) -> None:
    assert is_browser_required({"REQUIRE_BROWSER": value}) is is_required
    assert is_browser_required({}) is False


def test_without_a_browser_the_check_says_so_and_goes_on(
    check_in_browser: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_in_browser() == (0, [])

    said = capsys.readouterr().out
    assert NOT_FOUND in said
    assert "did NOT run" in said
    assert "apt-get install chromium" in said


def test_without_a_browser_that_is_required_the_check_fails(
    check_in_browser: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_in_browser(REQUIRE_BROWSER="1") == (1, [])
    assert NOT_FOUND in capsys.readouterr().out


def test_a_named_browser_that_is_not_there_fails_the_check(
    check_in_browser: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_in_browser(BROWSER_PATH="/absent") == (1, [])
    assert "BROWSER_PATH is /absent" in capsys.readouterr().out


def test_with_a_browser_the_tests_run_and_decide(check_in_browser: Any, program: Program) -> None:
    program("chromium")

    status, [command] = check_in_browser(REQUIRE_BROWSER="1")

    assert status == 7
    assert command[-5:] == ("tests/browser", *checks.SHUFFLED, "-m", "browser")


def test_the_check_comes_last() -> None:
    assert checks.CHECKS[-1].name == "browser"
