"""The pictures of the documentation: which there are, and how each is taken."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.browser.people import DEMO, Person
from tests.browser.windows import NARROW, WIDE, Theme, Window
from tests.embedded.standin import ROOT

FOLDER = ROOT / "docs" / "screenshots"


@dataclass(frozen=True)
class Picture:
    """One picture: its file's name, what is opened for it, and how it is looked at."""

    name: str
    open: Callable[[Window], None]
    theme: Theme = "light"
    width: int = WIDE
    height: int = 900
    person: Person | None = DEMO

    @property
    def file(self) -> Path:
        """Where the documentation has it."""
        return FOLDER / f"{self.name}.png"


def page(path: str) -> Callable[[Window], None]:
    """Return what opens a page by its address."""
    return lambda window: window.visit(path)


def row(path: str, name: str) -> Callable[[Window], None]:
    """Return what opens the row of a list that is called ``name``."""

    def open_row(window: Window) -> None:
        window.visit(path)
        window.follow(window.page.locator("#result_list").get_by_role("link", name=name).first)

    return open_row


def command(path: str, name: str, verb: str) -> Callable[[Window], None]:
    """Return what opens a command of the row of a list."""

    def open_command(window: Window) -> None:
        row(path, name)(window)
        window.follow(window.command(verb))

    return open_command


def player(window: Window) -> None:
    """Open the page of a player who claimed a promo, and give them a bonus for their patience."""
    open_player = row("/admin/players/player/?q=player-018", "player-018")
    open_player(window)
    window.page.get_by_text("Issue a bonus by hand").click()
    window.follow(window.link("Ten dollars, no deposit"))
    window.give_reason("Waited a day for our answer")
    window.follow(window.button("Issue to a player"))
    open_player(window)


def simulation(window: Window) -> None:
    """Simulate the terms of a template."""
    row("/admin/bonuses/bonustemplate/", "Welcome match")(window)
    window.follow(window.link("Simulate"))
    window.follow(window.button("Simulate"))


PICTURES = (
    Picture("home", page("/admin/")),
    Picture("home-dark", page("/admin/"), theme="dark"),
    Picture(
        "jackpot-instance", row("/admin/jackpots/instance/", "Lucky Star Progressive"), height=1100
    ),
    Picture("links-dark", command("/admin/jackpots/instance/", "Daily", "Edit links"), "dark"),
    Picture("jackpot-wins", page("/admin/jackpots/win/")),
    Picture("bonus-template", row("/admin/bonuses/bonustemplate/", "Welcome match")),
    Picture("bonus-grant", row("/admin/bonuses/bonusgrant/?q=player-045", "10.00 USD")),
    Picture("bonus-campaign", row("/admin/bonuses/bonuscampaign/", "Spins for VIPs")),
    Picture("approvals", page("/admin/approvals/approval/")),
    Picture("player", player, height=3260),
    Picture("simulation", simulation, height=1300),
    Picture("reports", page("/admin/reports/")),
    Picture("home-phone", page("/admin/"), width=NARROW, height=844),
    Picture("sign-in", page("/accounts/login/"), height=620, person=None),
    Picture("adapters", page("/admin/adapters/adapterconfig/")),
)
