"""
Money that players move out of their hands: withdrawals, tips, and to the vault and back.

All of them may be forbidden by a promo. Each asks twice: before, so that the refusal is
the promo's and not the balance's, and again once the account is locked. A claim may credit
a bonus without a row of the player's to wait for; the second look sees what a claim that
came first has forbidden, before its money leaves.
"""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from activity.models import Withdrawal
from activity.services import refusals
from core import audit
from core.actors import Actor
from core.errors import InvalidRequest
from core.models import new_id
from operators.models import Operator
from players.models import Player
from players.selectors import get_player
from promos.services import open_promos, restrictions
from wallets.enums import AccountKind, Tag
from wallets.services import transfers
from wallets.services.transfers import AccountKey, Posting

if TYPE_CHECKING:
    from wallets.models import Transfer

#: What a promo calls that which it forbids.
_RESTRICTED_AS = {Tag.WITHDRAWAL: "withdraw", Tag.TIP: "tip", Tag.VAULT: "vault"}


@transaction.atomic
def withdraw_money(
    *,
    operator: Operator,
    player_reference: str,
    amount: Decimal,
    currency: str,
    reference: str | None,
    actor: Actor,
    now: datetime,
) -> "Transfer":
    """
    Debit the player's main balance to the house's cash. Joins the caller's transaction.

    Self-excluded players may withdraw.

    :raises NotFound: if the operator has no such player.
    :raises InvalidRequest: if the wallet is in another currency, or the currency has fewer
        decimals than the amount.
    :raises PlayerBlocked: if the operator has blocked the player.
    :raises PromoCodeIsActive: if a promo of the player is active.
    :raises WithdrawalsBlocked: if a lock on withdrawals runs; ``until`` says how long.
    :raises InsufficientFunds: if the main balance is less than the amount.
    :raises CashierReferenceTaken: if the operator has a withdrawal of that reference.
    """
    player = _paying_player(operator, player_reference, amount=amount, currency=currency)
    withdrawal_id = new_id()
    withdrawal = Withdrawal(
        id=withdrawal_id,
        operator=operator,
        player=player,
        reference=reference or str(withdrawal_id),
        amount=amount,
        currency=currency,
        withdrawn_at=now,
    )
    with refusals.refusing_taken_reference():
        withdrawal.save(force_insert=True)
    posting = Posting(
        debit=_main(player),
        credit=AccountKey(AccountKind.HOUSE_CASH, currency),
        amount=amount,
        tag=Tag.WITHDRAWAL,
        reference=f"withdrawal:{withdrawal.reference}",
    )
    return _move_unless_restricted(
        operator, player, posting, event="activity.withdrawal.made", actor=actor, now=now
    )


@transaction.atomic
def tip_player(
    *,
    operator: Operator,
    player_reference: str,
    to_player_reference: str,
    amount: Decimal,
    currency: str,
    actor: Actor,
    now: datetime,
) -> "Transfer":
    """
    Move money from one player's main balance to another's. Joins the caller's transaction.

    :raises NotFound: if the operator has not both players.
    :raises InvalidRequest: if either wallet is in another currency, the currency has fewer
        decimals than the amount, or the players are one.
    :raises PlayerBlocked: if the operator has blocked the sender.
    :raises PromoCodeIsActive: if the sender has a promo that is claimed or active.
    :raises InsufficientFunds: if the sender's main balance is less than the amount.
    """
    player = _paying_player(operator, player_reference, amount=amount, currency=currency)
    receiver = get_player(operator=operator, reference=to_player_reference)
    if receiver.pk == player.pk:
        raise InvalidRequest.for_field("to_player_id", "Players cannot tip themselves.")
    if receiver.currency != currency:
        raise InvalidRequest.for_field(
            "currency", f"The wallet of the player to tip is in {receiver.currency}."
        )
    posting = Posting(
        debit=_main(player),
        credit=_main(receiver),
        amount=amount,
        tag=Tag.TIP,
        reference=f"tip:{new_id()}",
    )
    return _move_unless_restricted(
        operator, player, posting, event="activity.tip.sent", actor=actor, now=now
    )


