"""The README: its commands, run word for word, give the answers that it prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.tour import (
    Block,
    Step,
    blocks_of,
    differences,
    line_differences,
    steps_of,
    without_figures,
)
from tests.embedded.make_run import MakeRun
from tests.embedded.standin import ROOT, clean_environment

README = ROOT / "README.md"
TOUR = "The five-minute tour"
MARK = "--- the next block of the README"
#: What only a first start prints.
ONCE = ("Making ", "Installing ", "  Collecting ", "  Connecting ")

_LUCK = re.compile(
    r"failed: (INSUFFICIENT_FUNDS|OPT_IN_REQUIRED|PLAYER_BLOCKED|PLAYER_SELF_EXCLUDED) [ \d]+"
    r"|.+, .+ was won meanwhile, so its meter proves nothing\."
)

in_one_group = pytest.mark.xdist_group("make_run")


def without_luck(played: str) -> str:
    """
    Return what `play` printed without what differs from one living world to the next.

    Those are the figures, which of the refusals that players may meet there were any of, and
    the pots that were won meanwhile.
    """
    lines = [line for line in played.splitlines() if not _LUCK.fullmatch(line.rstrip())]
    return without_figures("\n".join(lines))


def run_steps(windfall: MakeRun, steps: list[Step], **variables: str) -> list[str]:
    """Run the commands in one shell, as somebody who pastes them does; return each output."""
    virtual_environment = windfall.tree / ".venv"
    if not virtual_environment.exists():
        virtual_environment.symlink_to(sys.prefix)
    script = "\n".join(f"echo '{MARK}'\n{step.commands}" for step in steps)
    finished = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=windfall.tree,
        check=False,
        env=clean_environment(
            PORT=str(windfall.port), DATA_DIR=str(windfall.data_dir), **variables
        ),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout.split(f"{MARK}\n")[1:]


@in_one_group
@pytest.mark.parametrize("time", ["the first time", "and again"])
def test_every_answer_of_the_tour_is_the_one_printed(running_windfall: MakeRun, time: str) -> None:
    steps = steps_of(README, heading=TOUR)

    outputs = run_steps(running_windfall, steps)

    wrong = []
    for step, output in zip(steps, outputs, strict=True):
        if step.answer is None:
            assert output == "", step.commands
        elif "manage.py play" in step.commands:
            expected, actual = without_luck(step.answer.text), without_luck(output)
            wrong += [(step.commands, line) for line in line_differences(expected, actual)]
        else:
            wrong += [(step.commands, line) for line in differences(step.answer, output)]
    assert wrong == []


def test_the_tour_shows_the_scenarios_and_their_answers() -> None:
    steps = steps_of(README, heading=TOUR)
    contributions = [step for step in steps if re.search(r"contribut(e |ions\")", step.commands)]

    for jackpot in ("Daily", '"Daily (chain)"', '"Daily (opt-in)"'):
        assert any(jackpot in step.commands for step in contributions), jackpot
    assert [step.commands for step in contributions[1:] if step.answer is None] == []


@in_one_group
def test_make_run_prints_what_the_readme_says(running_windfall: MakeRun) -> None:
    [printed] = [
        block.text
        for block in blocks_of(README, heading="Run it")
        if block.text.startswith("$ make run\n")
    ]
    expected = [line for line in printed.splitlines()[1:] if not line.startswith(ONCE)]

    output = running_windfall.output
    for ours, theirs in (
        (running_windfall.base_url, "http://127.0.0.1:8000"),
        (running_windfall.sandbox_url, "http://127.0.0.1:8001"),
        (str(running_windfall.data_dir), ".data"),
    ):
        output = output.replace(ours, theirs)
    actual = [line for line in output.splitlines() if not line.startswith(ONCE)]
    assert list(line_differences("\n".join(expected), "\n".join(actual))) == []


def test_every_link_of_the_readme_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)", README.read_text())

    assert targets
    assert [
        target
        for target in targets
        if not re.match(r"https?:", target) and not Path(ROOT, target).exists()
    ] == []


ANSWER = Block(
    "json",
    '{"id": "…", "amount": "1.00", "tickets": {"earned": 2, "total": 4}, "error": null}\n'
    '{"value": "511.7", "as_of": "2026-01-01T00:00:00.5Z"}\n',
)
SAME = (
    '{"id": "01a1", "amount": "1.00", "tickets": {"earned": 2, "total": 9}, "error": null}\n'
    '{"value": "600", "as_of": "2027-12-31T23:59:59Z"}\n'
)


def test_control_an_answer_that_differs_in_what_may_is_accepted() -> None:
    assert differences(ANSWER, SAME) == []


@pytest.mark.parametrize(
    ("printed", "answered"),
    [
        ('"1.00"', '"1.01"'),
        ('"1.00"', "1.00"),
        ('"01a1"', '""'),
        ('"01a1"', "7"),
        ('"earned": 2', '"earned": 1'),
        ('"total": 9', '"total": "9"'),
        ('"total": 9', '"total": null'),
        ('"600"', '"many"'),
        ('"2027-12-31T23:59:59Z"', '"2027-12-31"'),
        ('"error": null', '"error": {"code": "OPT_IN_REQUIRED"}'),
        ('"error": null', '"wins": []'),
        (', "error": null', ""),
        ('"error": null', '"error": null, "wins": []'),
        ('{"value"', '{"value": "1", "as_of": "2027-12-31T23:59:59Z"}\n{"value"'),
    ],
)
def test_control_an_answer_that_differs_is_noticed(printed: str, answered: str) -> None:
    assert printed in SAME

    assert len(differences(ANSWER, SAME.replace(printed, answered))) == 1


@pytest.mark.parametrize(
    ("line", "is_same"),
    [
        ("Daily   main  USD  51.20  +0.5", True),
        ("Daily main EUR 51.20 +0.5", False),
        ("Daily main USD 51.20", False),
    ],
)
def test_control_figures_may_differ_and_words_may_not(line: str, is_same: bool) -> None:
    expected, actual = without_figures("Daily  main  USD  500.00  +2.25"), without_figures(line)

    assert (list(line_differences(expected, actual)) == []) is is_same


PLAYED = "accepted  172  84  62\nfailed: OPT_IN_REQUIRED  15  9  0\nExactly."


@pytest.mark.parametrize(
    ("line", "is_same"),
    [
        ("failed: INSUFFICIENT_FUNDS  0  0  1", True),
        ("Daily, main was won meanwhile, so its meter proves nothing.", True),
        ("failed: INTERNAL_ERROR  0  0  1", False),
        ("failed: RESOURCE_BUSY  1  0  0", False),
        ("  Daily, main: 1.00, not 2.00 USD", False),
    ],
)
def test_control_players_may_run_out_of_money_and_the_server_may_not_fail(
    line: str, is_same: bool
) -> None:
    expected, actual = without_luck(PLAYED), without_luck(f"{PLAYED}\n{line}")

    assert (list(line_differences(expected, actual)) == []) is is_same


def test_control_an_elision_stands_for_something() -> None:
    assert list(line_differences("API key  wf_…", "API key  wf_lAF4")) == []
    assert list(line_differences("API key  wf_…", "API key  wf_")) != []


@in_one_group
def test_control_a_tour_that_fails_is_not_passed_over(running_windfall: MakeRun) -> None:
    with pytest.raises(AssertionError, match="no-such-command"):
        run_steps(running_windfall, [Step("no-such-command\n", None)])


def test_bash_and_curl_are_there() -> None:
    for program in ("bash", "curl"):
        assert any(Path(folder, program).exists() for folder in os.get_exec_path()), program
