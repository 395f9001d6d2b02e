"""What the tests in a browser would notice, they notice: each kind of trouble, made on purpose."""

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import grave_findings
from tests.browser.keyboard import check_focus
from tests.browser.people import DEMO
from tests.browser.windows import Window, Windows

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("make_run")]

#: What a page would do, and what is then said of it.
TROUBLES = {
    "an error": ("console.error('broken')", "console error at"),
    "a warning": ("console.warn('doubtful')", "console warning at"),
    "an exception": ("setTimeout(() => { throw new Error('thrown'); })", "page error at"),
    "a rejection": ("Promise.reject(new Error('rejected'))", "page error at"),
    "another host": (
        "location.href = 'https://elsewhere.invalid/'",
        "request to another host: https://elsewhere.invalid/",
    ),
    "a picture of another host": (
        "new Image().src = 'https://elsewhere.invalid/pixel.png'",
        "Content Security Policy",
    ),
    "what is not there": ("fetch('/not-there').catch(() => {})", "/not-there: 404"),
    "an inline script": (
        "document.head.append(Object.assign(document.createElement('script'), {text: '1'}))",
        "Content Security Policy",
    ),
}


def noticed(window: Window) -> str:
    """Wait until something was noticed, and return it."""
    for _moment in range(100):
        if found := window.watch.take():
            return "\n".join(found)
        window.page.wait_for_timeout(50)
    return ""


@pytest.mark.parametrize("kind", TROUBLES)
def test_control_trouble_of_every_kind_is_noticed(windows: Windows, kind: str) -> None:
    script, said = TROUBLES[kind]
    window = windows.open()
    window.visit("/accounts/login/")
    window.check()

    window.page.evaluate(f"() => {{ {script}; }}")

    assert said in noticed(window)
    # The rest of what the same trouble makes the browser say.
    window.page.wait_for_timeout(200)
    window.watch.take()


def test_control_a_page_wider_than_its_window_is_noticed(windows: Windows) -> None:
    window = windows.open()
    window.visit("/accounts/login/")
    window.page.evaluate("() => { document.body.style.width = '3000px'; }")

    with pytest.raises(AssertionError, match="px wide"):
        window.check()


@pytest.mark.parametrize(
    ("html", "rule"),
    [
        ("<button></button>", "button-name"),
        ("<input>", "label"),
        ("<p style='color: #bbb; background: #fff'>Pale</p>", "color-contrast"),
    ],
)
def test_control_what_some_people_cannot_use_is_noticed(
    windows: Windows, html: str, rule: str
) -> None:
    window = windows.open(DEMO)
    window.visit("/admin/")
    window.page.evaluate(
        "(html) => document.getElementById('content').insertAdjacentHTML('afterbegin', html)", html
    )

    assert any(f": {rule} (" in found for found in grave_findings(window.page))


def test_control_a_focus_that_nobody_sees_is_noticed(windows: Windows) -> None:
    window = windows.open(DEMO)
    window.visit("/admin/")
    window.page.add_style_tag(content="* { outline: none !important; }")
    window.page.keyboard.press("Tab")
    expect(window.page.locator(":focus")).to_have_count(1)

    with pytest.raises(AssertionError, match="nothing shows the focus"):
        check_focus(window.page)
