"""
What jackpots need of a casino platform: that it pays a win where it holds the wallet.

``adapters`` implements it; the setting ``JACKPOT_PAYOUTS`` names the implementation, so no
rule in here knows a vendor. Channels do network only: they never touch the database when
they pay, and they are never called inside a transaction.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, cast
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from operators.models import Operator


class PayoutRejected(Exception):
    """The platform understood and refused."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class PayoutUnavailable(Exception):
    """Whether the platform paid is not known: no answer, or none that can be used."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class PayoutOrder:
    """A win to be paid. ``payout_id`` is the win's, and the platform's idempotency key."""

    payout_id: UUID
    player_reference: str
    amount: Decimal
    currency: str
    instance_id: UUID
    pot: str
    cause: str


@dataclass(frozen=True, slots=True)
class PaidOut:
    """A payout that was made; the platform's id for it is empty if it did not say."""

    platform_payout_id: str


class PayoutChannel(Protocol):
    """
    The way by which one operator's players get their wins.

    ``is_internal``: our own ledger holds the players' money, and there is nobody to ask.
    """

    @property
    def slug(self) -> str:
        """Return the name that is unique across operators."""
        ...

    @property
    def is_internal(self) -> bool:
        """Tell whether the wallet is ours."""
        ...

    def pay_out(self, order: PayoutOrder) -> PaidOut:
        """
        Pay a win; one that was paid before under the same id is not paid again.

        :raises PayoutRejected: if the platform refused.
        :raises PayoutUnavailable: if it is not known whether it paid.
        """
        ...


class PayoutRegistry(Protocol):
    """Where channels are found."""

    def default_channel(self, *, operator: Operator) -> PayoutChannel:
        """Return the channel through which the operator's wins are paid."""
        ...

    def get_channel(self, *, slug: str) -> PayoutChannel:
        """
        Return the channel of that slug.

        :raises NotFound: if there is none.
        """
        ...


def get_payouts() -> PayoutRegistry:
    """Return the registry that the setting ``JACKPOT_PAYOUTS`` names."""
    return cast("PayoutRegistry", import_string(settings.JACKPOT_PAYOUTS))
