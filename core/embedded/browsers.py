"""The browser that the tests in a real browser drive, and what to say when there is none."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from core.embedded.errors import CannotRun

#: As distributions call them; the first that is there is taken.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NOT_FOUND = (
    "No browser was found, so the tests in a real browser (tests/browser) did NOT run.\n"
    "Install Chromium (Debian, Ubuntu: apt-get install chromium), or name one that is there:\n"
    "BROWSER_PATH=/path/to/chromium make test. REQUIRE_BROWSER=1 makes this a failure."
)


def find_browser(environment: Mapping[str, str]) -> Path | None:
    """
    Return the browser to drive: that of BROWSER_PATH, else one that is installed, else None.

    :raises CannotRun: if BROWSER_PATH is set, and nothing there can be started.
    """
    named = environment.get("BROWSER_PATH")
    if named:
        path = Path(named).expanduser()
        if not (path.is_file() and os.access(path, os.X_OK)):
            raise CannotRun(
                f"BROWSER_PATH is {named}, and nothing there can be started: correct it, or unset "
                "it to use a Chromium that is installed."
            )
        return path
    for name in NAMES:
        found = shutil.which(name, path=environment.get("PATH"))
        if found is not None:
            return Path(found)
    return None


def is_browser_required(environment: Mapping[str, str]) -> bool:
    """Tell whether tests that find no browser have failed."""
    return environment.get("REQUIRE_BROWSER", "") not in ("", "0")
