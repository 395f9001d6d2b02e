"""Whether people who see little, or use no mouse, can use a page: what axe-core finds."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
#: What the other theme can get wrong: the rest of a page is the same in both.
COLOURS = ["color-contrast", "link-in-text-block"]
#: The same on every page, and half of what there is to look at.
MENU = "#nav-sidebar"


@dataclass(frozen=True)
class Excuse:
    """A rule that is not held in one place, and why."""

    page: str
    rule: str
    element: str
    reason: str


#: Every rule that is excused anywhere.
EXCUSED: tuple[Excuse, ...] = ()


def grave_findings(page: Page, *, only_colours: bool = False, with_menu: bool = True) -> list[str]:
    """Return what is seriously or critically wrong with the page as it is shown now."""
    if not page.evaluate("() => 'axe' in window"):
        # By the debugger, which no policy of the page stops.
        page.evaluate(_axe())
    options: dict[str, Any] = {"resultTypes": ["violations"], "preload": False}
    if only_colours:
        options["runOnly"] = {"type": "rule", "values": COLOURS}
    what = {"exclude": [] if with_menu else [MENU]}
    violations = page.evaluate(
        "async ([what, options]) => (await axe.run(what, options)).violations", [what, options]
    )
    return [
        f"{page.url}: {violation['id']} ({violation['impact']}): {violation['help']}: "
        f"{node['html'][:200]} {_measured(node)}"
        for violation in violations
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
        if not _is_excused(page.url, violation["id"], node["html"])
    ]


def _is_excused(address: str, rule: str, html: str) -> bool:
    return any(
        excuse.page in address and excuse.rule == rule and excuse.element in html
        for excuse in EXCUSED
    )


def _measured(node: dict[str, Any]) -> str:
    """Return what a check of contrast has measured, if it is one."""
    for check in node["any"]:
        data = check.get("data")
        if isinstance(data, dict) and "fgColor" in data:
            return f"[{data['contrastRatio']}: {data['fgColor']} on {data['bgColor']}]"
    return ""


@cache
def _axe() -> str:
    return AXE.read_text()
