"""Moves money. Every change of a balance goes through wallets_post_transfer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import DatabaseError, transaction
from psycopg.errors import LockNotAvailable, NumericValueOutOfRange, UniqueViolation

from core import money
from core.errors import DomainError, InvalidRequest, NotFound, ResourceBusy
from core.models import new_id
from core.prepared import prepared_cursor
from core.rows import RowOf
from operators.models import Operator
from wallets.enums import PLAYER_KINDS, AccountKind, Tag
from wallets.errors import InsufficientFunds, TransferReferenceReused, WalletCurrencyDiffers
from wallets.models import REFERENCE_LENGTH_MAX, Account, Transfer

_TRANSFER = RowOf(Transfer)
_POSTED = "SELECT {columns} FROM wallets_post_transfers(%s, %s::jsonb, %s) AS {table}"
_POST = _POSTED.format(columns=_TRANSFER.columns, table=Transfer._meta.db_table)


@dataclass(frozen=True, slots=True)
class AccountKey:
    """What names an account; it is opened the first time money moves to or from it."""

    kind: AccountKind
    currency: str
    player_id: int | None = None
    owner: str = ""

    @property
    def is_of_player(self) -> bool:
        """Tell whether the money is a player's."""
        return self.kind in PLAYER_KINDS


@dataclass(frozen=True, slots=True)
class Conversion:
    """Where a converted amount comes from: the original, the rate, and since when it held."""

    original_amount: Decimal
    original_currency: str
    rate: Decimal
    rate_at: datetime


@dataclass(frozen=True, slots=True)
class Posting:
    """
    A transfer to be posted: ``amount`` from ``debit`` to ``credit``.

    ``reference`` names the transfer for ever: posting it again moves nothing.
    """

    debit: AccountKey
    credit: AccountKey
    amount: Decimal
    tag: Tag
    reference: str
    conversion: Conversion | None = None
    reverses_id: int | None = None


# Without a savepoint, which would be two more round trips: one statement is whole or nothing
# by itself. After a refusal the caller's transaction can only be rolled back; who means to go
# on opens an atomic block around the call.
@transaction.atomic(savepoint=False)
def post_transfers(
    *, operator: Operator, postings: Sequence[Posting], now: datetime
) -> list[Transfer]:
    """
    Post the transfers in their order, all of them or none.

    Joins the caller's transaction. Accounts are opened as needed; players' accounts are
    locked in the order of their ids, so hand over in one call all that one change moves. A
    posting whose reference is already posted moves nothing and returns that transfer.

    :raises InsufficientFunds: if a player's account would go below zero.
    :raises TransferReferenceReused: if the reference belongs to a transfer of other content.
    :raises WalletCurrencyDiffers: if a player's wallet is in another currency.
    :raises InvalidRequest: if a balance would be larger than can be stored.
    :raises ResourceBusy: if an account is in use, or the reference is just being posted.
    """
    try:
        cursor = prepared_cursor()
        cursor.execute(_POST, [operator.pk, encode_postings(postings=postings), now])
        return [_TRANSFER.take(iter(row)) for row in cursor.fetchall()]
    except DatabaseError as error:
        refusal = refusal_of(cause=error.__cause__)
        if refusal is None:
            raise
        raise refusal from error


def encode_postings(*, postings: Sequence[Posting]) -> str:
    """Return the postings as wallets_post_transfers takes them, for a function that calls it."""
    for posting in postings:
        _assert_sound(posting)
    references = {posting.reference for posting in postings}
    assert len(references) == len(postings), "two postings of one reference"
    return json.dumps([_payload_of(posting) for posting in postings])


def refusal_of(*, cause: BaseException | None) -> DomainError | None:
    """Return what a failure of wallets_post_transfers means to the caller, or None for a bug."""
    if isinstance(cause, LockNotAvailable):
        return ResourceBusy("The account is in use. Send it again.")
    if isinstance(cause, NumericValueOutOfRange):
        return InvalidRequest("The balance would be larger than can be stored.")
    if isinstance(cause, UniqueViolation):
        # Of two first postings at once, where no player's lock made the second wait and
        # then find the first. Sent again, it will find it.
        is_twin = cause.diag.constraint_name == "transfer_reference_is_unique"
        return ResourceBusy("The transfer is just being posted.") if is_twin else None
    match getattr(cause, "sqlstate", None):
        case "WF001":
            return InsufficientFunds("The account holds less than the amount.")
        case "WF002":
            return WalletCurrencyDiffers("The player has no wallet in this currency.")
        case "WF003":
            return TransferReferenceReused("The reference belongs to another transfer.")
        case _:
            return None


