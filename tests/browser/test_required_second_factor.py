"""Where a second factor is required: from the password to the page that was wanted."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.embedded.folder import find_free_port
from tests.browser.codes import code_of
from tests.browser.people import STRICT
from tests.browser.windows import Window, Windows
from tests.embedded.make_run import MakeRun
from tests.embedded.standin import clean_environment

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("make_run")]

START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 30
SET_UP = "/accounts/security/set-up/"
WANTED = "/admin/promos/promo/?q=WELCOME100"


@pytest.fixture
def strict_windows(chromium: Browser, world: MakeRun, tmp_path: Path) -> Iterator[Windows]:
    """Windows on a second web process of the running product: one that is strict."""
    port = find_free_port()
    said = tmp_path / "web.log"
    with said.open("wb") as output:
        web = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "--interface=wsgi", "--no-ws"),
                *("--host=127.0.0.1", f"--port={port}", "config.wsgi:application"),
            ],
            cwd=world.tree,
            env=clean_environment(DATA_DIR=str(world.data_dir), STAFF_MFA_REQUIRED="true"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        began = time.monotonic()
        while not answers(f"http://127.0.0.1:{port}/readyz"):
            assert web.poll() is None, said.read_text()
            assert time.monotonic() - began < START_TIMEOUT_S, said.read_text()
            time.sleep(0.1)
        windows = Windows(chromium, f"http://127.0.0.1:{port}")
        yield windows
        assert windows.close() == []
    finally:
        web.terminate()
        web.wait(timeout=STOP_TIMEOUT_S)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def give_password(window: Window) -> None:
    window.page.get_by_label("User name").fill(STRICT.login)
    window.page.get_by_label("Password").fill(STRICT.password)
    window.follow(window.button("Sign in"))


def test_whoever_has_none_sets_one_up_and_arrives_at_the_page_wanted(
    strict_windows: Windows,
) -> None:
    window = strict_windows.open()
    page = window.page
    set_up, wanted = window.base_url + SET_UP, window.base_url + WANTED

    window.visit("/admin/")
    give_password(window)
    expect(page).to_have_url(set_up)
    window.check_accessibility()
    # Whoever would rather not gets nowhere else.
    window.follow(page.get_by_role("link", name="Not now"))
    expect(page).to_have_url(f"{window.base_url}/accounts/security/")
    window.check()
    window.visit(WANTED)
    expect(page).to_have_url(set_up)

    secret = page.locator("code.secret").inner_text()
    page.get_by_label("Code").fill(code_of(secret))
    window.follow(window.button("Turn on"))
    window.check_accessibility()
    window.follow(page.get_by_role("link", name="I have kept them"))
    expect(page).to_have_url(wanted)
    expect(page.get_by_role("link", name="WELCOME100")).to_be_visible()

    window.visit("/accounts/security/")
    window.follow(window.button("Sign out here"))
    window.visit(WANTED)
    give_password(window)
    expect(page.get_by_role("heading", name="Enter your code")).to_be_visible()
    # Each code opens the door once, so the app's next one is given; it is half a minute early.
    page.get_by_label("Code").fill(code_of(secret, periods_ahead=1))
    window.follow(window.button("Sign in"))
    expect(page).to_have_url(wanted)
    window.check()
