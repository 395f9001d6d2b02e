"""Windows of a browser: each is one person's, and is watched from its opening to its closing."""

from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, Locator, Page, StorageState, expect

from tests.browser.accessibility import grave_findings
from tests.browser.people import Person
from tests.browser.watching import Watch

WIDE = 1280
NARROW = 390
_HEIGHTS = {WIDE: 900, NARROW: 844}
#: A machine may be busy; what never comes fails a test all the same.
TIMEOUT_MS = 30_000

Theme = Literal["light", "dark"]

#: Elements that stick out of the page on its right, the innermost ones.
_STICKING_OUT = """() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) {
        return [];
    }
    const wide = [...document.querySelectorAll('body *')].filter(
        (element) => element.getBoundingClientRect().right > root.clientWidth + 1,
    );
    const named = wide.slice(-3).map((element) => element.outerHTML.slice(0, 120));
    return [`${root.scrollWidth}px wide`, ...named];
}"""


@dataclass(frozen=True)
class Window:
    """One window, and what has been noticed in it."""

    page: Page
    watch: Watch
    base_url: str

    def visit(self, path: str, *, status: int = 200) -> None:
        """Open the page at ``path`` and wait until it is shown."""
        with self.watch.expecting(*([status] if status >= 400 else [])):
            response = self.page.goto(self.base_url + path)
            assert response is not None, path
            assert response.status == status, (path, response.status)
            self.settle()

    def settle(self) -> None:
        """Wait until the page is shown: the theme hides it until its script has run."""
        self.page.wait_for_load_state()
        self.page.wait_for_function("!document.documentElement.hasAttribute('x-cloak')")

    def follow(self, link: Locator) -> None:
        """Click a link or a button that leads to another page, and wait until that is shown."""
        with self.page.expect_navigation():
            link.click()
        self.settle()

    def link(self, name: str, *, exact: bool = False) -> Locator:
        """Return the link of that name in the page's content or head."""
        return self.page.locator("#main").get_by_role("link", name=name, exact=exact)

    def command(self, name: str) -> Locator:
        """Return the command of that name in the head of a row's page."""
        return self.page.locator("#header-inner").get_by_role("link", name=name)

    def button(self, name: str) -> Locator:
        """Return the button of that name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def give_reason(self, reason: str) -> None:
        """Fill in why."""
        self.page.get_by_label("Reason").fill(reason)

    def reads(self, text: str) -> None:
        """Wait until the page says ``text``."""
        expect(self.page.locator("#main").get_by_text(text).first).to_be_visible()

    def make(self, width: int) -> None:
        """Make the window as wide as that."""
        self.page.set_viewport_size({"width": width, "height": _HEIGHTS[width]})

    def turn(self, theme: Theme) -> None:
        """Show the page light or dark, as if the person had chosen so."""
        self.page.emulate_media(color_scheme=theme)
        self.page.evaluate(
            "(isDark) => document.documentElement.classList.toggle('dark', isDark)",
            theme == "dark",
        )

    def check(self) -> None:
        """Fail if anything was noticed since the last time, or the page can be scrolled aside."""
        found = self.watch.take()
        assert found == [], "\n".join(found)
        found = self.page.evaluate(_STICKING_OUT)
        assert found == [], f"{self.page.url} is wider than its window:\n" + "\n".join(found)

    def check_accessibility(self, *, with_menu: bool = False) -> None:
        """Fail if people with a disability could not use the page, light or dark."""
        found = grave_findings(self.page, with_menu=with_menu)
        self.turn("dark")
        found += grave_findings(self.page, only_colours=True, with_menu=with_menu)
        self.turn("light")
        assert found == [], "\n".join(found)


class Windows:
    """Opens windows, and closes them; people who signed in once stay signed in."""

    def __init__(self, browser: Browser, base_url: str) -> None:
        self.base_url = base_url
        self._browser = browser
        self._signed_in: dict[str, StorageState] = {}
        self._open: list[tuple[BrowserContext, Watch]] = []

    def open(self, person: Person | None = None, *, width: int = WIDE) -> Window:
        """Open a window in which ``person`` is signed in; without one, nobody is."""
        if person is not None and person.login not in self._signed_in:
            window = self._open_one(None, WIDE)
            sign_in(window, person)
            self._signed_in[person.login] = window.page.context.storage_state()
        state = None if person is None else self._signed_in[person.login]
        return self._open_one(state, width)

    def close(self) -> list[str]:
        """Close all windows; return what was noticed in them that no test has asked about."""
        found: list[str] = []
        for context, watch in self._open:
            context.close()
            found += watch.take()
        self._open = []
        return found

    def _open_one(self, state: StorageState | None, width: int) -> Window:
        context = self._browser.new_context(
            storage_state=state,
            viewport={"width": width, "height": _HEIGHTS[width]},
            color_scheme="light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
        )
        context.set_default_timeout(TIMEOUT_MS)
        watch = Watch(context, self.base_url)
        self._open.append((context, watch))
        return Window(context.new_page(), watch, self.base_url)


def sign_in(window: Window, person: Person) -> None:
    """Sign in as a person does, by the form."""
    window.visit("/admin/")
    window.page.get_by_label("User name").fill(person.login)
    window.page.get_by_label("Password").fill(person.password)
    window.follow(window.button("Sign in"))
    expect(window.page).to_have_url(window.base_url + "/admin/")
