"""A promo is cancelled with an amount of somebody's choice, and exactly that is taken."""

import pytest
from playwright.sync_api import expect

from tests.browser.people import CRM
from tests.browser.windows import Windows

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("make_run")]

#: WELCOME100 in dollars, half-way through its rollover.
PLAYER = "player-015"


def test_a_claim_is_cancelled_with_a_custom_amount(windows: Windows) -> None:
    window = windows.open(CRM)
    page = window.page
    window.visit(f"/admin/promos/userpromo/?q={PLAYER}")
    window.follow(window.link("WELCOME100"))
    window.follow(window.command("Cancel claim"))

    page.get_by_role("radio", name="Another amount").check()
    page.get_by_label("Amount", exact=True).fill("12.34")
    window.give_reason("Asked to, and half of it was played")
    window.check()
    window.follow(window.button("Cancel claim"))

    window.reads("The claim was cancelled. 12.34 USD was taken.")
    expect(page.locator("#main").get_by_text("12.34 USD").nth(1)).to_be_visible()
    expect(window.command("Cancel claim")).to_have_count(0)
    window.check()


def test_an_amount_above_the_balance_is_refused_beside_its_field(windows: Windows) -> None:
    window = windows.open(CRM)
    page = window.page
    window.visit("/admin/promos/userpromo/?q=player-031")
    window.follow(window.link("VIP250"))
    window.follow(window.command("Cancel claim"))

    page.get_by_role("radio", name="Another amount").check()
    page.get_by_label("Amount", exact=True).fill("99999999")
    window.give_reason("More than there is")
    with window.watch.expecting(409, 422):
        window.follow(window.button("Cancel claim"))

    window.reads("Nothing was changed.")
    assert page.get_by_label("Amount", exact=True).input_value() == "99999999"
    window.check()
