"""Transfers between pots: money of a raffle moves to its first pot, and on to its next run."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from jackpots.enums import EntryKind
from jackpots.models import Pot, PotEntry
from operators.models import Operator


@transaction.atomic(savepoint=False)
def transfer_between_pots(
    *, operator: Operator, source: Pot, target: Pot, amount: Decimal, now: datetime
) -> None:
    """
    Write down that ``amount`` left one pot and came into the other.

    Joins the caller's transaction, which holds the rows of both instances and moves the
    money in the pots' own columns.
    """
    PotEntry.objects.bulk_create(
        PotEntry(
            operator=operator,
            pot=pot,
            cycle=pot.cycle,
            kind=kind,
            amount=amount,
            counterpart=counterpart,
            created_at=now,
        )
        for pot, kind, counterpart in (
            (source, EntryKind.TRANSFER_OUT, target),
            (target, EntryKind.TRANSFER_IN, source),
        )
    )
