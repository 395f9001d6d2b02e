"""One running product and one browser for all tests; every test has windows of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from core.embedded.browsers import NOT_FOUND, find_browser
from tests.browser.windows import TIMEOUT_MS, Windows
from tests.embedded.make_run import MakeRun
from tests.embedded.standin import clean_environment

#: Each picture is of a page that another test opens and looks at, so that they are taken only for
#: the documentation, or when everything is crawled.
IS_WHOLE = bool(os.environ.get("SCREENSHOTS")) or os.environ.get("CRAWL") == "all"
collect_ignore = [] if IS_WHOLE else ["test_pictures.py"]

HIRE = "from tests.browser.hiring import hire; hire()"
#: Whatever a page asks for elsewhere, it does not get: the names of others lead nowhere.
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of this machine, without a window."""
    path = find_browser(os.environ)
    assert path is not None, NOT_FOUND
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # While the driver's event loop lives, Django takes every test of this process for
        # asynchronous code, and would refuse to let it read the database.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        expect.set_options(timeout=TIMEOUT_MS)
        browser = playwright.chromium.launch(
            executable_path=path,
            # Containers give little shared memory. Root has no sandbox, and our pages need none.
            args=["--no-sandbox", "--disable-dev-shm-usage", ALONE],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def world(running_windfall: MakeRun) -> MakeRun:
    """The running product with the demo world, and with the staff that the tests need."""
    hired = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", HIRE],
        cwd=running_windfall.tree,
        check=False,
        env=clean_environment(DATA_DIR=str(running_windfall.data_dir)),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert hired.returncode == 0, hired.stdout + hired.stderr
    return running_windfall


@pytest.fixture(scope="session")
def _all_windows(chromium: Browser, world: MakeRun) -> Windows:
    return Windows(chromium, world.base_url)


@pytest.fixture
def windows(_all_windows: Windows) -> Iterator[Windows]:
    """
    Windows for one test.

    What was noticed in them fails the test, at the latest when they are closed.
    """
    yield _all_windows
    assert _all_windows.close() == []
