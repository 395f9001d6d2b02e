"""The links of a jackpot are put in order by dragging, by buttons, and by the keyboard alone."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.keyboard import tab_to
from tests.browser.people import DEMO
from tests.browser.windows import Window, Windows

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("make_run")]

INSTANCES = "/admin/jackpots/instance/"


def lists(window: Window, *names: str) -> None:
    """Wait until the page lists these instances, in this order."""
    expect(window.page.locator("[data-item] .wf-strong")).to_have_text(list(names))


def open_links(window: Window, instance: str) -> None:
    window.visit(INSTANCES)
    window.follow(window.link(instance, exact=True))
    window.follow(window.command("Edit links"))


def middle_of(row: Locator) -> tuple[float, float]:
    box = row.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_link_is_dragged_to_another_place(windows: Windows) -> None:
    window = windows.open(DEMO)
    open_links(window, "Daily")
    lists(window, "Weekly", "Monthly")
    mouse, grips = window.page.mouse, window.page.locator("[data-grip]")
    _x, below = middle_of(window.page.locator("[data-item]").nth(1))

    x, y = middle_of(grips.first)
    mouse.move(x, y)
    mouse.down()
    mouse.move(x, below, steps=5)
    mouse.move(x, below + 30, steps=5)
    mouse.up()
    lists(window, "Monthly", "Weekly")
    window.reads("Weekly is number 2 of 2. Nothing is stored until you save the links.")
    window.give_reason("Monthly first")
    window.follow(window.button("Save links"))

    window.reads("Daily is linked to Monthly and Weekly.")
    open_links(window, "Daily")
    lists(window, "Monthly", "Weekly")
    window.check()


def test_links_are_moved_added_and_removed_by_buttons(windows: Windows) -> None:
    window = windows.open(DEMO)
    open_links(window, "Daily (opt-in)")
    lists(window, "Weekly (opt-in)", "Monthly (opt-in)")

    window.button("Move Monthly (opt-in) up").click()
    lists(window, "Monthly (opt-in)", "Weekly (opt-in)")
    window.page.get_by_label("Add an instance").fill("Rush")
    window.page.get_by_role("option", name="Rush Hour").click()
    lists(window, "Monthly (opt-in)", "Weekly (opt-in)", "Rush Hour")
    window.button("Remove Monthly (opt-in)").click()
    window.give_reason("A new order")
    window.follow(window.button("Save links"))

    window.reads("Daily (opt-in) is linked to Weekly (opt-in) and Rush Hour.")
    window.check()


def test_links_are_edited_by_the_keyboard_alone(windows: Windows) -> None:
    window = windows.open(DEMO)
    open_links(window, "Daily (chain)")
    page, press = window.page, window.page.keyboard.press

    tab_to(page, page.get_by_label("Add an instance"))
    page.keyboard.type("Monthly (ch")
    # What is offered first is everything; then what was typed narrows it.
    expect(page.get_by_role("option")).to_have_count(1)
    press("ArrowDown")
    press("Enter")
    lists(window, "Weekly (chain)", "Monthly (chain)")
    tab_to(page, window.button("Move Monthly (chain) up"), key="Shift+Tab")
    press("Enter")
    lists(window, "Monthly (chain)", "Weekly (chain)")
    tab_to(page, page.get_by_label("Reason"))
    page.keyboard.type("By hand")
    tab_to(page, window.button("Save links"))
    with page.expect_navigation():
        press("Enter")

    window.settle()
    window.reads("Daily (chain) is linked to Monthly (chain) and Weekly (chain).")
    window.check()
