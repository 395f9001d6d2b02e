"""What the tests in a browser rest on: the checker as it was published, and pictures that exist."""

import hashlib
import re

from tests.browser import accessibility, watching
from tests.browser.pictures import FOLDER, PICTURES
from tests.embedded.standin import ROOT

VENDORED = accessibility.AXE.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_checker_is_the_one_that_was_published() -> None:
    [stated] = re.findall(r"`([0-9a-f]{64})`", (VENDORED / "SOURCE.md").read_text())

    assert hashlib.sha256(accessibility.AXE.read_bytes()).hexdigest() == stated
    assert "Mozilla Public License" in (VENDORED / "LICENSE").read_text()


def test_the_documentation_shows_only_pictures_that_a_test_takes() -> None:
    names = {picture.name for picture in PICTURES}
    shown = {
        name
        for page in PAGES
        for name in re.findall(r"screenshots/([^)\s]+)\.png", page.read_text())
    }

    assert "home" in shown
    assert shown - names == set()
    assert [name for name in shown if not (FOLDER / f"{name}.png").exists()] == []


def test_no_picture_is_left_over() -> None:
    taken = {picture.file.name for picture in PICTURES}

    assert {path.name for path in FOLDER.iterdir()} - taken == set()


def test_every_excuse_gives_a_reason() -> None:
    reasons = [each.reason for each in (*accessibility.EXCUSED, *watching.EXCUSED)]

    assert [reason for reason in reasons if len(reason.split()) < 5] == []
