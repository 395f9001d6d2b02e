"""The pre-bet check: every reason why a bet would be refused, from those who refuse it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from activity.services import refusals
from core import money
from games.models import Game
from games.selectors import get_game
from operators.errors import ExchangeRateMissing
from operators.models import Operator
from operators.selectors import get_usd_rate
from players.errors import PlayerBlocked, PlayerSelfExcluded
from players.models import Player
from players.selectors import get_player
from promos.selectors import list_user_promos
from promos.services import rollover
from wallets.errors import InsufficientFunds
from wallets.selectors import get_balances


@dataclass(frozen=True, slots=True)
class Reason:
    """A refusal that a bet would meet, and what of ours it comes from."""

    code: str
    detail: str
    source: str


def check_bet(
    *,
    operator: Operator,
    player_reference: str,
    game_slug: str,
    stake: Decimal,
    currency: str,
    now: datetime,
) -> list[Reason]:
    """
    Return every reason why the bet would be refused now; none: it would be taken.

    Reads only. What is asked for but cannot be is an error, as it would be of the bet.

    :raises NotFound: if the operator has no such player or game.
    :raises InvalidRequest: if the wallet is in another currency, or the currency has fewer
        decimals than the stake.
    """
    player = get_player(operator=operator, reference=player_reference)
    game = get_game(operator=operator, slug=game_slug)
    refusals.refuse_other_currency(player=player, currency=currency)
    refusals.refuse_fractions(field="stake", amount=stake, currency=currency)

    reasons = list(_player_reasons(player, now=now))
    # Without a rate the stake is worth nothing in US dollars, and no cap on it is passed.
    stake_usd = Decimal(0)
    try:
        rate = get_usd_rate(operator=operator, currency=currency, now=now)
        stake_usd = money.convert(stake, rate.rate)
    except ExchangeRateMissing as missing:
        reasons.append(Reason(missing.code, missing.detail, source="exchange_rate"))
    reasons.extend(_promo_reasons(operator, player, game, stake_usd=stake_usd, now=now))
    held = {balance.currency: balance.main for balance in get_balances(player=player)}
    if held[currency] < stake:
        reasons.append(
            Reason(InsufficientFunds.code, "The account holds less than the stake.", "wallet")
        )
    return reasons


def _player_reasons(player: Player, *, now: datetime) -> Iterator[Reason]:
    if player.is_blocked:
        yield Reason(PlayerBlocked.code, "The player is blocked.", source="player")
    if player.is_self_excluded(now=now):
        yield Reason(PlayerSelfExcluded.code, "The player is self-excluded.", source="player")


def _promo_reasons(
    operator: Operator, player: Player, game: Game, *, stake_usd: Decimal, now: datetime
) -> Iterator[Reason]:
    user_promo = list_user_promos(operator=operator).open().filter(player=player).first()
    if user_promo is not None and not user_promo.is_overdue(now=now):
        for refusal in rollover.list_bet_refusals(
            user_promo=user_promo, game=game, stake_usd=stake_usd, now=now
        ):
            yield Reason(refusal.code, refusal.detail, refusal.source)
