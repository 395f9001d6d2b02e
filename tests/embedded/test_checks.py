"""`make test` runs its checks in stages, side by side where one does not keep the machine busy."""

from pathlib import Path
from typing import Any

import pytest

from core.embedded import checks
from core.embedded.checks import CHECKS, STAGES, run_checks
from tests import template


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, ...]]:
    """What is run in this process: nothing really, and all of it succeeds. There is no browser."""
    found: list[tuple[str, ...]] = []

    def note(*argv: str) -> int:
        found.append(argv)
        return 0

    monkeypatch.setattr(checks, "_run", note)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("BROWSER_PATH", "REQUIRE_BROWSER", checks.TEMPLATE_VARIABLE):
        # Set first, so that whatever the checks put there is taken away afterwards.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return found


def test_every_check_has_one_place() -> None:
    placed = [name for stage in STAGES for lane in stage for name in lane]

    assert sorted(placed) == sorted(check.name for check in CHECKS)


def test_the_other_lane_is_shown_after_the_first(
    commands: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_checks(["browser", "end-to-end"]) == 0

    [command] = commands
    assert command[-2:] == ("-m", "xdist_group and not browser")
    shown = capsys.readouterr().out
    assert shown.startswith("==> end-to-end\n==> browser\n")
    assert "did NOT run" in shown


def test_the_other_lane_can_fail_the_stage(
    commands: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REQUIRE_BROWSER", "1")

    assert run_checks(["browser", "end-to-end"]) == 1

    assert capsys.readouterr().out.endswith("browser failed.\n")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, commands: list[tuple[str, ...]]) -> None:
    """All that is run in this process fails."""

    def fail(*argv: str) -> int:
        commands.append(argv)
        return 3

    monkeypatch.setattr(checks, "_run", fail)


@pytest.mark.usefixtures("failing")
def test_the_first_failure_ends_its_lane_and_what_follows(commands: list[tuple[str, ...]]) -> None:
    assert run_checks(["pytest", "ruff", "format"]) == 3
    assert len(commands) == 1


@pytest.mark.usefixtures("failing")
def test_the_other_lane_is_heard_when_the_first_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_checks(["browser", "end-to-end"]) == 3

    shown = capsys.readouterr().out
    assert shown.startswith("==> end-to-end\n\nend-to-end failed.\n==> browser\n")


def test_the_template_is_made_for_tests_and_before_them(commands: list[tuple[str, ...]]) -> None:
    assert run_checks(["ruff", "template"]) == 0
    assert len(commands) == 1

    assert run_checks(["pytest", "template"]) == 0
    assert [argv[2] for argv in commands[1:]] == ["tests.template", "pytest"]


def test_the_processes_of_tests_copy_the_template(
    commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setitem(template.connection.settings_dict, "TEST", told)

    template.copy_template()
    assert told == {"TEMPLATE": None}
    run_checks(["pytest", "template"])
    template.copy_template()

    assert told == {"TEMPLATE": checks.TEMPLATE}
    assert template.VARIABLE == checks.TEMPLATE_VARIABLE
