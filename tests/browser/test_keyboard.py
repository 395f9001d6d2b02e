"""The main paths without a mouse: Tab, Enter, arrow keys, and a focus that is always seen."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.keyboard import tab_to
from tests.browser.people import DEMO
from tests.browser.windows import NARROW, Window, Windows

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("make_run")]


def enter(window: Window, wanted: Locator) -> None:
    """Go to a link or a button by Tab, press Enter, and wait for the page it leads to."""
    tab_to(window.page, wanted)
    with window.page.expect_navigation():
        window.page.keyboard.press("Enter")
    window.settle()


def skip_to_content(window: Window) -> None:
    """Pass the sidebar by the first link of the page."""
    page = window.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")


def test_from_the_sidebar_to_a_command_and_back(windows: Windows) -> None:
    window = windows.open(DEMO)
    page = window.page
    window.visit("/admin/")

    enter(window, page.locator("#nav-sidebar-apps").get_by_role("link", name="Instances"))
    skip_to_content(window)
    enter(window, window.link("Summer Raffle", exact=True))
    # The commands stand above the content, in the head of the page.
    enter(window, window.command("Edit links"))
    skip_to_content(window)
    enter(window, window.link("Go back"))

    expect(page).to_have_url(re.compile(r"/admin/jackpots/instance/[0-9a-f-]+/change/$"))
    window.check()


def test_a_claim_is_cancelled(windows: Windows) -> None:
    window = windows.open(DEMO)
    page = window.page
    window.visit("/admin/promos/userpromo/")

    tab_to(page, page.get_by_role("textbox", name="Search by player id"))
    page.keyboard.type("player-012")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    window.settle()
    skip_to_content(window)
    enter(window, window.link("WELCOME100"))
    enter(window, window.command("Cancel claim"))
    skip_to_content(window)
    tab_to(page, page.get_by_role("radio", name="By the rule"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Nothing: takes")).to_be_checked()
    tab_to(page, page.get_by_label("Reason"))
    page.keyboard.type("Waited for too long")
    enter(window, window.button("Cancel claim"))

    window.reads("The claim was cancelled.")
    window.check()


def test_the_filters_of_a_list_are_opened_and_closed(windows: Windows) -> None:
    window = windows.open(DEMO)
    page = window.page
    window.visit("/admin/jackpots/win/")

    skip_to_content(window)
    tab_to(page, window.button("Filters"))
    page.keyboard.press("Enter")
    expect(window.button("Apply Filters")).to_be_visible()
    expect(page.locator("#changelist-filter:focus-within")).to_be_visible()
    page.keyboard.press("Escape")

    expect(window.button("Apply Filters")).to_be_hidden()
    expect(window.button("Filters")).to_be_focused()
    window.check()


def test_the_face_is_turned_dark_and_stays_so(windows: Windows) -> None:
    window = windows.open(DEMO)
    page = window.page
    window.visit("/admin/")

    tab_to(page, page.get_by_role("button", name="Your account"))
    page.keyboard.press("Enter")
    tab_to(page, window.button("Dark"))
    page.keyboard.press("Enter")
    expect(page.locator("html.dark")).to_have_count(1)
    expect(window.button("Dark")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(window.button("Dark")).to_be_hidden()

    window.visit("/admin/jackpots/instance/")
    expect(page.locator("html.dark")).to_have_count(1)
    window.check()


def test_the_menu_of_a_phone_is_opened_and_closed(windows: Windows) -> None:
    window = windows.open(DEMO, width=NARROW)
    page = window.page
    window.visit("/admin/")

    tab_to(page, window.button("Open the menu"))
    page.keyboard.press("Enter")
    expect(page.locator("#nav-sidebar")).to_be_visible()
    expect(window.button("Close the menu")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#nav-sidebar")).to_be_hidden()
    expect(window.button("Open the menu")).to_be_focused()
    window.check()


def test_pages_are_looked_for_and_opened(windows: Windows) -> None:
    window = windows.open(DEMO)
    page = window.page
    window.visit("/admin/")

    tab_to(page, page.get_by_role("button", name="Search apps and models"))
    page.keyboard.press("Enter")
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.type("boost")
    expect(page.locator("#command-results-list")).to_contain_text("Boosts")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    window.settle()
    expect(page).to_have_url(f"{window.base_url}/admin/jackpots/boost/")
    window.check()
