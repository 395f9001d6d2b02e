"""The pre-bet check: every reason why a bet would be refused, from those who refuse it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from activity.services import refusals
from bonuses.services import funding
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

#: The code of the warning; there is no refusal of that name.
BONUS_WOULD_BE_FORFEITED = "BONUS_WOULD_BE_FORFEITED"


@dataclass(frozen=True, slots=True)
class Reason:
    """
    A refusal that a bet would meet, and what of ours it comes from.

    Or a warning: the bet would be taken, and do what the player may not want.
    """

    code: str
    detail: str
    source: str
    is_warning: bool = False


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
    Return every reason why the bet would be refused now; none but warnings: it would be taken.

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
    reasons.extend(_money_reasons(player, game, stake=stake, now=now))
    return reasons


def _money_reasons(
    player: Player, game: Game, *, stake: Decimal, now: datetime
) -> Iterator[Reason]:
    """Yield what main balance and bonuses have against the stake; the main balance pays first."""
    held = {balance.currency: balance.main for balance in get_balances(player=player)}
    bonuses = funding.list_held_bonuses(player=player, now=now)
    usable = [
        bonus.amount for bonus in bonuses if funding.may_be_bet_on(grant=bonus.grant, game=game)
    ]
    if held[player.currency] + sum(usable) < stake:
        yield Reason(InsufficientFunds.code, "The account holds less than the stake.", "wallet")
    forfeited = funding.list_forfeited_by(grants=[bonus.grant for bonus in bonuses], stake=stake)
    for grant in forfeited:
        assert grant.max_bet is not None, "no maximum, nothing above it"
        most = money.format_amount(grant.max_bet, grant.bonus_currency)
        yield Reason(
            BONUS_WOULD_BE_FORFEITED,
            f"The bonus allows stakes up to {most} {grant.bonus_currency}, and would be lost.",
            source=f"bonus:{grant.pk}",
            is_warning=True,
        )


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
