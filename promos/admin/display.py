"""How promos look in the back office: badges, terms in words, and examples in numbers."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from core.admin.display import EMPTY, Tone, amount_text, badge, instant_text
from core.money import EXACT, format_decimal
from promos import rules
from promos.enums import BatchStatus, PromoType, UserPromoStatus
from promos.models import CodeBatch, Promo, UserPromo

USD = "USD"
_EXAMPLE_DEPOSIT = Decimal(100)

_CLAIM_TONES = {
    UserPromoStatus.CLAIMED: Tone.WARNING,
    UserPromoStatus.ACTIVE: Tone.BUSY,
    UserPromoStatus.COMPLETED: Tone.GOOD,
    UserPromoStatus.CANCELLED: Tone.BAD,
    UserPromoStatus.EXPIRED: Tone.QUIET,
}
_BATCH_TONES = {
    BatchStatus.PENDING: Tone.WARNING,
    BatchStatus.MAKING: Tone.BUSY,
    BatchStatus.DONE: Tone.GOOD,
    BatchStatus.FAILED: Tone.BAD,
    BatchStatus.DISABLED: Tone.QUIET,
}


def promo_badge(promo: Promo, *, now: datetime) -> str:
    """Return whether the promo can be claimed at ``now``, as a badge."""
    if promo.archived_at is not None:
        return badge("Archived", Tone.QUIET)
    if not promo.is_active:
        return badge("Switched off", Tone.QUIET)
    if promo.expires_at is not None and promo.expires_at <= now:
        return badge("Expired", Tone.QUIET)
    if promo.starts_at is not None and promo.starts_at > now:
        return badge("Not started", Tone.WARNING, title=f"{instant_text(promo.starts_at)} UTC")
    if promo.claims_left == 0:
        return badge("Used up", Tone.BAD, title="No claims are left")
    return badge("Active", Tone.GOOD)


def claim_badge(user_promo: UserPromo, *, now: datetime) -> str:
    """Return the state of a claim, as a badge; one whose time is up says so."""
    if user_promo.is_overdue(now=now):
        return badge("Time is up", Tone.WARNING, title="It expires within a minute")
    status = UserPromoStatus(user_promo.status)
    return badge(status.label, _CLAIM_TONES[status])


def batch_badge(batch: CodeBatch) -> str:
    """Return how far a batch is, as a badge."""
    return badge(batch.status.label, _BATCH_TONES[batch.status])


def usd(amount: Decimal | None) -> str:
    """Return an amount in US dollars, for people."""
    return amount_text(amount, USD)


def duration_text(seconds: int) -> str:
    """Return a span for people, in its largest whole unit: "7 days"."""
    for name, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds and seconds % length == 0:
            count = seconds // length
            return f"{count:,} {name}{'' if count == 1 else 's'}"
    return f"{seconds:,} second{'' if seconds == 1 else 's'}"


def condition_sentences(promo: Promo) -> list[str]:
    """Return who may claim the promo, in words."""
    found = []
    if promo.affiliate_code_to_claim:
        found.append(f"Only players of the affiliate {promo.affiliate_code_to_claim}.")
    if promo.min_kyc_level_to_claim:
        found.append(f"KYC level {promo.min_kyc_level_to_claim} or higher.")
    if promo.min_vip_level_to_claim:
        found.append(f"VIP level {promo.min_vip_level_to_claim} or higher.")
    if promo.min_total_wager_usd_to_claim:
        found.append(f"Bets of {usd(promo.min_total_wager_usd_to_claim)} or more so far.")
    if promo.min_total_deposit_usd_to_claim:
        found.append(f"Deposits of {usd(promo.min_total_deposit_usd_to_claim)} or more so far.")
    if promo.only_zero_deposits_to_claim:
        found.append("Only before the player's first deposit.")
    return found or ["Every player, once."]


def example_sentences(terms: dict[str, Any], *, promo_type: PromoType) -> list[str]:
    """
    Return what the terms do, worked through in numbers.

    ``terms`` may be what somebody has typed so far: what lacks or contradicts itself gives
    no example.
    """
    found = (
        _instant_examples(terms) if promo_type == PromoType.INSTANT else _deposit_examples(terms)
    )
    hours = terms.get("lock_withdraw_on_claim_hours")
    if found and hours:
        found.append(
            f"Withdrawals are locked for {duration_text(hours * 3600)} from the claim"
            + (", and again from the bonus credit." if promo_type == PromoType.DEPOSIT else ".")
        )
    if found and terms.get("auto_vault_on_claim"):
        found.append("With the claim, the player's whole main balance moves into the vault.")
    return found


def terms_of(promo: Promo) -> dict[str, Any]:
    """Return the terms that examples are made of."""
    names = (*rules.INSTANT_FIELDS, *rules.DEPOSIT_FIELDS)
    return {
        name: getattr(promo, name)
        for name in (*names, "lock_withdraw_on_claim_hours", "auto_vault_on_claim")
    }


def _instant_examples(terms: dict[str, Any]) -> list[str]:
    amount, currency = terms.get("amount"), terms.get("currency")
    if amount is None or not currency:
        return []
    return [f"Claim → {amount_text(amount, currency)} at once, nothing to wager."]


def _deposit_examples(terms: dict[str, Any]) -> list[str]:
    multiplier, cap = terms.get("bonus_multiplier"), terms.get("max_bonus_usd_amount")
    by_multiplier = terms.get("wager_multiplier_to_complete")
    by_amount = terms.get("wager_usd_amount_to_complete")
    if multiplier is None or cap is None or (by_multiplier is None) == (by_amount is None):
        return []
    floor = terms.get("min_deposit_usd_to_activate") or Decimal(0)
    deposits = [max(_EXAMPLE_DEPOSIT, floor)]
    if 0 < EXACT.multiply(deposits[0], multiplier) <= cap:
        # One that meets the cap, too: twice what reaches it, in whole dollars.
        deposits.append((EXACT.divide(2 * cap, multiplier)).to_integral_value())
    found = []
    for deposit in deposits:
        rollover = rules.rollover_of(
            deposit_usd=deposit,
            bonus_multiplier=multiplier,
            max_bonus_usd=cap,
            wager_multiplier=by_multiplier,
            wager_usd=by_amount,
        )
        capped = " (the cap)" if rollover.is_capped else ""
        found.append(
            f"Deposit {usd(deposit)} → bonus {usd(rollover.bonus_usd)}{capped} → "
            f"wager {usd(rollover.target_usd)}{_span(terms)}."
        )
    if floor:
        found.append(
            f"The first deposit decides: {usd(floor)} or more activates, less cancels the claim."
        )
    return found


def _span(terms: dict[str, Any]) -> str:
    seconds = terms.get("time_seconds_to_complete")
    return f" within {duration_text(seconds)}" if seconds else ""


def factor(value: Decimal | None) -> str:
    """Return a multiplier for people: "30 ×"."""
    return EMPTY if value is None else f"{format_decimal(value)} ×"
