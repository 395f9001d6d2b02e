"""Refusals of promos."""

from core.errors import DomainError


class PromoNotFound(DomainError):
    """There is no such promo, or it has been archived, or it is another operator's."""

    code = "PROMO_NOT_FOUND"
    title = "Promo not found"
    status = 404


class PromoCodeTaken(DomainError):
    """The operator has another promo, perhaps an archived one, or a batch with this code."""

    code = "PROMO_CODE_TAKEN"
    title = "Promo code taken"


class PromoArchived(DomainError):
    """The promo has been archived, so nothing of it changes any more."""

    code = "PROMO_ARCHIVED"
    title = "Promo archived"


class PromoInactive(DomainError):
    """The promo, or the batch of the code, is switched off."""

    code = "PROMO_INACTIVE"
    title = "Promo inactive"


class PromoNotStarted(DomainError):
    """The promo cannot be claimed yet."""

    code = "PROMO_NOT_STARTED"
    title = "Promo not started"


class PromoExpired(DomainError):
    """The promo can no longer be claimed."""

    code = "PROMO_EXPIRED"
    title = "Promo expired"


class PromoClaimsExhausted(DomainError):
    """The promo has been claimed as often as it may be, or the single-use code is used."""

    code = "PROMO_CLAIMS_EXHAUSTED"
    title = "Promo claims exhausted"


class PromoAlreadyClaimed(DomainError):
    """The player has claimed this promo before."""

    code = "PROMO_ALREADY_CLAIMED"
    title = "Promo already claimed"


class PromoCodeIsActive(DomainError):
    """A promo of the player is claimed or active, and forbids this until it ends."""

    code = "PROMO_CODE_IS_ACTIVE"
    title = "A promo is active"


class KycLevelTooLow(DomainError):
    """The promo asks for a higher KYC level than the player has."""

    code = "KYC_LEVEL_TOO_LOW"
    title = "KYC level too low"


class VipLevelTooLow(DomainError):
    """The promo asks for a higher VIP level than the player has."""

    code = "VIP_LEVEL_TOO_LOW"
    title = "VIP level too low"


class TotalWagerTooLow(DomainError):
    """The promo asks for more wagering than the player has done so far."""

    code = "TOTAL_WAGER_TOO_LOW"
    title = "Total wager too low"


class TotalDepositTooLow(DomainError):
    """The promo asks for more deposits than the player has made so far."""

    code = "TOTAL_DEPOSIT_TOO_LOW"
    title = "Total deposit too low"


class AffiliateMismatch(DomainError):
    """The promo is for players of another affiliate."""

    code = "AFFILIATE_MISMATCH"
    title = "Affiliate mismatch"


class NotFirstDeposit(DomainError):
    """The promo is for players who have not deposited yet."""

    code = "NOT_FIRST_DEPOSIT"
    title = "Not the first deposit"


class UserPromoClosed(DomainError):
    """The claim has ended: completed, cancelled or expired."""

    code = "USER_PROMO_CLOSED"
    title = "User promo closed"


class CustomDecreaseTooLarge(DomainError):
    """The amount to take is more than the player's main balance, or no bonus was credited."""

    code = "CUSTOM_DECREASE_TOO_LARGE"
    title = "Custom decrease too large"


class WithdrawalsBlocked(DomainError):
    """A promo has locked the player's withdrawals; member ``until`` says how long."""

    code = "WITHDRAWALS_BLOCKED"
    title = "Withdrawals blocked"


class BetRestrictedByPromo(DomainError):
    """The active promo does not allow this game, or not this stake."""

    code = "BET_RESTRICTED_BY_PROMO_ACTIVE_CODE"
    title = "Bet restricted by a promo"


class WithdrawalLockEnded(DomainError):
    """The withdrawal lock has been lifted, or has run out."""

    code = "WITHDRAWAL_LOCK_ENDED"
    title = "Withdrawal lock ended"


class PromoBatchNotReady(DomainError):
    """The codes of the batch are not all made, or could not be."""

    code = "PROMO_BATCH_NOT_READY"
    title = "Batch not ready"
