"""Refusals of what needs a second person."""

from core.errors import DomainError


class ApprovalRequired(DomainError):
    """It is more than one person of staff may do alone: it waits for a second one's approval."""

    code = "APPROVAL_REQUIRED"
    title = "Approval required"


class SecondPersonRequired(DomainError):
    """Whoever asked for it, or set it off, cannot also agree to it."""

    code = "SECOND_PERSON_REQUIRED"
    title = "Second person required"


class ApprovalClosed(DomainError):
    """The request has been decided already: it was applied, rejected or withdrawn."""

    code = "APPROVAL_CLOSED"
    title = "Request already decided"


class ApprovalExpired(DomainError):
    """The request is too old to be approved. Ask for it again."""

    code = "APPROVAL_EXPIRED"
    title = "Request expired"


class ApprovalChanged(DomainError):
    """What would be done is not what was asked for, or not what the second person was shown."""

    code = "APPROVAL_CHANGED"
    title = "Request changed"
