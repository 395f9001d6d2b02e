"""Every page that the sidebar leads to; with CRAWL=all rows of the lists, and their commands."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from config.settings.unfold import UNFOLD
from tests.browser.people import DEMO
from tests.browser.windows import NARROW, WIDE, Window, Windows

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("make_run")]


def entries() -> Iterator[dict[str, Any]]:
    for group in UNFOLD["SIDEBAR"]["navigation"]:
        yield from group["items"]


ENTRIES = list(entries())
FIRST_ROW = "#result_list tbody a[href*='/change/']"
#: Where pages that are no lists lead on to: the reports, and what waits in the queue.
LEADS_ON = "#content-main .wf-kind, .wf-queue td a"
LEADS_MAX = 8
#: Whose first row is looked at each time. CRAWL=all: of every list, with each row's commands,
#: a quarter of an hour more.
ROWS_OF = {"Instances", "Claims", "Grants", "Players", "Reports"}
CRAWLS_ALL = os.environ.get("CRAWL") == "all"


def look_at(window: Window, path: str) -> None:
    """Open a page and look at it: light and dark, wide and narrow."""
    window.visit(path)
    window.check_accessibility()
    window.check()
    window.make(NARROW)
    window.check()
    window.make(WIDE)


def commands(window: Window) -> list[str]:
    """Return the addresses of the commands that the page of a row offers."""
    found = addresses(window, "#header-inner ul li a")
    # The history of a row is a list of the audit trail.
    return [address for address in found if "/history/" not in address]


def addresses(window: Window, links: str) -> list[str]:
    """Return where links lead to, below the site's root."""
    found: list[str] = window.page.locator(links).evaluate_all(
        "(links) => links.map((link) => link.pathname + link.search)"
    )
    return found


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["title"] for entry in ENTRIES])
def test_every_page_of_the_sidebar_can_be_used_by_everybody(
    windows: Windows, entry: dict[str, Any]
) -> None:
    window = windows.open(DEMO)
    path = str(entry["link"])

    look_at(window, path)
    rows = addresses(window, LEADS_ON)[:LEADS_MAX] or addresses(window, FIRST_ROW)[:1]
    if not CRAWLS_ALL:
        rows = rows[:1] if entry["title"] in ROWS_OF else []
    if CRAWLS_ALL:
        window.make(NARROW)
        window.visit(path)
        window.check()
        window.make(WIDE)
    for row in rows:
        look_at(window, row)
        for command in commands(window) if CRAWLS_ALL else ():
            look_at(window, command)


def test_the_sidebar_shows_a_superuser_every_entry(windows: Windows) -> None:
    window = windows.open(DEMO)
    window.visit("/admin/")

    shown = [
        link.get_attribute("href") for link in window.page.locator("#nav-sidebar-apps a").all()
    ]

    assert shown == [str(entry["link"]) for entry in ENTRIES]
    window.check_accessibility(with_menu=True)
    window.check()


def test_the_sidebar_is_opened_on_a_phone(windows: Windows) -> None:
    window = windows.open(DEMO, width=NARROW)
    window.visit("/admin/")
    expect(window.page.locator("#nav-sidebar")).to_be_hidden()

    window.button("Open the menu").click()
    window.follow(window.page.locator("#nav-sidebar").get_by_role("link", name="Instances"))

    window.reads("Daily")
    window.check()
