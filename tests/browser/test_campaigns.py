"""A campaign is made, started, and watched until it has finished, on one and the same page."""

import pytest
from playwright.sync_api import expect

from tests.browser.people import AUDIENCE, CRM, SEGMENT
from tests.browser.windows import Windows

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("make_run")]

#: A few seconds, but for a machine that others use as well.
FINISHED_WITHIN_MS = 240_000


def test_a_campaign_is_started_and_watched_until_it_has_finished(windows: Windows) -> None:
    window = windows.open(CRM)
    page = window.page
    window.visit("/admin/bonuses/bonuscampaign/add/")
    page.get_by_label("Name").fill("Spins for everybody invited")
    page.get_by_label("Template").select_option(label="20 spins on Lucky Star")
    page.get_by_label("Segment").select_option(label=SEGMENT)
    window.follow(window.button("Create campaign"))
    window.reads("Look at its preview, then start it.")

    window.follow(window.command("Start"))
    window.reads(f"At this instant {AUDIENCE} players are in {SEGMENT}")
    window.give_reason("The whole list was asked")
    with page.expect_navigation() as arrival:
        window.button("Start").click()
    window.settle()

    # As it was served, it had not finished: the browser may be slower than the workers.
    assert "data-campaign-progress" in arrival.value.text()
    bar = page.get_by_role("progressbar", name="Players dealt with")
    # What is on the page now is gone if it is loaded again.
    page.evaluate("() => { window.isTheSamePage = true; }")
    expect(bar).to_have_js_property("value", 100, timeout=FINISHED_WITHIN_MS)
    window.reads("Finished. Load the page again for who got nothing, and why.")
    assert page.locator("[data-told=granted]").inner_text() == str(AUDIENCE)
    assert page.locator("[data-told=pending]").inner_text() == "0"
    assert page.evaluate("() => window.isTheSamePage") is True
    window.check()
