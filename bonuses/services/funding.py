"""
What bonus money does in a bet: it pays for what the main balance does not, and gets its share.

The caller (activity) holds the bet's row and the grants, and posts what these services
return together with the main balance's part, in one call. The rows of fundings say who paid
what; they are written here, in the transaction of the bet.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum

from bonuses.enums import GrantStatus
from bonuses.models import BetFunding, BonusGrant
from bonuses.rules import wagering as rules
from bonuses.services.endings import forfeit_grant_locked
from bonuses.services.payments import accounts_of
from core import money
from core.actors import Actor
from core.money import EXACT
from games.models import Game
from operators.models import Operator
from players.models import Player
from wallets.enums import Tag
from wallets.errors import InsufficientFunds
from wallets.selectors import get_bonus_balances
from wallets.services.balances import lock_balances
from wallets.services.transfers import AccountKey, Posting

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class BonusPart:
    """The part of a stake or payout that is of bonuses, and the postings that move it."""

    amount: Decimal = _ZERO
    postings: list[Posting] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The postings that undo the bonuses' part of a bet: first what gives, then what takes."""

    gives: list[Posting] = field(default_factory=list)
    takes: list[Posting] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class HeldBonus:
    """What is in the account of one active grant of ours."""

    grant: BonusGrant
    amount: Decimal


# A stake


@transaction.atomic(savepoint=False)
def fund_stake(
    *,
    operator: Operator,
    player: Player,
    grants: Sequence[BonusGrant],
    game: Game,
    bet_ref: str,
    stake: Decimal,
    now: datetime,
) -> BonusPart:
    """
    Decide who pays a stake: the main balance first, then the grants in their order.

    A grant pays on the games that its terms name only. ``grants`` are the player's live ones,
    which the caller holds; without any the main balance pays, if it can. Joins the caller's
    transaction.

    :raises InsufficientFunds: if all of them together hold less.
    :raises ResourceBusy: if an account is in use.
    """
    if not grants:
        return BonusPart()
    locked = lock_balances(
        operator=operator,
        player_id=player.pk,
        currency=player.currency,
        owners=[str(grant.pk) for grant in grants],
    )
    usable = [grant for grant in grants if may_be_bet_on(grant=grant, game=game)]
    parts = rules.split_stake(
        stake=stake,
        main=locked.main,
        bonuses=[locked.bonus[str(grant.pk)] for grant in usable],
    )
    if sum(parts) < stake:
        raise InsufficientFunds("The account holds less than the amount.")
    paying = [(grant, part) for grant, part in zip(usable, parts[1:], strict=True) if part]
    BetFunding.objects.bulk_create(
        [
            BetFunding(grant=grant, bet_ref=bet_ref, stake_amount=part, funded_at=now)
            for grant, part in paying
        ]
    )
    return BonusPart(
        amount=sum((part for _grant, part in paying), _ZERO),
        postings=[
            _posting(
                grant,
                bet_ref,
                "stake",
                debit=accounts_of(grant=grant).bonus,
                credit=accounts_of(grant=grant).games,
                amount=part,
                tag=Tag.BET,
            )
            for grant, part in paying
        ],
    )


def may_be_bet_on(*, grant: BonusGrant, game: Game) -> bool:
    """Tell whether the grant's money may be bet on the game."""
    return grant.eligible_games is None or game.slug in grant.eligible_games


def list_forfeited_by(*, grants: Sequence[BonusGrant], stake: Decimal) -> list[BonusGrant]:
    """Return those of the active grants that a bet with this stake forfeits."""
    return [
        grant
        for grant in grants
        if grant.is_active and rules.is_over_max_bet(stake=stake, max_bet=grant.max_bet)
    ]


@transaction.atomic(savepoint=False)
def forfeit_over_max_bet(
    *, grants: Sequence[BonusGrant], stake: Decimal, actor: Actor, now: datetime
) -> None:
    """
    Forfeit the grants, which the caller holds, whose maximum bet the stake is above.

    Joins the caller's transaction, after the stake was posted: what is left of the money of
    these grants is taken back.

    :raises ResourceBusy: if an account is in use.
    """
    for grant in list_forfeited_by(grants=grants, stake=stake):
        currency = grant.bonus_currency
        assert grant.max_bet is not None, "no maximum, nothing above it"
        staked, most = (money.format_amount(amount, currency) for amount in (stake, grant.max_bet))
        forfeit_grant_locked(
            grant=grant,
            reason=f"A stake of {staked} {currency} is above the maximum bet of {most}.",
            actor=actor,
            now=now,
        )


# A payout


def list_funders(*, bet_ref: str) -> list[UUID]:
    """Return the ids of the grants that paid a part of the bet's stake."""
    fundings = BetFunding.objects.filter(bet_ref=bet_ref)
    return list(fundings.values_list("grant_id", flat=True))


@transaction.atomic(savepoint=False)
def settle_fundings(
    *,
    grants: Sequence[BonusGrant],
    bet_ref: str,
    stake: Decimal,
    payout: Decimal,
    currency: str,
    now: datetime,
) -> BonusPart:
    """
    Split a payout over who paid the stake, and say where the bonuses' shares go.

    To the grant's own money while it is active; once it has completed to the main balance,
    as far as its win cap leaves room; otherwise they stay with the house. ``grants`` are
    those that paid, whatever became of them, and the caller holds them. Joins the caller's
    transaction.
    """
    by_id = {grant.pk: grant for grant in grants}
    fundings = list(BetFunding.objects.filter(bet_ref=bet_ref).order_by("grant_id"))
    stakes = [funding.stake_amount for funding in fundings]
    _main_share, *shares = rules.split_payout(
        payout=payout,
        stake_parts=[stake - sum(stakes), *stakes],
        currency=money.get_currency(currency),
    )
    postings: list[Posting] = []
    for funding, share in zip(fundings, shares, strict=True):
        funding.payout_share = share
        funding.paid_amount = funding.excess_amount = _ZERO
        funding.settled_at = now
        postings += _pay_share(by_id[funding.grant_id], funding, share)
    BetFunding.objects.bulk_update(
        fundings,
        [
            "payout_share",
            "paid_amount",
            "excess_amount",
            "settled_at",
            "late_main_amount",
            "late_excess_amount",
        ],
    )
    return BonusPart(amount=sum(shares, _ZERO), postings=postings)


