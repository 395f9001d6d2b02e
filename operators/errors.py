"""Refusals of the tenant layer."""

from core.errors import DomainError


class ExchangeRateMissing(DomainError):
    """No exchange rate for the currency is in force."""

    code = "EXCHANGE_RATE_MISSING"
    title = "Exchange rate missing"


class OperatorSlugTaken(DomainError):
    """There is an operator with that slug already."""

    code = "OPERATOR_SLUG_TAKEN"
    title = "Operator slug taken"
