"""
The money of bets: the stake in, the payout out, and both back.

The main balance's part has the bet's own references. What bonus money pays, and gets, is
decided in bonuses; both are posted in one call.
"""

from datetime import datetime

from django.db import transaction

from activity.models import Bet
from activity.services.standing import Standing
from bonuses.services import funding
from core.actors import Actor
from operators.models import Operator
from wallets.enums import AccountKind, Tag
from wallets.services import transfers
from wallets.services.transfers import AccountKey, Posting


@transaction.atomic(savepoint=False)
def take_stake(
    *, operator: Operator, bet: Bet, standing: Standing, actor: Actor, now: datetime
) -> None:
    """
    Take the stake of a bet that was just placed and, if it came with a payout, pay that.

    A stake above the maximum bet of a grant forfeits it in between, so that its share of the
    payout stays with the house. Joins the caller's transaction.

    :raises InsufficientFunds: if the main balance and the bonuses hold less than the stake.
    :raises ResourceBusy: if an account is in use.
    """
    part = funding.fund_stake(
        operator=operator,
        player=bet.player,
        grants=standing.live,
        game=bet.game,
        bet_ref=str(bet.pk),
        stake=bet.stake,
        now=now,
    )
    bet.bonus_stake, standing.funders = part.amount, standing.live
    postings = [*_main_stake(bet), *part.postings]
    if funding.list_forfeited_by(grants=standing.live, stake=bet.stake):
        transfers.post_transfers(operator=operator, postings=postings, now=now)
        postings = []
        funding.forfeit_over_max_bet(grants=standing.live, stake=bet.stake, actor=actor, now=now)
    if bet.is_settled:
        postings += _payout(bet, standing, now=now)
    if bet.bonus_stake:
        bet.save(update_fields=["bonus_stake", "bonus_payout"])
    if postings:
        transfers.post_transfers(operator=operator, postings=postings, now=now)


@transaction.atomic(savepoint=False)
def pay_payout(*, operator: Operator, bet: Bet, standing: Standing, now: datetime) -> None:
    """
    Pay the outcome of a bet that was just settled, to those who paid its stake.

    Joins the caller's transaction.

    :raises ResourceBusy: if an account is in use.
    """
    postings = _payout(bet, standing, now=now)
    if bet.bonus_payout:
        bet.save(update_fields=["bonus_payout"])
    if postings:
        transfers.post_transfers(operator=operator, postings=postings, now=now)


@transaction.atomic(savepoint=False)
def pay_back(*, operator: Operator, bet: Bet, standing: Standing, now: datetime) -> None:
    """
    Give the stake of a bet back, and take its payout back, where each came from.

    Joins the caller's transaction.

    :raises InsufficientFunds: if the player, with the stake back, has less than the payout.
    :raises ResourceBusy: if an account is in use.
    """
    gives = [bet.stake_reference] if bet.main_stake else []
    takes = [bet.payout_reference] if bet.main_payout else []
    undone = funding.TakenBack()
    if bet.bonus_stake:
        undone = funding.roll_back_fundings(grants=standing.funders, bet_ref=str(bet.pk), now=now)
    # The stake first: it may well pay for what the player no longer has of the payout.
    postings = [
        *(
            transfers.prepare_reversal(operator=operator, reference=reference)
            for reference in gives
        ),
        *undone.gives,
        *(
            transfers.prepare_reversal(operator=operator, reference=reference)
            for reference in takes
        ),
        *undone.takes,
    ]
    if postings:
        transfers.post_transfers(operator=operator, postings=postings, now=now)


def _payout(bet: Bet, standing: Standing, *, now: datetime) -> list[Posting]:
    """Decide what of the payout is the bonuses', and return what moves all of it."""
    assert bet.payout is not None, "nothing to pay out"
    part = funding.BonusPart()
    if bet.bonus_stake:
        part = funding.settle_fundings(
            grants=standing.funders,
            bet_ref=str(bet.pk),
            stake=bet.stake,
            payout=bet.payout,
            currency=bet.currency,
            now=now,
        )
    bet.bonus_payout = part.amount
    return [*_main_payout(bet), *part.postings]


def _main_stake(bet: Bet) -> list[Posting]:
    if not bet.main_stake:
        return []
    return [
        Posting(
            debit=_main_of(bet),
            credit=AccountKey(AccountKind.HOUSE_GAMES, bet.currency),
            amount=bet.main_stake,
            tag=Tag.BET,
            reference=bet.stake_reference,
        )
    ]


def _main_payout(bet: Bet) -> list[Posting]:
    if not bet.main_payout:
        return []
    return [
        Posting(
            debit=AccountKey(AccountKind.HOUSE_GAMES, bet.currency),
            credit=_main_of(bet),
            amount=bet.main_payout,
            tag=Tag.WIN,
            reference=bet.payout_reference,
        )
    ]


def _main_of(bet: Bet) -> AccountKey:
    return AccountKey(AccountKind.PLAYER_MAIN, bet.currency, player_id=bet.player_id)
