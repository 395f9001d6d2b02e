"""
Bets: placed, settled, rolled back. Each is one transaction and advances everything.

A bet's own row comes first, then the player's open promo and own grants, then the money,
then the player's totals: the order of docs/architecture.md. The row and the ledger are the
record of a bet that was placed; what changes one later is in the audit trail too.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from activity.errors import BetAlreadyExists, BetAlreadySettled, BetRolledBack
from activity.models import Bet
from activity.selectors import list_bets_of_id
from activity.services import paying, placing, refusals
from activity.services.placing import NewBet
from activity.services.standing import Standing, lock_standing
from bonuses.services import wagering
from bonuses.services.wagering import GrantProgress
from core import audit, locks
from core.actors import Actor
from core.writes import write_together
from operators.models import Operator
from players.rules import canonical_reference
from players.selectors import get_player
from players.services import totals
from promos.errors import BetRestrictedByPromo
from promos.services import rollover

if TYPE_CHECKING:
    from promos.models import UserPromo


@dataclass(frozen=True, slots=True)
class PlayedBet:
    """
    A bet as it is, and the promo and grants that were open, as this command left them.

    Each grant with what the bet has brought it. They are the player's own ones: what a
    platform's grants are at, the platform says.
    """

    bet: Bet
    user_promo: "UserPromo | None"
    grants: list[GrantProgress]


# Without savepoints: the caller's transaction ends with a refusal, and two round trips less
# are spent under the player's locks.
@transaction.atomic(savepoint=False)
def place_bet(
    *, operator: Operator, player_reference: str, new: NewBet, actor: Actor, now: datetime
) -> PlayedBet:
    """
    Take the stake from the player; with a payout, settle the bet at once.

    The main balance pays first, then the money of bonuses. A stake above the maximum bet of
    a bonus forfeits that one, not the bet. The same bet again, whatever the key, changes
    nothing and returns the bet as it is by now. Joins the caller's transaction.

    :raises NotFound: if the operator has no such player or game.
    :raises InvalidRequest: if the wallet is in another currency, or the currency has fewer
        decimals than an amount.
    :raises BetAlreadyExists: if the player has a bet of that id with other content.
    :raises ExchangeRateMissing: if the currency has no rate in US dollars.
    :raises PlayerBlocked: if the operator has blocked the player.
    :raises PlayerSelfExcluded: if the player has excluded themselves.
    :raises BetRestrictedByPromo: if the player's promo does not allow the game or the stake.
    :raises InsufficientFunds: if the main balance and the bonuses that may be bet on the game
        hold less than the stake.
    """
    refusals.refuse_fractions(field="stake", amount=new.stake, currency=new.currency)
    if new.payout is not None:
        refusals.refuse_fractions(field="payout", amount=new.payout, currency=new.currency)
    bet = placing.insert_bet(
        operator=operator,
        player_reference=canonical_reference(player_reference),
        new=new,
        now=now,
    )
    if bet is None:
        return _replayed(operator, player_reference, new, actor=actor, now=now)

    refusals.refuse_excluded(player=bet.player, now=now)
    standing = lock_standing(operator=operator, bet=bet, actor=actor, now=now)
    if standing.user_promo is not None:
        refused = rollover.list_bet_refusals(
            user_promo=standing.user_promo, game=bet.game, stake_usd=bet.stake_usd, now=now
        )
        if refused:
            raise BetRestrictedByPromo(" ".join(refusal.detail for refusal in refused))
    paying.take_stake(operator=operator, bet=bet, standing=standing, actor=actor, now=now)
    if bet.is_settled:
        return _count(operator, bet, standing, actor=actor, now=now)
    return _played(bet, standing)


@transaction.atomic(savepoint=False)
def settle_bet(
    *,
    operator: Operator,
    player_reference: str,
    bet_id: str,
    payout: Decimal,
    actor: Actor,
    now: datetime,
) -> PlayedBet:
    """
    Pay the outcome of a placed bet, and let the stake count towards promo, bonuses and totals.

    Who paid the stake gets the payout. The same payout again changes nothing. Players who
    have been blocked or have excluded themselves since are paid, too. Joins the caller's
    transaction.

    :raises NotFound: if the operator has no such player, or the player no such bet.
    :raises InvalidRequest: if the currency has fewer decimals than the payout.
    :raises BetRolledBack: if the bet has been rolled back.
    :raises BetAlreadySettled: if it has been settled with another payout.
    """
    bet = _lock_bet(operator, player_reference, bet_id)
    refusals.refuse_fractions(field="payout", amount=payout, currency=bet.currency)
    if bet.is_rolled_back:
        raise BetRolledBack("The bet has been rolled back.")
    if bet.is_settled and bet.payout != payout:
        raise BetAlreadySettled("The bet has been settled with another payout.")

    standing = lock_standing(operator=operator, bet=bet, actor=actor, now=now)
    if bet.is_settled:
        return _played(bet, standing)
    before = _described(bet)
    bet.settle(payout=payout, now=now)
    bet.save(update_fields=["status", "payout", "settled_at"])
    paying.pay_payout(operator=operator, bet=bet, standing=standing, now=now)
    _record(operator, bet, action="activity.bet.settled", before=before, actor=actor, now=now)
    return _count(operator, bet, standing, actor=actor, now=now)


@transaction.atomic(savepoint=False)
def roll_back_bet(
    *, operator: Operator, player_reference: str, bet_id: str, actor: Actor, now: datetime
) -> PlayedBet:
    """
    Undo a bet: the stake goes back to the player, the payout back to the house.

    What the bet added to a promo or bonus that is still open, and to the player's totals, is
    taken back. Again, it changes nothing. Joins the caller's transaction.

    :raises NotFound: if the operator has no such player, or the player no such bet.
    :raises InsufficientFunds: if the player, with the stake back, has less than the payout.
    """
    bet = _lock_bet(operator, player_reference, bet_id)
    standing = lock_standing(operator=operator, bet=bet, actor=actor, now=now)
    if bet.is_rolled_back:
        return _played(bet, standing)
    was_settled, before = bet.is_settled, _described(bet)
    bet.roll_back(now=now)
    bet.save(update_fields=["status", "rolled_back_at"])
    paying.pay_back(operator=operator, bet=bet, standing=standing, now=now)
    _record(operator, bet, action="activity.bet.rolled_back", before=before, actor=actor, now=now)
    if was_settled:
        if standing.user_promo is not None:
            standing.user_promo = rollover.take_back_bet(
                user_promo=standing.user_promo, bet_ref=str(bet.pk), actor=actor, now=now
            )
        wagering.take_back_bet_from_grants(
            grants=standing.live, bet_ref=str(bet.pk), stake=bet.stake, now=now
        )
        totals.take_back_wager(operator=operator, player_id=bet.player_id, usd_amount=bet.stake_usd)
    return _played(bet, standing)


def _replayed(
    operator: Operator, player_reference: str, new: NewBet, *, actor: Actor, now: datetime
) -> PlayedBet:
    """Return the bet that is there already, or refuse for the reason why there is none."""
    player = get_player(operator=operator, reference=player_reference)
    bet = list_bets_of_id(player=player, bet_id=new.bet_id).first()
    if bet is None:
        placing.explain_absence(operator=operator, player=player, new=new, now=now)
    placed = (bet.game.slug, bet.stake, bet.currency, bet.placed_payout)
    if placed != (new.game_slug, new.stake, new.currency, new.payout):
        raise BetAlreadyExists("The player has a bet of this id with other content.")
    standing = lock_standing(operator=operator, bet=bet, actor=actor, now=now)
    return _played(bet, standing)


def _lock_bet(operator: Operator, player_reference: str, bet_id: str) -> Bet:
    player = get_player(operator=operator, reference=player_reference)
    return locks.lock_one(list_bets_of_id(player=player, bet_id=bet_id))


def _count(
    operator: Operator, bet: Bet, standing: Standing, *, actor: Actor, now: datetime
) -> PlayedBet:
    """Let a settled bet advance the promo, the grants and the player's totals."""
    progress: list[GrantProgress] = []
    with write_together() as writes:
        if standing.user_promo is not None:
            standing.user_promo = rollover.record_settled_bet(
                user_promo=standing.user_promo,
                game=bet.game,
                bet_ref=str(bet.pk),
                stake_usd=bet.stake_usd,
                placed_at=bet.placed_at,
                writes=writes,
                actor=actor,
                now=now,
            )
        if standing.live:
            progress = wagering.count_bet_towards_grants(
                grants=standing.live,
                game=bet.game,
                bet_ref=str(bet.pk),
                stake=bet.stake,
                placed_at=bet.placed_at,
                writes=writes,
                actor=actor,
                now=now,
            )
        totals.add_wager(
            operator=operator, player_id=bet.player_id, usd_amount=bet.stake_usd, writes=writes
        )
    return PlayedBet(bet=bet, user_promo=standing.user_promo, grants=progress)


def _played(bet: Bet, standing: Standing) -> PlayedBet:
    progress = wagering.list_progress(grants=standing.live, bet_ref=str(bet.pk))
    return PlayedBet(bet=bet, user_promo=standing.user_promo, grants=progress)


def _described(bet: Bet) -> dict[str, str | None]:
    payout = None if bet.payout is None else str(bet.payout)
    return {"status": str(bet.status), "payout": payout}


def _record(
    operator: Operator,
    bet: Bet,
    *,
    action: str,
    before: dict[str, str | None],
    actor: Actor,
    now: datetime,
) -> None:
    audit.record_action(
        operator=operator,
        actor=actor,
        action=action,
        subject=bet,
        before=before,
        after=_described(bet),
        now=now,
    )
