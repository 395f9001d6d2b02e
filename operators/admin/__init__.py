"""Tenants in the back office: operators, keys, rates, and the trail of who did what for whom."""

from operators.admin.keys import ApiKeyAdmin
from operators.admin.operators import OperatorAdmin
from operators.admin.rates import ExchangeRateAdmin
from operators.admin.trail import AuditEntryAdmin

__all__ = ["ApiKeyAdmin", "AuditEntryAdmin", "ExchangeRateAdmin", "OperatorAdmin"]
