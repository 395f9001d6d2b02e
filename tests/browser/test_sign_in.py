"""Signing in: with a password, with a second factor, with a recovery code; and out again."""

import pytest
from playwright.sync_api import expect

from tests.browser.codes import code_of
from tests.browser.keyboard import check_focus, tab_to
from tests.browser.people import CAREFUL, DEMO, LEAVING, Person
from tests.browser.windows import NARROW, WIDE, Window, Windows, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("make_run")]


def give_password(window: Window, person: Person) -> None:
    window.page.get_by_label("User name").fill(person.login)
    window.page.get_by_label("Password").fill(person.password)
    window.follow(window.button("Sign in"))


def give_code(window: Window, code: str) -> None:
    window.page.get_by_label("Code").fill(code)
    window.follow(window.button("Sign in"))


def look(window: Window) -> None:
    """Look at a page that may be used by everybody, under the strict policy."""
    window.check_accessibility()
    window.check()


def test_by_the_keyboard_alone(windows: Windows) -> None:
    window = windows.open()
    page = window.page
    window.visit("/admin/jackpots/win/")
    assert "/accounts/login/" in page.url
    look(window)

    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type(DEMO.login)
    page.keyboard.press("Tab")
    expect(page.get_by_label("Password")).to_be_focused()
    check_focus(page)
    page.keyboard.type(DEMO.password)
    tab_to(page, window.button("Sign in"))
    with page.expect_navigation():
        page.keyboard.press("Enter")

    window.settle()
    expect(page).to_have_url(f"{window.base_url}/admin/jackpots/win/")
    window.check()


def test_a_wrong_password_says_nothing_of_who_exists(windows: Windows) -> None:
    said = []
    for login in (DEMO.login, "nobody"):
        window = windows.open()
        window.visit("/admin/")
        give_password(window, Person(login, password="not-the-password"))
        look(window)
        said.append(window.page.locator("main").inner_text())

    assert said[0] == said[1]
    assert "do not belong together" in said[0]


def test_with_a_code_of_an_app_then_with_a_recovery_code_once(windows: Windows) -> None:
    window = windows.open()
    page = window.page
    sign_in(window, CAREFUL)
    window.visit("/accounts/security/")
    look(window)
    window.follow(page.get_by_role("link", name="Set up a second factor"))
    look(window)
    secret = page.locator("code.secret").inner_text()
    page.get_by_label("Code").fill(code_of(secret))
    window.follow(window.button("Turn on"))
    look(window)
    codes = page.locator(".codes code").all_inner_texts()
    assert len(set(codes)) == 10
    window.visit("/accounts/security/")
    look(window)
    window.follow(window.button("Sign out here"))

    # Each code opens the door once, so the app's next one is given; it is half a minute early.
    app, phoneless, thief = windows.open(), windows.open(), windows.open()
    for each, code in ((app, code_of(secret, periods_ahead=1)), (phoneless, codes[0])):
        each.visit("/admin/")
        give_password(each, CAREFUL)
        expect(each.page.get_by_role("heading", name="Enter your code")).to_be_visible()
        look(each)
        give_code(each, code)
        expect(each.page).to_have_url(f"{each.base_url}/admin/")
        each.check()

    thief.visit("/admin/")
    give_password(thief, CAREFUL)
    give_code(thief, codes[0])
    expect(thief.page.get_by_text("This code is wrong, or has been used already.")).to_be_visible()
    thief.visit("/admin/")
    expect(thief.page).not_to_have_url(f"{thief.base_url}/admin/")
    look(thief)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_out_by_the_keyboard_and_the_way_back_is_closed(windows: Windows, width: int) -> None:
    window = windows.open(width=width)
    page = window.page
    sign_in(window, LEAVING)
    if width == NARROW:
        window.button("Open the menu").press("Enter")

    tab_to(page, page.get_by_role("button", name="Your account"))
    page.keyboard.press("Enter")
    tab_to(page, window.button("Log out"))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    window.settle()
    window.visit("/admin/")

    assert "/accounts/login/" in page.url
    look(window)
