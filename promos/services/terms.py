"""The terms of a promo: what they must be together, and how they are told."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from core import money
from core.errors import InvalidRequest
from core.instants import format_instant
from core.money import EXACT
from promos import rules
from promos.enums import PromoType
from promos.models import Promo

#: Every term that may be set; ``type`` only when the promo is made.
TERM_FIELDS = (
    "code",
    "title",
    *rules.INSTANT_FIELDS,
    *rules.DEPOSIT_FIELDS,
    "lock_withdraw_on_claim_hours",
    "auto_vault_on_claim",
    "claims_left",
    "starts_at",
    "expires_at",
    "affiliate_code_to_claim",
    "min_kyc_level_to_claim",
    "min_vip_level_to_claim",
    "min_total_wager_usd_to_claim",
    "min_total_deposit_usd_to_claim",
    "only_zero_deposits_to_claim",
    "is_active",
)


def check_promo_terms(*, promo: Promo) -> None:
    """
    Refuse terms that contradict themselves or lack something.

    :raises InvalidRequest: that names every field that is wrong.
    """
    found = {
        **_wrong_fields_of_type(promo),
        **_wrong_amounts(promo),
    }
    if promo.starts_at and promo.expires_at and promo.starts_at >= promo.expires_at:
        found["expires_at"] = "It must be after starts_at."
    if found:
        raise InvalidRequest(
            "One or more fields are invalid.",
            errors=[
                {"pointer": f"/{field}", "code": "invalid", "detail": detail}
                for field, detail in found.items()
            ],
        )


def describe_promo_terms(*, promo: Promo) -> dict[str, Any]:
    """Return the terms as the audit trail keeps them."""
    return {
        "type": promo.type,
        **{field: _told(getattr(promo, field)) for field in TERM_FIELDS},
    }


def changed_terms(
    *, before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what differs between two descriptions: as it was, and as it is."""
    names = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in names}, {name: after[name] for name in names}


def _wrong_fields_of_type(promo: Promo) -> dict[str, str]:
    kind = PromoType(promo.type)
    found = {
        field: f"It does not belong to a promo of the type {kind.value}."
        for field in rules.fields_of_other_type(kind)
        if not _is_absent(getattr(promo, field))
    }
    for field in rules.required_fields(kind):
        if _is_absent(getattr(promo, field)):
            found[field] = f"A promo of the type {kind.value} needs it."
    if kind == PromoType.DEPOSIT:
        given = [field for field in rules.WAGER_FIELDS if getattr(promo, field) is not None]
        if len(given) != 1:
            for field in rules.WAGER_FIELDS:
                found[field] = f"Send exactly one of {' and '.join(rules.WAGER_FIELDS)}."
    return found


def _wrong_amounts(promo: Promo) -> dict[str, str]:
    if promo.amount is not None and promo.currency:
        currency = money.get_currency(promo.currency)
        if not money.has_only_minor_units(promo.amount, currency):
            return {"amount": f"{currency.code} has {currency.decimals} decimals."}
    cap, multiplier = promo.max_bonus_usd_amount, promo.wager_multiplier_to_complete
    # No deposit may find that its target cannot be stored.
    if (
        cap is not None
        and multiplier is not None
        and EXACT.multiply(cap, multiplier) >= money.AMOUNT_LIMIT
    ):
        return {"wager_multiplier_to_complete": "The target could be larger than any amount."}
    return {}


def _is_absent(value: Any) -> bool:
    return value is None or value == ""


def _told(value: Any) -> Any:
    match value:
        case Decimal():
            return money.format_decimal(value)
        case datetime():
            return format_instant(value)
        case _:
            return value
