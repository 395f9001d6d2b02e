"""Locks what a player may bet with, before it decides anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.utils import OperationalError
from psycopg.errors import LockNotAvailable

from core.errors import ResourceBusy
from core.prepared import prepared_cursor
from operators.models import Operator


@dataclass(frozen=True, slots=True)
class LockedBalances:
    """What a player holds, in accounts that stay locked until the transaction ends."""

    main: Decimal
    #: By owner, the id of the grant; an account that nobody has opened holds nothing.
    bonus: Mapping[str, Decimal]


@transaction.atomic(savepoint=False)
def lock_balances(
    *, operator: Operator, player_id: int, currency: str, owners: Sequence[str]
) -> LockedBalances:
    """
    Lock the player's main account and the bonus accounts of ``owners``; return what they hold.

    In the order of their ids, so hand over all that one change may touch. Joins the
    caller's transaction.

    :raises ResourceBusy: if an account is in use.
    """
    try:
        cursor = prepared_cursor()
        cursor.execute(
            "SELECT owner, balance FROM wallets_lock_balances(%s, %s, %s, %s)",
            [operator.pk, player_id, currency, list(owners)],
        )
        held = dict(cursor.fetchall())
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise ResourceBusy("The account is in use. Send it again.") from error
        raise
    zero = Decimal(0)
    return LockedBalances(
        main=held.get("", zero), bonus={owner: held.get(owner, zero) for owner in owners}
    )
