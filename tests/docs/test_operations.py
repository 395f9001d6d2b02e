"""docs/operations.md and deploy/: every setting, figure and alert is there, as the code has it."""

import ast
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from core.checks import RETENTION_SETTINGS
from core.metrics import collect_figures
from tests.embedded.standin import ROOT

PAGE = (ROOT / "docs/operations.md").read_text()
ALERTS = ROOT / "deploy/alerts.yml"
#: Read by something else than env.…(), or by somebody else.
ELSEWHERE = {"DJANGO_SETTINGS_MODULE", "DATA_DIR"}
_FIGURE = re.compile(r"\bwindfall_\w+")
_FUNCTIONS = re.compile(
    r"\b(?!by\b|without\b|or\b|and\b)([a-z_]+)\s*(?:by\s*\([^)]*\)|without\s*\([^)]*\))?\s*\("
)


def chapter(heading: str) -> str:
    [found] = [
        text
        for text in re.split(r"^## ", PAGE, flags=re.MULTILINE)
        if text.startswith(f"{heading}\n")
    ]
    return found


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of the tables in a text, without their headings."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def calls() -> list[tuple[str, str, ast.expr | None]]:
    """Return module, variable and default of each environment variable that settings read."""
    found = []
    for path in sorted((ROOT / "config/settings").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and ast.unparse(node.func.value) == "env"
            ):
                [name] = [each.value for each in node.args if isinstance(each, ast.Constant)]
                default = next(
                    (each.value for each in node.keywords if each.arg == "default"), None
                )
                found.append((path.stem, str(name), default))
    return found


def shown(default: Any) -> str:
    """Return a default as the table shows it."""
    if default in ("", []):
        return "empty"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


# Settings


def test_every_setting_is_in_the_table_and_nothing_else() -> None:
    told = [cells[0].strip("`") for cells in rows_of(chapter("Settings"))]

    assert sorted(told) == sorted({name for _module, name, _default in calls()} | ELSEWHERE)


def test_every_default_is_the_one_that_the_table_tells() -> None:
    told = {cells[0].strip("`"): cells[1] for cells in rows_of(chapter("Settings"))}
    wrong = []
    for module, name, default in calls():
        if module == "local" or not isinstance(default, (ast.Constant, ast.List)):
            continue
        value = shown(ast.literal_eval(default))
        expected = f"in production {value}" if module == "production" else value
        # What production does not default at all is required there, whatever base says.
        if "**required**" not in told[name] and expected not in told[name] and value != told[name]:
            wrong.append((name, value, told[name]))
    assert wrong == []


def test_what_production_requires_is_marked_as_such() -> None:
    required = {
        name for module, name, default in calls() if module == "production" and default is None
    }
    told = {cells[0].strip("`") for cells in rows_of(chapter("Settings")) if "required" in cells[1]}

    assert required
    assert told == required


# Figures and alerts


@pytest.fixture
def figures(db: Any, now: datetime) -> set[str]:
    """Every figure that the product tells."""
    return {metric.name for metric in collect_figures(now=now)}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_page_tells_of_every_figure_and_of_no_other(figures: set[str]) -> None:
    told = {
        name
        for line in chapter("Watching").splitlines()
        if line.startswith("| `")
        for name in _FIGURE.findall(line.split(" | ")[0])
    }

    assert told == figures


def test_rules_name_only_figures_that_there_are(figures: set[str]) -> None:
    named = set(_FIGURE.findall(ALERTS.read_text()))

    assert len(named) > 15
    assert named - figures == set()


def test_the_rules_are_of_the_shape_that_prometheus_reads() -> None:
    document = yaml.safe_load(ALERTS.read_text())

    assert set(document) == {"groups"}
    assert [set(group) for group in document["groups"]] == [{"name", "rules"}]
    for rule in rules():
        assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}, rule
        assert re.fullmatch(r"Windfall[A-Z][A-Za-z]+", rule["alert"])
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s"))
        assert set(rule["annotations"]) == {"summary", "runbook"}
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))


def test_the_expressions_are_balanced_and_call_what_prometheus_knows() -> None:
    for rule in rules():
        expression = rule["expr"]
        assert expression.count("(") == expression.count(")")
        assert set(_FUNCTIONS.findall(expression)) <= {"absent", "max", "min", "sum"}, expression
        assert re.search(r"(==|>|<) ", expression) or expression.startswith("absent("), expression
        summary = rule["annotations"]["summary"]
        assert summary.count("{{") == summary.count("}}")


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    sections = dict(
        re.findall(r"^### (\w+)\n\n(.*?)(?=^###|\Z)", chapter("Runbook"), re.DOTALL | re.MULTILINE)
    )

    assert set(sections) == {rule["alert"] for rule in rules()}
    for name, text in sections.items():
        for part in ("**Means**", "**Look**", "**Do**"):
            assert part in text, f"{name}: {part}"
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_what_is_deleted_by_the_clock_is_told() -> None:
    told = rows_of_kept()

    entries = [name for name in settings.CELERY_BEAT_SCHEDULE if name.startswith("delete-")]
    assert entries
    assert len([row for row in told if row[2].startswith("hourly")]) == len(entries)
    for name in RETENTION_SETTINGS:
        assert any(name in row[1] for row in told), name


def rows_of_kept() -> list[list[str]]:
    lines = chapter("What is kept, and for how long").splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "|" in line][2:]


# Links


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_every_link_leads_to_a_page_and_to_a_heading(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"(https?|mailto):", target):
            continue
        path, _hash, anchor = target.partition("#")
        aim = page if not path else page.parent / path
        if not aim.exists() or (anchor and anchor not in anchors_of(aim)):
            broken.append(target)
    assert broken == []


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", heading).lower()).replace(
            " ", "-"
        )
        for heading in headings
    }


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text()

    assert [
        page.name
        for page in sorted((ROOT / "docs").glob("*.md"))
        if f"docs/{page.name})" not in readme
    ] == []
