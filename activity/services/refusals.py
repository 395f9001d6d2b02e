"""What every command asks of the player and the amount before it moves money."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError
from psycopg.errors import UniqueViolation

from activity.errors import CashierReferenceTaken
from core import money
from core.errors import InvalidRequest
from players.errors import PlayerBlocked, PlayerSelfExcluded
from players.models import Player
from wallets.errors import WalletCurrencyDiffers


def refuse_blocked(*, player: Player) -> None:
    """
    Do nothing if the operator has not blocked the player.

    :raises PlayerBlocked: if it has.
    """
    if player.is_blocked:
        raise PlayerBlocked("The player is blocked.")


def refuse_excluded(*, player: Player, now: datetime) -> None:
    """
    Do nothing if the player is neither blocked nor self-excluded.

    :raises PlayerBlocked: if the operator has blocked the player.
    :raises PlayerSelfExcluded: if the player has excluded themselves.
    """
    refuse_blocked(player=player)
    if player.is_self_excluded(now=now):
        raise PlayerSelfExcluded("The player is self-excluded.")


def refuse_other_currency(*, player: Player, currency: str) -> None:
    """
    Do nothing if the player's wallet is in ``currency``.

    :raises WalletCurrencyDiffers: if it is in another.
    """
    if player.currency != currency:
        raise WalletCurrencyDiffers.for_field(
            "currency", f"The player's wallet is in {player.currency}."
        )


def refuse_fractions(*, field: str, amount: Decimal, currency: str) -> None:
    """
    Do nothing if ``amount`` has no more decimals than ``currency`` has.

    :raises InvalidRequest: that names ``field``, if it has more.
    """
    unit = money.get_currency(currency)
    if not money.has_only_minor_units(amount, unit):
        raise InvalidRequest.for_field(
            field, f"{currency} has {unit.decimals} decimals; the amount has more."
        )


@contextmanager
def refusing_taken_reference() -> Iterator[None]:
    """
    Insert, in the block, the row of a deposit or withdrawal.

    :raises CashierReferenceTaken: if the operator has one of that reference.
    """
    try:
        yield
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        raise CashierReferenceTaken(
            "The reference has been used. Give every deposit and withdrawal one of its own."
        ) from error