@transaction.atomic
def fill_vault(
    *,
    operator: Operator,
    player_reference: str,
    amount: Decimal,
    currency: str,
    actor: Actor,
    now: datetime,
) -> "Transfer":
    """
    Move money from the player's main balance to the vault. Joins the caller's transaction.

    :raises NotFound: if the operator has no such player.
    :raises InvalidRequest: if the wallet is in another currency, or the currency has fewer
        decimals than the amount.
    :raises PlayerBlocked: if the operator has blocked the player.
    :raises PromoCodeIsActive: if the player has a promo that is claimed or active.
    :raises InsufficientFunds: if the main balance is less than the amount.
    """
    player = _paying_player(operator, player_reference, amount=amount, currency=currency)
    posting = Posting(
        debit=_main(player),
        credit=_vault(player),
        amount=amount,
        tag=Tag.VAULT,
        reference=f"vault:{new_id()}",
    )
    return _move_unless_restricted(
        operator, player, posting, event="activity.vault.filled", actor=actor, now=now
    )


@transaction.atomic
def empty_vault(
    *,
    operator: Operator,
    player_reference: str,
    amount: Decimal,
    currency: str,
    actor: Actor,
    now: datetime,
) -> "Transfer":
    """
    Move money from the player's vault to the main balance. Joins the caller's transaction.

    :raises NotFound: if the operator has no such player.
    :raises InvalidRequest: if the wallet is in another currency, or the currency has fewer
        decimals than the amount.
    :raises PlayerBlocked: if the operator has blocked the player.
    :raises PromoCodeIsActive: if the player has a promo that is claimed or active.
    :raises InsufficientFunds: if the vault holds less than the amount.
    """
    player = _paying_player(operator, player_reference, amount=amount, currency=currency)
    posting = Posting(
        debit=_vault(player),
        credit=_main(player),
        amount=amount,
        tag=Tag.VAULT,
        reference=f"vault:{new_id()}",
    )
    return _move_unless_restricted(
        operator, player, posting, event="activity.vault.emptied", actor=actor, now=now
    )


def _paying_player(operator: Operator, reference: str, *, amount: Decimal, currency: str) -> Player:
    player = get_player(operator=operator, reference=reference)
    refusals.refuse_other_currency(player=player, currency=currency)
    refusals.refuse_fractions(field="amount", amount=amount, currency=currency)
    refusals.refuse_blocked(player=player)
    return player


def _move_unless_restricted(
    operator: Operator,
    player: Player,
    posting: Posting,
    *,
    event: str,
    actor: Actor,
    now: datetime,
) -> "Transfer":
    """Post it unless a promo forbids it, and record it as ``event``."""
    action = _RESTRICTED_AS[posting.tag]
    open_promos.lock_live_promo(operator=operator, player=player, actor=actor, now=now)
    restrictions.refuse_if_restricted(operator=operator, player=player, action=action, now=now)
    [transfer] = transfers.post_transfers(operator=operator, postings=[posting], now=now)
    restrictions.refuse_if_restricted(operator=operator, player=player, action=action, now=now)
    audit.record_action(
        operator=operator,
        actor=actor,
        action=event,
        subject=transfer,
        after={
            "player_id": player.reference,
            "amount": str(transfer.amount),
            "currency": transfer.currency,
            "reference": transfer.reference,
        },
        now=now,
    )
    return transfer


def _main(player: Player) -> AccountKey:
    return AccountKey(AccountKind.PLAYER_MAIN, player.currency, player_id=player.pk)


def _vault(player: Player) -> AccountKey:
    return AccountKey(AccountKind.PLAYER_VAULT, player.currency, player_id=player.pk)