@transaction.atomic(savepoint=False)
def reverse_transfer(*, operator: Operator, reference: str, now: datetime) -> Transfer:
    """
    Move the money of a transfer back, once: again, it returns the first reversal.

    Joins the caller's transaction. A conversion is carried over as it was: what comes back
    is what went, whatever today's rate is.

    :raises NotFound: if the operator has no transfer of that reference.
    :raises InsufficientFunds: if a player no longer has the money.
    :raises ResourceBusy: if an account is in use.
    """
    posting = prepare_reversal(operator=operator, reference=reference)
    [reversal] = post_transfers(operator=operator, postings=[posting], now=now)
    return reversal


def prepare_reversal(*, operator: Operator, reference: str) -> Posting:
    """
    Return the posting that moves the money of a transfer back, to be posted with others.

    Posted again, it moves nothing.

    :raises NotFound: if the operator has no transfer of that reference.
    """
    # Needs no lock: transfers never change, and the reversal's own reference makes it one.
    original = (
        Transfer.objects.for_operator(operator)
        .select_related("debit_account", "credit_account")
        .filter(reference=reference)
        .first()
    )
    if original is None:
        raise NotFound("There is no such transfer.")
    assert original.reverses_id is None, f"reversal of the reversal {reference}"
    return Posting(
        debit=_key_of(original.credit_account),
        credit=_key_of(original.debit_account),
        amount=original.amount,
        tag=Tag.ROLLBACK,
        reference=f"reversal:{original.public_id}",
        conversion=_conversion_of(original),
        reverses_id=original.pk,
    )


def _assert_sound(posting: Posting) -> None:
    amount, currency = posting.amount, money.get_currency(posting.debit.currency)
    assert posting.debit != posting.credit, f"{posting.reference} from an account to itself"
    assert posting.debit.currency == posting.credit.currency, f"{posting.reference} exchanges"
    assert amount.is_finite(), f"transfer of {amount}"
    assert 0 < amount < money.AMOUNT_LIMIT, f"transfer of {amount}"
    assert 1 <= len(posting.reference) <= REFERENCE_LENGTH_MAX, "a reference too long, or none"
    for key in (posting.debit, posting.credit):
        assert key.is_of_player == (key.player_id is not None), f"{key} and its player"
    # A player can hold minor units only; the edges refuse anything finer.
    moves_players_money = posting.debit.is_of_player or posting.credit.is_of_player
    unit = currency.minor_unit if moves_players_money else money.QUANTUM
    assert _is_multiple(amount, unit), f"transfer of {amount} {currency.code}"
    conversion = posting.conversion
    if conversion is not None:
        assert min(conversion.original_amount, conversion.rate) > 0, f"{conversion}"
        assert _is_multiple(conversion.original_amount, money.QUANTUM), f"{conversion}"
        assert _is_multiple(conversion.rate, money.RATE_QUANTUM), f"{conversion}"


def _is_multiple(value: Decimal, unit: Decimal) -> bool:
    return money.EXACT.remainder(value, unit) == 0


def _payload_of(posting: Posting) -> dict[str, Any]:
    # Numbers travel as text: a JSON number would be a float to somebody on the way.
    payload = {
        "public_id": str(new_id()),
        "debit": _payload_of_key(posting.debit),
        "credit": _payload_of_key(posting.credit),
        "amount": f"{posting.amount:f}",
        "tag": posting.tag,
        "reference": posting.reference,
        "reverses_id": posting.reverses_id,
    }
    conversion = posting.conversion
    if conversion is not None:
        payload |= {
            "original_amount": f"{conversion.original_amount:f}",
            "original_currency": conversion.original_currency,
            "rate": f"{conversion.rate:f}",
            "rate_at": conversion.rate_at.isoformat(),
        }
    return payload


def _payload_of_key(key: AccountKey) -> dict[str, Any]:
    return {
        "kind": key.kind,
        "currency": key.currency,
        "player_id": key.player_id,
        "owner": key.owner,
    }


def _key_of(account: Account) -> AccountKey:
    return AccountKey(
        kind=AccountKind(account.kind),
        currency=account.currency,
        player_id=account.player_id,
        owner=account.owner,
    )


def _conversion_of(transfer: Transfer) -> Conversion | None:
    match (
        transfer.original_amount,
        transfer.original_currency,
        transfer.rate,
        transfer.rate_at,
    ):
        case Decimal() as amount, str() as currency, Decimal() as rate, datetime() as rate_at:
            return Conversion(amount, currency, rate, rate_at)
        case _:
            return None
