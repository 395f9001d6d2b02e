"""
The money of promos: the bonus in, the clawback out, and the move into the vault.

Amounts of nothing post no transfer. The player's main account is locked before its balance
decides anything, after every row of promos and before nothing of them.
"""

from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.utils import OperationalError
from psycopg.errors import LockNotAvailable

from core.errors import ResourceBusy
from operators.models import Operator
from promos.models import UserPromo
from wallets.enums import AccountKind, Tag
from wallets.services import transfers
from wallets.services.transfers import AccountKey, Conversion, Posting


@transaction.atomic(savepoint=False)
def credit_bonus(
    *,
    operator: Operator,
    user_promo: UserPromo,
    original_amount: Decimal,
    original_currency: str,
    now: datetime,
) -> None:
    """
    Pay the claim's bonus into the player's main balance.

    The original is what the promo's terms say, before conversion. If the bonus is nothing, no
    account is touched.

    :raises ResourceBusy: if the account is in use.
    """
    postings = prepare_bonus(
        user_promo=user_promo, original_amount=original_amount, original_currency=original_currency
    )
    if postings:
        transfers.post_transfers(operator=operator, postings=postings, now=now)


def prepare_bonus(
    *, user_promo: UserPromo, original_amount: Decimal, original_currency: str
) -> list[Posting]:
    """Return the posting that pays the claim's bonus; none if the bonus is nothing."""
    amount, currency = user_promo.bonus_amount, user_promo.bonus_currency
    assert amount is not None, "no bonus to credit"
    if amount == 0:
        return []
    conversion = None
    if user_promo.rate is not None:
        assert user_promo.rate_at is not None, "a rate has its instant"
        conversion = Conversion(
            original_amount, original_currency, user_promo.rate, user_promo.rate_at
        )
    return [
        Posting(
            debit=AccountKey(AccountKind.PROMO_COST, currency),
            credit=_main(user_promo),
            amount=amount,
            tag=Tag.PROMO,
            reference=f"promo:{user_promo.pk}:bonus",
            conversion=conversion,
        )
    ]


@transaction.atomic(savepoint=False)
def take_back_bonus(
    *, operator: Operator, user_promo: UserPromo, amount: Decimal, now: datetime
) -> None:
    """
    Take ``amount`` of the claim's bonus back out of the player's main balance.

    :raises InsufficientFunds: if the balance is less; see lock_main_balance.
    """
    if amount == 0:
        return
    posting = Posting(
        debit=_main(user_promo),
        credit=AccountKey(AccountKind.PROMO_COST, user_promo.bonus_currency),
        amount=amount,
        tag=Tag.PROMO,
        reference=f"promo:{user_promo.pk}:clawback",
    )
    transfers.post_transfers(operator=operator, postings=[posting], now=now)


@transaction.atomic(savepoint=False)
def move_to_vault(
    *, operator: Operator, user_promo: UserPromo, balance: Decimal, now: datetime
) -> None:
    """Move the player's whole main balance, which the caller holds locked, into the vault."""
    if balance == 0:
        return
    posting = Posting(
        debit=_main(user_promo),
        credit=AccountKey(
            AccountKind.PLAYER_VAULT, user_promo.bonus_currency, player_id=user_promo.player_id
        ),
        amount=balance,
        tag=Tag.VAULT,
        reference=f"promo:{user_promo.pk}:vault",
    )
    transfers.post_transfers(operator=operator, postings=[posting], now=now)


@transaction.atomic(savepoint=False)
def lock_main_balance(*, operator: Operator, user_promo: UserPromo) -> Decimal:
    """
    Lock the player's main account and return its balance; 0 if there is no account yet.

    :raises ResourceBusy: if the account is in use.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT promos_lock_main_balance(%s, %s, %s)",
                [operator.pk, user_promo.player_id, user_promo.bonus_currency],
            )
            balance: Decimal = cursor.fetchone()[0]
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise ResourceBusy("The account is in use. Send it again.") from error
        raise
    return balance


def _main(user_promo: UserPromo) -> AccountKey:
    return AccountKey(
        AccountKind.PLAYER_MAIN, user_promo.bonus_currency, player_id=user_promo.player_id
    )
