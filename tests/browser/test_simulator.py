"""What terms are likely to cost is asked before anybody is given them, from the template's page."""

import pytest
from playwright.sync_api import expect

from tests.browser.people import CRM
from tests.browser.windows import Windows

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("make_run")]


def test_the_terms_of_a_template_are_simulated(windows: Windows) -> None:
    window = windows.open(CRM)
    window.visit("/admin/bonuses/bonustemplate/")
    window.follow(window.link("Welcome match").first)
    window.follow(window.link("Simulate"))
    window.check_accessibility()

    window.follow(window.button("Simulate"))

    expect(window.page.get_by_role("heading", name="What players have at the end")).to_be_visible()
    expect(window.page.get_by_role("heading", name="How it ends")).to_be_visible()
    window.check_accessibility()
    window.check()
