"""Pages outside the back office: under the strict policy, and for everybody."""

import pytest

from tests.browser.people import DEMO
from tests.browser.windows import NARROW, WIDE, Windows

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("make_run")]


@pytest.mark.parametrize(
    ("path", "shows"), [("/docs/", "#swagger-ui .opblock"), ("/redoc/", ".redoc-wrap h1")]
)
def test_the_pages_of_the_api_run_under_the_strict_policy(
    windows: Windows, path: str, shows: str
) -> None:
    window = windows.open()

    window.visit(path)
    window.page.locator(shows).first.wait_for()

    response = window.page.request.get(window.base_url + path)
    policy = dict(
        directive.strip().split(" ", 1)
        for directive in response.headers["content-security-policy"].split(";")
    )
    assert policy.get("script-src", policy["default-src"]) == "'self'"
    assert window.watch.take() == []


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_page_that_is_not_there_says_so(windows: Windows, width: int) -> None:
    window = windows.open(DEMO, width=width)

    window.visit("/admin/nothing-here/", status=404)

    window.check_accessibility()
    window.check()


def test_what_a_person_may_not_see_is_refused_in_words(windows: Windows) -> None:
    window = windows.open(DEMO)

    window.visit("/admin/jackpots/instance/00000000-0000-0000-0000-000000000000/change/")

    window.check_accessibility()
    window.check()
