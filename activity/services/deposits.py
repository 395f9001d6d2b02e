"""Deposits: money that players bring, which may activate or cancel a claimed promo."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from activity.models import Deposit
from activity.services import refusals
from bonuses.services import offers
from core import audit, money
from core.actors import Actor
from core.models import new_id
from operators.models import Operator
from operators.selectors import UsdRate, get_usd_rate
from players.models import Player
from players.selectors import get_player
from players.services import totals
from promos.services import activation, open_promos
from wallets.enums import AccountKind, Tag
from wallets.services import transfers
from wallets.services.transfers import AccountKey, Posting

if TYPE_CHECKING:
    from bonuses.models import BonusIssuance
    from promos.models import UserPromo
    from wallets.models import Transfer


@dataclass(frozen=True, slots=True)
class MadeDeposit:
    """The transfer, the promo that was open, and the offers that it armed."""

    transfer: "Transfer"
    user_promo: "UserPromo | None"
    armed: "list[BonusIssuance]"


@transaction.atomic
def make_deposit(
    *,
    operator: Operator,
    player_reference: str,
    amount: Decimal,
    currency: str,
    reference: str | None,
    actor: Actor,
    now: datetime,
) -> MadeDeposit:
    """
    Credit the player's main balance from the house's cash; promo and waiting bonuses decide.

    The first deposit after a claim activates the promo or, below its floor, cancels it. Every
    offer of a bonus that waits for a deposit like this is armed. Joins the caller's transaction.

    :raises NotFound: if the operator has no such player.
    :raises InvalidRequest: if the wallet is in another currency, or the currency has fewer
        decimals than the amount.
    :raises PlayerBlocked: if the operator has blocked the player.
    :raises PlayerSelfExcluded: if the player has excluded themselves.
    :raises ExchangeRateMissing: if the currency has no rate in US dollars.
    :raises CashierReferenceTaken: if the operator has a deposit of that reference.
    :raises ResourceBusy: if the promo or the account is in use.
    """
    player = get_player(operator=operator, reference=player_reference)
    refusals.refuse_other_currency(player=player, currency=currency)
    refusals.refuse_fractions(field="amount", amount=amount, currency=currency)
    refusals.refuse_excluded(player=player, now=now)
    rate = get_usd_rate(operator=operator, currency=currency, now=now)

    deposit = _record(player, amount=amount, rate=rate, reference=reference, now=now)
    user_promo = open_promos.lock_live_promo(operator=operator, player=player, actor=actor, now=now)
    waiting = offers.lock_waiting_offers(operator=operator, player=player)
    [transfer] = transfers.post_transfers(operator=operator, postings=[_posting(deposit)], now=now)
    if user_promo is not None:
        user_promo = activation.apply_deposit(
            user_promo=user_promo,
            amount=amount,
            currency=currency,
            usd_amount=deposit.usd_amount,
            usd_rate=rate,
            actor=actor,
            now=now,
        )
    armed = offers.arm_offers(offers=waiting, deposit_amount=amount, actor=actor, now=now)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="activity.deposit.made",
        subject=deposit,
        after={
            "player_id": player.reference,
            "amount": str(amount),
            "currency": currency,
            "reference": deposit.reference,
        },
        now=now,
    )
    totals.add_deposit(operator=operator, player_id=player.pk, usd_amount=deposit.usd_amount)
    return MadeDeposit(transfer=transfer, user_promo=user_promo, armed=armed)


def _record(
    player: Player, *, amount: Decimal, rate: UsdRate, reference: str | None, now: datetime
) -> Deposit:
    deposit_id = new_id()
    deposit = Deposit(
        id=deposit_id,
        operator_id=player.operator_id,
        player=player,
        reference=reference or str(deposit_id),
        amount=amount,
        currency=rate.currency,
        usd_rate=rate.rate,
        usd_rate_at=rate.valid_from,
        usd_amount=money.convert(amount, rate.rate),
        deposited_at=now,
    )
    with refusals.refusing_taken_reference():
        deposit.save(force_insert=True)
    return deposit


def _posting(deposit: Deposit) -> Posting:
    return Posting(
        debit=AccountKey(AccountKind.HOUSE_CASH, deposit.currency),
        credit=AccountKey(AccountKind.PLAYER_MAIN, deposit.currency, player_id=deposit.player_id),
        amount=deposit.amount,
        tag=Tag.DEPOSIT,
        reference=f"deposit:{deposit.reference}",
    )
