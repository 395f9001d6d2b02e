"""
Bonuses that are not to be granted any more, though a platform may have granted them.

Of an attempt without an answer nobody knows what it did. Before such an issuance is ended the
platform is asked for the grant, and to cancel it if it has it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from bonuses.enums import CLOSED_GRANT_STATUSES, GrantStatus
from bonuses.models import BonusIssuance
from bonuses.ports import (
    PlatformBonus,
    PlatformBonusUnknown,
    PlatformRejected,
    PlatformUnavailable,
    get_adapters,
)
from core.errors import NotFound
from players.errors import PlayerBlocked, PlayerSelfExcluded

TIME_IS_OVER = "TIME_LIMIT_OVER"
GIVEN_UP = "GIVEN_UP"


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Why a bonus is not to be granted, and what its platform says of it, if it was asked."""

    code: str
    reason: str
    known: str = ""


def find_why_unwanted(*, issuance: BonusIssuance, now: datetime) -> Unwanted | None:
    """
    Return why a pending bonus is not to be granted any more; None if it still is.

    Days may lie between the request and the attempt: whoever has been blocked or has excluded
    themselves since gets nothing, and a bonus whose time is over is none.
    """
    if issuance.player.is_blocked:
        return Unwanted(PlayerBlocked.code, "The player has been blocked meanwhile.")
    if issuance.player.is_self_excluded(now=now):
        return Unwanted(PlayerSelfExcluded.code, "The player is self-excluded meanwhile.")
    expires_at = issuance.locked_terms().expires_at
    if expires_at is not None and expires_at <= now:
        return Unwanted(TIME_IS_OVER, "The bonus's time limit was over before it was granted.")
    return None


def recall_bonus(
    *, issuance: BonusIssuance, why: Unwanted, was_asked: bool
) -> Unwanted | PlatformBonus | PlatformUnavailable:
    """
    Make sure that no platform has the bonus, and return what to settle the issuance with.

    Never called inside a transaction. ``was_asked``: an earlier attempt may have been granted.
    A bonus that the platform has ended, or will not cancel, is a grant: it is returned as one.
    """
    if issuance.is_internal or not was_asked:
        return why
    try:
        adapter = get_adapters().get_adapter(slug=issuance.adapter_slug)
        # By the grant's id, the only name that we know it by.
        view = adapter.get_bonus(
            platform_bonus_id=str(issuance.grant_id),
            currency=issuance.locked_terms().bonus_currency,
            grant_id=issuance.grant_id,
        )
    except PlatformBonusUnknown:
        return replace(why, known="The platform has not granted it.")
    except PlatformRejected as refusal:
        return PlatformUnavailable(f"The platform does not tell of the bonus: {refusal.code}.")
    except PlatformUnavailable as failure:
        return failure
    except NotFound:
        return PlatformUnavailable("Its adapter is gone.")
    bonus = PlatformBonus(view.platform_bonus_id, view.status)
    if view.status == GrantStatus.CANCELLED:
        return replace(why, known="The platform has cancelled it already.")
    if view.status in CLOSED_GRANT_STATUSES:
        return bonus
    try:
        adapter.cancel_bonus(
            grant_id=issuance.grant_id,
            platform_bonus_id=view.platform_bonus_id,
            reason=why.reason,
        )
    except PlatformRejected:
        return bonus
    except PlatformUnavailable as failure:
        return failure
    return replace(why, known="The platform had granted it, and has cancelled it.")
