"""The pictures of the documentation: `make screenshots` takes them anew, of pages as they are."""

import os

import pytest

from tests.browser.pictures import PICTURES, Picture
from tests.browser.windows import Windows

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("make_run")]


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_taken_of_a_page_that_works(windows: Windows, picture: Picture) -> None:
    window = windows.open(picture.person, width=picture.width)
    window.page.set_viewport_size({"width": picture.width, "height": picture.height})

    picture.open(window)
    window.check()
    window.turn(picture.theme)
    taken = window.page.screenshot(animations="disabled", caret="hide")

    assert taken.startswith(b"\x89PNG")
    # The tests leave the tree as it is, unless somebody asks for pictures.
    if os.environ.get("SCREENSHOTS"):
        picture.file.write_bytes(taken)
