"""
The money of our own grants: in at the issue, out at the end.

Each grant has an account of its own, so what is bonus and what is not is never mixed.
Amounts of nothing post no transfer. Accounts are locked before their balance decides
anything, after every row of bonuses.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from bonuses.models import BonusGrant
from bonuses.rules.wagering import Release
from operators.models import Operator
from wallets.enums import AccountKind, Tag
from wallets.services import transfers
from wallets.services.balances import lock_balances
from wallets.services.transfers import AccountKey, Conversion, Posting


@dataclass(frozen=True, slots=True)
class GrantAccounts:
    """Between which accounts the money of a grant moves."""

    #: The player's own money.
    main: AccountKey
    #: The grant's.
    bonus: AccountKey
    #: What bonuses cost.
    cost: AccountKey
    #: What win caps held back.
    excess: AccountKey
    #: Where stakes go, and payouts come from.
    games: AccountKey


def accounts_of(*, grant: BonusGrant) -> GrantAccounts:
    """Return the accounts of one of our own grants."""
    currency, player_id = grant.bonus_currency, grant.player_id
    return GrantAccounts(
        main=AccountKey(AccountKind.PLAYER_MAIN, currency, player_id=player_id),
        bonus=AccountKey(
            AccountKind.PLAYER_BONUS, currency, player_id=player_id, owner=str(grant.pk)
        ),
        cost=AccountKey(AccountKind.BONUS_COST, currency),
        excess=AccountKey(AccountKind.BONUS_EXCESS, currency),
        games=AccountKey(AccountKind.HOUSE_GAMES, currency),
    )


@transaction.atomic(savepoint=False)
def credit_grant(*, operator: Operator, grant: BonusGrant, now: datetime) -> None:
    """
    Put the bonus into the grant's account. Joins the transaction that writes the grant.

    :raises WalletCurrencyDiffers: if the player's wallet is in another currency by now.
    :raises ResourceBusy: if the account is in use.
    """
    assert grant.is_internal, f"a platform holds the money of {grant}"
    conversion = None
    if grant.rate is not None:
        assert grant.original_amount is not None, "a rate has its original amount"
        assert grant.original_currency is not None, "a rate has its original currency"
        conversion = Conversion(
            grant.original_amount, grant.original_currency, grant.rate, grant.fx_locked_at
        )
    accounts = accounts_of(grant=grant)
    posting = Posting(
        debit=accounts.cost,
        credit=accounts.bonus,
        amount=grant.bonus_amount,
        tag=Tag.BONUS,
        reference=f"bonus:{grant.pk}:credit",
        conversion=conversion,
    )
    transfers.post_transfers(operator=operator, postings=[posting], now=now)


@transaction.atomic(savepoint=False)
def lock_bonus_balance(*, operator: Operator, grant: BonusGrant) -> Decimal:
    """
    Lock the grant's account, and the player's main account with it; return what it holds.

    :raises ResourceBusy: if an account is in use.
    """
    owner = str(grant.pk)
    locked = lock_balances(
        operator=operator,
        player_id=grant.player_id,
        currency=grant.bonus_currency,
        owners=[owner],
    )
    return locked.bonus[owner]


@transaction.atomic(savepoint=False)
def release_bonus(
    *, operator: Operator, grant: BonusGrant, release: Release, now: datetime
) -> None:
    """
    Empty the account of a completed grant: into the main balance, and what is above the cap.

    The caller holds the account locked, and ``release`` is all that it holds.
    """
    accounts = accounts_of(grant=grant)
    postings = [
        Posting(
            debit=accounts.bonus,
            credit=credit,
            amount=amount,
            tag=Tag.BONUS,
            reference=f"bonus:{grant.pk}:{move}",
        )
        for credit, amount, move in (
            (accounts.main, release.main, "release"),
            (accounts.excess, release.excess, "excess"),
        )
        if amount
    ]
    if postings:
        transfers.post_transfers(operator=operator, postings=postings, now=now)


@transaction.atomic(savepoint=False)
def claw_back_bonus(
    *, operator: Operator, grant: BonusGrant, amount: Decimal, now: datetime
) -> None:
    """Empty the account of a grant that has ended; the caller holds it, and the amount is all."""
    if amount == 0:
        return
    accounts = accounts_of(grant=grant)
    posting = Posting(
        debit=accounts.bonus,
        credit=accounts.cost,
        amount=amount,
        tag=Tag.BONUS,
        reference=f"bonus:{grant.pk}:clawback",
    )
    transfers.post_transfers(operator=operator, postings=[posting], now=now)
