"""A person without a mouse: goes from place to place by Tab, and must see where they are."""

from playwright.sync_api import Locator, Page

STOPS_MAX = 150

#: Where the focus is: what is there, and whether somebody who looks can tell.
_WHERE = """() => {
    const here = document.activeElement;
    if (!here || here === document.body) {
        return null;
    }
    const box = here.getBoundingClientRect();
    const isOutlined = (element) => {
        const style = getComputedStyle(element);
        return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
    };
    let marked = isOutlined(here);
    // A field may leave it to the box around it to show the focus.
    for (let at = here.parentElement, up = 0; at && up < 2; at = at.parentElement, up += 1) {
        marked = marked || isOutlined(at);
    }
    return {
        what: here.outerHTML.slice(0, 160),
        isMarked: marked,
        isInSight: box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0
            && box.top < innerHeight && box.left < innerWidth,
    };
}"""


def tab_to(page: Page, wanted: Locator, *, key: str = "Tab") -> None:
    """Press Tab until ``wanted`` has the focus; every stop on the way must be seen to have it."""
    for _stop in range(STOPS_MAX):
        page.keyboard.press(key)
        check_focus(page)
        if has_focus(wanted):
            return
    raise AssertionError(f"{STOPS_MAX} times {key} do not lead to {wanted}")


def check_focus(page: Page) -> None:
    """Fail unless whoever looks at the page can tell where the focus is."""
    where = page.evaluate(_WHERE)
    # After the last element the focus leaves the page for the browser's own bar.
    if where is not None:
        assert where["isInSight"], f"the focus is out of sight, on {where['what']}"
        assert where["isMarked"], f"nothing shows the focus on {where['what']}"


def has_focus(wanted: Locator) -> bool:
    """Tell whether ``wanted`` is there, and has the focus."""
    return wanted.count() == 1 and bool(wanted.evaluate("(it) => it === document.activeElement"))
