"""What a test may not do: be left out, be run again, or be unable to fail."""

import re
from pathlib import Path

from core.embedded.checks import END_TO_END
from tests.architecture.over import over

ROOT = Path(__file__).resolve().parents[2]
FILES = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if path != Path(__file__)]


@over(FILES)
def test_nothing_is_skipped_excused_or_run_again(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"\b(skip|skipif|xfail|flaky|importorskip)\b\s*\(", text)
    assert "CELERY_TASK_ALWAYS_EAGER" not in text


@over(FILES)
def test_every_test_file_says_what_promise_it_holds(path: Path) -> None:
    assert path.read_text().lstrip().startswith('"""')


def test_every_race_has_its_control() -> None:
    races = sorted((ROOT / "tests").rglob("*_race.py"))

    assert races
    assert [path.name for path in races if "def test_control_" not in path.read_text()] == []


def test_what_shares_a_running_product_is_looked_for_where_it_is() -> None:
    folders = {
        str(path.parent.relative_to(ROOT)) for path in FILES if "xdist_group(" in path.read_text()
    }

    assert folders == {*END_TO_END, "tests/browser"}
