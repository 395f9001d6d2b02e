"""The back office: what every page is made of, and the pages of the kernel itself."""

from core.admin.base import BackofficeModelAdmin, LargeTableAdmin, NamedRowsAdmin, ReadOnlyAdmin
from core.admin.books import BooksCheckAdmin
from core.admin.pages import ReasonForm, ServiceForm, ServicePage, staff_actor
from core.admin.panels import Panel, Tile, actions_on, panel_at_home, panel_on

__all__ = [
    "BackofficeModelAdmin",
    "BooksCheckAdmin",
    "LargeTableAdmin",
    "NamedRowsAdmin",
    "Panel",
    "ReadOnlyAdmin",
    "ReasonForm",
    "ServiceForm",
    "ServicePage",
    "Tile",
    "actions_on",
    "panel_at_home",
    "panel_on",
    "staff_actor",
]
