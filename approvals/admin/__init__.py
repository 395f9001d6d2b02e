"""Approvals in the back office: the queue, the decisions, and the limits of each operator."""

from approvals.admin.approvals import ApprovalAdmin
from approvals.admin.home import approvals_parts
from approvals.admin.players import request_events
from approvals.admin.settings import ApprovalSettingsAdmin, limits_panel

__all__ = [
    "ApprovalAdmin",
    "ApprovalSettingsAdmin",
    "approvals_parts",
    "limits_panel",
    "request_events",
]
