"""Names accounts, builds them, and puts money into them."""

import itertools
from datetime import datetime
from decimal import Decimal
from typing import Any

import factory

from players.models import Player
from tests.factories.operators import LONG_AGO, OperatorFactory
from wallets.enums import AccountKind, Tag
from wallets.models import Account, Transfer
from wallets.services import transfers
from wallets.services.transfers import AccountKey, Posting

_numbers = itertools.count(1)


class AccountFactory(factory.django.DjangoModelFactory[Account]):
    """The hot account of an operator's games. Give ``player`` (and a kind) for a player's."""

    class Meta:
        model = Account

    operator = factory.SubFactory(OperatorFactory)
    kind = AccountKind.HOUSE_GAMES
    currency = "EUR"
    player = None
    balance = factory.LazyAttribute(lambda account: None if account.player is None else Decimal(0))


def main_of(player: Player) -> AccountKey:
    """Return the key of the player's main account."""
    return AccountKey(AccountKind.PLAYER_MAIN, player.currency, player_id=player.pk)


def vault_of(player: Player) -> AccountKey:
    """Return the key of the player's vault."""
    return AccountKey(AccountKind.PLAYER_VAULT, player.currency, player_id=player.pk)


def house(kind: AccountKind = AccountKind.HOUSE_GAMES, currency: str = "EUR") -> AccountKey:
    """Return the key of one of the house's accounts."""
    return AccountKey(kind, currency)


def posting(debit: AccountKey, credit: AccountKey, amount: Any, **kwargs: Any) -> Posting:
    """Return a bet of that amount, with a reference of its own. Give members to change it."""
    members = {"tag": Tag.BET, "reference": f"posting-{next(_numbers)}"} | kwargs
    return Posting(debit=debit, credit=credit, amount=Decimal(amount), **members)


def deposit(player: Player, amount: Any, *, now: datetime = LONG_AGO) -> Transfer:
    """Give the player money, by the real service, so that it is really there."""
    [transfer] = transfers.post_transfers(
        operator=player.operator,
        postings=[
            posting(
                house(AccountKind.HOUSE_CASH, player.currency),
                main_of(player),
                amount,
                tag=Tag.DEPOSIT,
            )
        ],
        now=now,
    )
    return transfer


def held_by(player: Player, kind: AccountKind = AccountKind.PLAYER_MAIN) -> Decimal | None:
    """Return the balance column of the player's account; None if it has not been opened."""
    return (
        Account.objects.filter(player=player, kind=kind).values_list("balance", flat=True).first()
    )
