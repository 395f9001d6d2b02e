"""
What bonuses need of a casino platform, and of the bets that players made.

``adapters`` implements platforms; the setting ``BONUS_ADAPTERS`` names the implementation, so
no rule in here knows a vendor. Adapters do network only: they never touch the database in
the calls below, and they are never called inside a transaction.

``activity`` knows the bets; the setting ``BONUS_LOSSES`` names what sums them up. That is a
read of our own database, and may be done anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, cast
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from operators.models import Operator


class PlatformRejected(Exception):
    """The platform understood and refused: asking again would change nothing."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class PlatformUnavailable(Exception):
    """Whether the platform did it is not known: no answer, or none that can be used."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class PlatformBonusUnknown(Exception):
    """The platform has no bonus of that id."""


@dataclass(frozen=True, slots=True)
class BonusOrder:
    """A bonus to be granted. ``grant_id`` is the platform's idempotency key as well."""

    grant_id: UUID
    player_reference: str
    bonus_type: str
    amount: Decimal
    currency: str
    wagering_multiplier: Decimal
    wagering_basis: str
    max_bet: Decimal | None
    expires_at: datetime | None
    config: Mapping[str, Any]
    granted_by: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PlatformBonus:
    """
    A bonus as the platform granted it.

    Amount and currency are null if the platform did not say; if it did, they may differ
    from the order's, and that is the caller's to notice.
    """

    platform_bonus_id: str
    status: str
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class PlatformView:
    """
    A bonus as the platform sees it now.

    ``status`` is a GrantStatus, or ``credited`` or ``pending`` (both active). Amounts are
    totals since the grant, in the grant's currency; null if the platform did not say. ``at`` is
    when it came to that by the platform's clock, which decides nothing.
    """

    platform_bonus_id: str
    status: str
    wagered_amount: Decimal | None = None
    weighted_progress: Decimal | None = None
    reason: str = ""
    at: datetime | None = None


class BonusAdapter(Protocol):
    """
    One operator's connection to one casino platform.

    ``is_internal``: there is no platform; our own ledger holds the money and our own bets
    advance the wagering. Any other adapter's platform is the truth about its bonuses.
    """

    @property
    def slug(self) -> str:
        """Return the name that is unique across operators."""
        ...

    @property
    def is_internal(self) -> bool:
        """Tell whether we are the platform ourselves."""
        ...

    def grant_bonus(self, order: BonusOrder) -> PlatformBonus:
        """
        Grant a bonus; one that was granted before under the same id is fetched.

        :raises PlatformRejected: if the platform refused.
        :raises PlatformUnavailable: if it is not known whether it did.
        """
        ...

    def cancel_bonus(self, *, grant_id: UUID, platform_bonus_id: str, reason: str) -> None:
        """
        Cancel a bonus.

        :raises PlatformRejected: if the platform refused.
        :raises PlatformUnavailable: if it is not known whether it did.
        """
        ...

    def get_bonus(
        self, *, platform_bonus_id: str, currency: str, grant_id: UUID | None = None
    ) -> PlatformView:
        """
        Return a bonus as the platform sees it now; a question about no grant names none.

        Where the platform's answer to the grant was lost, ``platform_bonus_id`` is the grant's
        id, and the platform tells its own.

        :raises PlatformBonusUnknown: if the platform has no such bonus.
        :raises PlatformRejected: if the platform refused.
        :raises PlatformUnavailable: if it did not answer usably.
        """
        ...


class AdapterRegistry(Protocol):
    """Where adapters are found."""

    def default_adapter(self, *, operator: Operator) -> BonusAdapter:
        """Return the adapter through which the operator's new bonuses go."""
        ...

    def get_adapter(self, *, slug: str) -> BonusAdapter:
        """
        Return the adapter of that slug.

        :raises NotFound: if there is none.
        """
        ...


class SettledLosses(Protocol):
    """What players lost on bets of real money."""

    def __call__(
        self, *, operator: Operator, since_of: Mapping[tuple[int, str], datetime], until: datetime
    ) -> dict[int, Decimal]:
        """
        Return what each lost on bets decided from then to before ``until``, by primary key.

        ``since_of`` says from when on, by the player's primary key and currency. A stake whose
        bet is open is no loss yet. Of many players at once.
        """
        ...


def get_settled_losses() -> SettledLosses:
    """Return what the setting ``BONUS_LOSSES`` names."""
    return cast("SettledLosses", import_string(settings.BONUS_LOSSES))


def get_adapters() -> AdapterRegistry:
    """Return the registry that the setting ``BONUS_ADAPTERS`` names."""
    return cast("AdapterRegistry", import_string(settings.BONUS_ADAPTERS))