def _pay_share(grant: BonusGrant, funding: BetFunding, share: Decimal) -> list[Posting]:
    accounts = accounts_of(grant=grant)
    if grant.is_active:
        funding.paid_amount = share
        owed = [("win", accounts.bonus, share, Tag.WIN)]
    elif grant.status == GrantStatus.COMPLETED:
        release = _release_late(grant, funding, change=share)
        funding.paid_amount, funding.excess_amount = release.main, release.excess
        # Not a win of real money: the stake was none.
        owed = [
            ("late-win", accounts.main, release.main, Tag.BONUS),
            ("late-excess", accounts.excess, release.excess, Tag.BONUS),
        ]
    else:
        owed = []
    return [
        _posting(
            grant,
            funding.bet_ref,
            move,
            debit=accounts.games,
            credit=credit,
            amount=amount,
            tag=tag,
        )
        for move, credit, amount, tag in owed
        if amount
    ]


# A rollback


@transaction.atomic(savepoint=False)
def roll_back_fundings(*, grants: Sequence[BonusGrant], bet_ref: str, now: datetime) -> TakenBack:
    """
    Undo what the bonuses paid for a bet and got from it.

    An active grant gets its stake back and gives what it was paid. Of one that has completed
    the main balance does both, so that it holds what the grant releases without the bet. The
    stake of one that has ended otherwise goes back to the cost of bonuses. ``grants`` are
    those that paid, and the caller holds them. Joins the caller's transaction.
    """
    by_id = {grant.pk: grant for grant in grants}
    fundings = list(BetFunding.objects.filter(bet_ref=bet_ref).order_by("grant_id"))
    gives: list[Posting] = []
    takes: list[Posting] = []
    for funding in fundings:
        grant = by_id[funding.grant_id]
        for move, account, amount in _undoing(grant, funding):
            games = accounts_of(grant=grant).games
            is_given = amount > 0
            (gives if is_given else takes).append(
                _posting(
                    grant,
                    bet_ref,
                    move,
                    debit=games if is_given else account,
                    credit=account if is_given else games,
                    amount=abs(amount),
                    tag=Tag.ROLLBACK,
                )
            )
        funding.rolled_back_at = now
    BetFunding.objects.bulk_update(
        fundings, ["rolled_back_at", "late_main_amount", "late_excess_amount"]
    )
    return TakenBack(gives=gives, takes=takes)


def _undoing(grant: BonusGrant, funding: BetFunding) -> list[tuple[str, AccountKey, Decimal]]:
    """Return what each account gets, or below zero gives, and what the move is called."""
    stake, accounts = funding.stake_amount, accounts_of(grant=grant)
    if grant.is_active:
        paid = funding.paid_amount or _ZERO
        moves = [("unstake", accounts.bonus, stake), ("unwin", accounts.bonus, -paid)]
    elif grant.status == GrantStatus.COMPLETED:
        change = stake - (funding.payout_share or _ZERO)
        release = _release_late(grant, funding, change=change)
        moves = [
            ("undo", accounts.main, release.main),
            ("undo-excess", accounts.excess, release.excess),
        ]
    else:
        moves = [("unstake-cost", accounts.cost, stake)]
    return [move for move in moves if move[2]]


def _release_late(grant: BonusGrant, funding: BetFunding, *, change: Decimal) -> rules.Release:
    """
    Change what a completed grant, which the caller holds, has come to; note it at the bet.

    What it had come to is the columns of its completion and the late amounts since.
    """
    assert grant.released_amount is not None, f"{grant} has released nothing"
    assert grant.excess_amount is not None, f"{grant} has released nothing"
    late = BetFunding.objects.filter(grant=grant).aggregate(
        total=Sum(F("late_main_amount") + F("late_excess_amount"))
    )["total"]
    total = EXACT.add(EXACT.add(grant.released_amount, grant.excess_amount), late or _ZERO)
    release = rules.change_release(
        total=total,
        change=change,
        limit=rules.release_limit(
            bonus_amount=grant.bonus_amount,
            max_win_cap=grant.max_win_cap,
            currency=money.get_currency(grant.bonus_currency),
        ),
    )
    funding.late_main_amount += release.main
    funding.late_excess_amount += release.excess
    return release


def _posting(
    grant: BonusGrant,
    bet_ref: str,
    move: str,
    *,
    debit: AccountKey,
    credit: AccountKey,
    amount: Decimal,
    tag: Tag,
) -> Posting:
    return Posting(
        debit=debit,
        credit=credit,
        amount=amount,
        tag=tag,
        reference=f"bonus:{grant.pk}:{move}:{bet_ref}",
    )


# Reads


def list_held_bonuses(*, player: Player, now: datetime) -> list[HeldBonus]:
    """Return the player's own active grants whose time is not up, with their money, in order."""
    active = BonusGrant.objects.active().internal().filter(player=player).order_by("pk")
    live = [grant for grant in active if not grant.is_overdue(now=now)]
    held = get_bonus_balances(player=player) if live else {}
    return [HeldBonus(grant=grant, amount=held.get(str(grant.pk), _ZERO)) for grant in live]
