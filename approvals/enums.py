"""The stored words of approvals. Values are stored, so they are never renamed."""

from enum import StrEnum

from django.db import models


class ApprovalStatus(models.TextChoices):
    """What became of a request. One whose time is up stays requested, and can only be rejected."""

    REQUESTED = "requested", "Requested"
    APPLIED = "applied", "Applied"
    REJECTED = "rejected", "Rejected"


class Limit(StrEnum):
    """The amounts that an operator sets: the fields of ApprovalSettings."""

    CLAWBACK = "clawback_above"
    MANUAL_GRANT = "manual_grant_above"
