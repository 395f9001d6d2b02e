"""Four eyes: whoever asked for it is refused, and a second person decides, once."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.people import FIRST, SECOND
from tests.browser.windows import Window, Windows

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("make_run")]

INSTANCES = "/admin/jackpots/instance/"


def open_instance(window: Window, name: str) -> None:
    window.visit(f"{INSTANCES}?q={name}")
    window.follow(window.link(name, exact=True))


def drop_anniversary(window: Window, *, player: str) -> None:
    """Drop a pot that is worth more than anybody may pay out alone."""
    open_instance(window, "Anniversary Drop")
    window.follow(window.command("Drop a pot"))
    window.page.get_by_label("Player id").fill(player)
    window.give_reason("A present")
    window.follow(window.button("Drop a pot"))
    window.reads(f"main dropped: {player} has won")


def open_newest_win(window: Window, *, player: str) -> None:
    window.visit(f"/admin/jackpots/win/?q={player}")
    window.follow(window.page.locator("#result_list th a, #result_list .field-found a").first)


def test_a_win_is_approved_by_the_second_person_and_not_by_the_first(windows: Windows) -> None:
    first, second = windows.open(FIRST), windows.open(SECOND)
    drop_anniversary(first, player="player-004")

    open_newest_win(first, player="player-004")
    first.follow(first.command("Approve"))
    first.reads("You asked for this win yourself, so somebody else has to decide upon it.")
    expect(first.button("Approve")).to_have_count(0)

    open_newest_win(second, player="player-004")
    second.follow(second.command("Approve"))
    second.reads("player-004 has won the pot main of Anniversary Drop")
    second.give_reason("Looked at the rules, and at the player")
    second.follow(second.button("Approve"))
    second.reads("The win of player-004 was approved, and is paid within seconds.")
    await_payment(second)

    first.page.reload()
    first.settle()
    first.reads("The win does not wait for approval: it is paid.")
    first.check()
    second.check()


def await_payment(window: Window) -> None:
    """Load the page of a win again until the worker has paid it."""

    def is_paid() -> bool:
        window.page.reload()
        window.settle()
        return window.page.locator("#main .wf-badge", has_text=re.compile("^Paid$")).count() > 0

    for _second in range(20):
        if is_paid():
            return
        window.page.wait_for_timeout(1_000)
    raise AssertionError("the win was not paid")


def test_a_boost_is_asked_for_by_one_and_applied_by_another(windows: Windows) -> None:
    first, second = windows.open(FIRST), windows.open(SECOND)
    open_instance(first, "Lucky Star Progressive")
    first.follow(first.link("Request a boost"))
    first.page.get_by_label("Pot").select_option(label="Mini")
    first.page.get_by_label("Amount").fill("77.70")
    first.give_reason("For the evening")
    first.follow(first.button("Request a boost"))
    first.reads("A boost of Mini by 77.70 USD was requested. A second person decides.")

    first.follow(first.command("Apply"))
    first.reads("You asked for this boost yourself, so somebody else has to apply it.")
    expect(first.button("Apply")).to_have_count(0)

    second.visit("/admin/")
    second.follow(second.page.locator("#nav-sidebar").get_by_role("link", name="Approvals"))
    row = second.page.locator("#content-main tr", has_text="77.70 USD")
    second.follow(row.get_by_role("link", name="Apply"))
    second.give_reason("Agreed")
    second.follow(second.button("Apply"))
    second.reads("77.70 USD was put into Mini")
    first.check()
    second.check()
