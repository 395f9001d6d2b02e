"""The adapter behind which there is no platform: our own ledger holds the money."""

from dataclasses import dataclass
from uuid import UUID

from bonuses.enums import GrantStatus
from bonuses.ports import BonusOrder, PlatformBonus, PlatformBonusUnknown, PlatformView
from jackpots.ports import PaidOut, PayoutOrder, PayoutRejected

PREFIX = "internal:"


@dataclass(frozen=True, slots=True)
class InternalAdapter:
    """
    Grants at once and always: crediting and wagering are bonuses' and wallets' own work.

    It keeps nothing, so it cannot say how a bonus is. Nobody need ask: an internal grant's
    own row is the truth about it.
    """

    slug: str

    @property
    def is_internal(self) -> bool:
        """Tell that we are the platform ourselves."""
        return True

    def grant_bonus(self, order: BonusOrder) -> PlatformBonus:
        """Grant the bonus; the same order again is the same bonus."""
        return PlatformBonus(
            platform_bonus_id=f"{PREFIX}{order.grant_id}",
            status=GrantStatus.ACTIVE,
            amount=order.amount,
            currency=order.currency,
        )

    def cancel_bonus(self, *, grant_id: UUID, platform_bonus_id: str, reason: str) -> None:
        """Do nothing: there is nobody to tell."""

    def get_bonus(
        self, *, platform_bonus_id: str, currency: str, grant_id: UUID | None = None
    ) -> PlatformView:
        """
        Refuse: there is no platform that could look.

        :raises PlatformBonusUnknown: always.
        """
        raise PlatformBonusUnknown(f"No platform holds {platform_bonus_id}.")

    def pay_out(self, order: PayoutOrder) -> PaidOut:
        """
        Refuse: the wallet is ours, and jackpots post the win to it themselves.

        :raises PayoutRejected: always.
        """
        raise PayoutRejected("WALLET_IS_OURS", "No platform holds the player's wallet.")
