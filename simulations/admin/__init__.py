"""The simulator in the back office."""

from simulations.admin.limits import TermsLimitsAdmin
from simulations.admin.panels import promo_panel, template_panel

__all__ = ["TermsLimitsAdmin", "promo_panel", "template_panel"]
