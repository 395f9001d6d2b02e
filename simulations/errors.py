"""Refusals of the simulator."""

from core.errors import DomainError


class TermsLimitsTaken(DomainError):
    """The operator has limits of that label already: change those."""

    code = "TERMS_LIMITS_TAKEN"
    title = "Limits of that label exist"
