"""
Panels: what an app shows on the pages of the apps below it, and on the home page.

A page cannot ask the apps above its own, so they register here what they have to say about
its subject, as checks of the books do.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone


@dataclass(frozen=True, slots=True)
class Panel:
    """A titled part of a page, rendered from a template of its own."""

    title: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)

    def render(self, request: HttpRequest) -> str:
        """Return the panel as HTML."""
        return render_to_string(self.template, {"panel": self, **self.context}, request)


#: Returns the panel, or nothing if the person may not see it or there is nothing to say.
SubjectPanel = Callable[[HttpRequest, Any, datetime], Panel | None]
HomePanel = Callable[[HttpRequest, datetime], Panel | None]

_on_pages: dict[str, list[SubjectPanel]] = {}
_at_home: list[tuple[int, HomePanel]] = []


def panel_on(model_label: str) -> Callable[[SubjectPanel], SubjectPanel]:
    """Show the decorated panel on the page of every row of the model ("players.player")."""

    def register(panel: SubjectPanel) -> SubjectPanel:
        _on_pages.setdefault(model_label, []).append(panel)
        return panel

    return register


def panel_at_home(order: int) -> Callable[[HomePanel], HomePanel]:
    """Show the decorated panel on the home page; lower orders come first."""

    def register(panel: HomePanel) -> HomePanel:
        _at_home.append((order, panel))
        return panel

    return register


def panels_on(request: HttpRequest, subject: Model, now: datetime) -> list[str]:
    """Return the panels for the page of ``subject``, as HTML."""
    panels = _on_pages.get(subject._meta.label_lower, [])
    return list(_rendered(request, (panel(request, subject, now) for panel in panels)))


def home_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the home page."""
    now = timezone.now()
    panels = (panel(request, now) for _order, panel in sorted(_at_home, key=lambda item: item[0]))
    return {**context, "title": "Home", "panels": list(_rendered(request, panels))}


def _rendered(request: HttpRequest, panels: Iterator[Panel | None]) -> Iterator[str]:
    return (panel.render(request) for panel in panels if panel is not None)
