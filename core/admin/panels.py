"""
Panels and tiles: what an app shows on the pages of the apps below it, and on the home page.

A page cannot ask the apps above its own, so they register here what they have to say about
its subject, as checks of the books do.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.admin import site
from django.db.models import Model
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from core.admin.display import Tone
from core.admin.periods import asked_period, period_choices

#: What is counted up to a limit, because nobody works through more, ends with this.
AND_MORE = "+"


@dataclass(frozen=True, slots=True)
class Panel:
    """
    A titled part of a page, rendered from a template of its own.

    At home a half leaves room beside it, and what is urgent stands above the figures.
    """

    title: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    is_half: bool = False
    is_urgent: bool = False

    def render(self, request: HttpRequest) -> str:
        """Return the panel as HTML."""
        return render_to_string(self.template, {"panel": self, **self.context}, request)


@dataclass(frozen=True, slots=True)
class Tile:
    """
    One figure at the top of the home page, which leads to the list behind it.

    Its tone says whether somebody is needed: BAD and WARNING ask for it, and come first.
    """

    label: str
    value: str
    note: str
    url: str
    tone: Tone = Tone.QUIET

    @property
    def needs_somebody(self) -> bool:
        """Tell whether the figure asks for attention."""
        return self.tone in _URGENCY

    @property
    def icon(self) -> str:
        """Return the sign that says the same as the colour."""
        return _ICONS[self.tone]


_URGENCY = {Tone.BAD: 0, Tone.WARNING: 1}
_ICONS = {
    Tone.BAD: "error",
    Tone.WARNING: "warning",
    Tone.GOOD: "check_circle",
    Tone.BUSY: "autorenew",
    Tone.QUIET: "check",
}

#: Returns the panel, or nothing if the person may not see it or there is nothing to say.
SubjectPanel = Callable[[HttpRequest, Any, datetime], Panel | None]
#: Returns one part of the home page, or several, or nothing, on the same terms.
HomePart = Callable[[HttpRequest, datetime], Iterable[Panel | Tile] | Panel | Tile | None]

_on_pages: dict[str, list[tuple[int, SubjectPanel]]] = {}
_at_home: list[tuple[int, HomePart]] = []


def panel_on(model_label: str, *, order: int = 50) -> Callable[[SubjectPanel], SubjectPanel]:
    """
    Show the decorated panel on the page of every row of the model ("players.player").

    Lower orders come first.
    """

    def register(panel: SubjectPanel) -> SubjectPanel:
        _on_pages.setdefault(model_label, []).append((order, panel))
        return panel

    return register


def panel_at_home(order: int) -> Callable[[HomePart], HomePart]:
    """
    Show what the decorated function returns on the home page; lower orders come first.

    Tiles stand above all panels, those that need somebody before the others.
    """

    def register(part: HomePart) -> HomePart:
        _at_home.append((order, part))
        return part

    return register


def actions_on(request: HttpRequest, subject: Model, now: datetime) -> list[dict[str, Any]]:
    """
    Return what the person may do with the row, and it is open to, for another row's page.

    Asks the pages of the row's own admin, so that no link leads to a refusal.
    """
    found: list[dict[str, Any]] = site.get_model_admin(type(subject)).buttons(  # type: ignore[attr-defined]
        request, subject, now
    )
    return found


def panels_on(request: HttpRequest, subject: Model, now: datetime) -> list[str]:
    """Return the panels for the page of ``subject``, as HTML."""
    panels = sorted(_on_pages.get(subject._meta.label_lower, []), key=lambda item: item[0])
    found = (panel(request, subject, now) for _order, panel in panels)
    return [panel.render(request) for panel in found if panel is not None]


def home_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the home page."""
    now = timezone.now()
    period = asked_period(request, now=now)
    parts = [
        part
        for _order, show in sorted(_at_home, key=lambda item: item[0])
        for part in _as_parts(show(request, now))
    ]
    tiles = [part for part in parts if isinstance(part, Tile)]
    panels = [part for part in parts if isinstance(part, Panel)]
    return {
        **context,
        "title": "Home",
        "tiles": sorted(tiles, key=lambda tile: _URGENCY.get(tile.tone, len(_URGENCY))),
        "urgent_count": sum(tile.needs_somebody for tile in tiles),
        "urgent_panels": [panel.render(request) for panel in panels if panel.is_urgent],
        "panels": [panel.render(request) for panel in panels if not panel.is_urgent],
        "period": period,
        "periods": [(name, words, name == period.name) for name, words in period_choices()],
    }


def count_text(count: int, *, most: int | None = None) -> str:
    """Return a count for people; one that was counted up to ``most`` only says so."""
    if most is not None and count > most:
        return f"{most:,}{AND_MORE}"
    return f"{count:,}"


def _as_parts(
    shown: Iterable[Panel | Tile] | Panel | Tile | None,
) -> Iterator[Panel | Tile]:
    if isinstance(shown, Panel | Tile):
        yield shown
    elif shown is not None:
        yield from shown
