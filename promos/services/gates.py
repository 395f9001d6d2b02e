"""Who may claim what: every gate of a claim, in the order in which refusals are told."""

from collections.abc import Iterator
from datetime import datetime

from core.errors import DomainError
from core.instants import tell_instant
from core.money import format_amount
from operators.selectors import exchange_rate_missing
from players.errors import PlayerBlocked, PlayerSelfExcluded
from promos import errors
from promos.services.claim_plans import ClaimPlan


def list_claim_refusals(*, plan: ClaimPlan, now: datetime) -> list[DomainError]:
    """Return every reason why the plan's player may not claim its promo at ``now``."""
    return [*_of_promo(plan, now=now), *_of_claims(plan, now=now), *_of_player(plan, now=now)]


def _of_promo(plan: ClaimPlan, *, now: datetime) -> Iterator[DomainError]:
    promo, single_use = plan.promo, plan.single_use
    if not promo.is_active or (single_use is not None and single_use.is_disabled):
        yield errors.PromoInactive("The promo is switched off.")
    if promo.starts_at is not None and now < promo.starts_at:
        yield errors.PromoNotStarted(
            f"The promo can be claimed from {tell_instant(promo.starts_at)}."
        )
    if promo.expires_at is not None and now >= promo.expires_at:
        yield errors.PromoExpired(
            f"The promo could be claimed until {tell_instant(promo.expires_at)}."
        )


def _of_claims(plan: ClaimPlan, *, now: datetime) -> Iterator[DomainError]:
    if plan.is_claimed_already:
        yield errors.PromoAlreadyClaimed("The player has claimed this promo before.")
    is_used = plan.single_use is not None and plan.single_use.is_used
    if is_used or plan.promo.claims_left == 0:
        yield errors.PromoClaimsExhausted("No claims are left.")
    is_open = plan.open_due_at is not None and plan.open_due_at > now
    if is_open and not plan.promo.is_without_conditions:
        yield errors.PromoCodeIsActive("The player has a promo that has not ended.")


def _of_player(plan: ClaimPlan, *, now: datetime) -> Iterator[DomainError]:
    promo, player = plan.promo, plan.claimant
    if player.self_excluded_until is not None and now < player.self_excluded_until:
        yield PlayerSelfExcluded("The player is self-excluded.")
    if player.is_blocked:
        yield PlayerBlocked("The player is blocked.")
    if player.kyc_level < (promo.min_kyc_level_to_claim or 0):
        yield errors.KycLevelTooLow(f"It takes KYC level {promo.min_kyc_level_to_claim}.")
    if player.vip_level < (promo.min_vip_level_to_claim or 0):
        yield errors.VipLevelTooLow(f"It takes VIP level {promo.min_vip_level_to_claim}.")
    least = promo.min_total_wager_usd_to_claim
    if least is not None and player.total_wager_usd < least:
        yield errors.TotalWagerTooLow(f"It takes {format_amount(least, 'USD')} USD wagered.")
    least = promo.min_total_deposit_usd_to_claim
    if least is not None and player.total_deposit_usd < least:
        yield errors.TotalDepositTooLow(f"It takes {format_amount(least, 'USD')} USD deposited.")
    if promo.affiliate_code_to_claim not in ("", player.affiliate_code):
        yield errors.AffiliateMismatch("The promo is for players of another affiliate.")
    if promo.only_zero_deposits_to_claim and player.deposit_count > 0:
        yield errors.NotFirstDeposit("The promo is for players who have not deposited yet.")
    is_converted = promo.currency not in ("", player.currency)
    if is_converted and plan.exchange is None:
        yield exchange_rate_missing(f"{promo.currency} or {player.currency}")
