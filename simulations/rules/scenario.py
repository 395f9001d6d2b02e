"""What is simulated: terms that somebody is offered, and how they are expected to play."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from simulations.enums import Volatility

STAKES_MAX = 10
GAMES_MAX = 50
PLAYERS_MIN, PLAYERS_MAX = 100, 50_000
BETS_PER_HOUR_MAX = 3_600
HORIZON_DAYS_MAX = 366
SEED_MAX = 2**32 - 1


@dataclass(frozen=True, slots=True)
class BonusOffer:
    """The terms of a bonus, as a template has them (bonuses.rules.terms.TemplateTerms)."""

    type: str
    config: dict[str, Any]
    currency: str
    wagering_multiplier: Decimal
    wagering_basis: str
    game_contribution: dict[str, Any]
    max_bet: Decimal | None
    max_win_cap: Decimal | None
    time_limit_hours: int | None


@dataclass(frozen=True, slots=True)
class ListedGame:
    """A game of a promo's list: how much a bet on it counts, and its largest, in USD."""

    slug: str
    category: str
    wager_multiplier: Decimal
    max_bet_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class PromoOffer:
    """The terms of a promo; those of the other type are null."""

    type: str
    amount: Decimal | None
    currency: str
    bonus_multiplier: Decimal | None
    max_bonus_usd: Decimal | None
    min_deposit_usd: Decimal
    wager_multiplier: Decimal | None
    wager_usd: Decimal | None
    time_seconds: int | None
    games: tuple[ListedGame, ...]


Offer = BonusOffer | PromoOffer


@dataclass(frozen=True, slots=True)
class Stake:
    """A stake that players place, and how often beside the others."""

    amount: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class MixedGame:
    """
    A game, or a whole category, and how much of the play is on it beside the others.

    Its RTP and volatility are those of the scenario where they are null.
    """

    slug: str
    category: str
    share: Decimal
    rtp: Decimal | None = None
    volatility: Volatility | None = None

    @property
    def name(self) -> str:
        """Return what it is called: its slug, or its category."""
        return self.slug or self.category


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    How players are expected to play, and how many of them are simulated.

    ``currency`` is that of all amounts, and ``usd_rate`` what a unit of it is worth.
    ``deposit`` is what is matched, ``own_money`` what the player has besides, ``loss`` what
    cashback pays back from. ``acceptable_share`` is what the house is ready to pay, as a
    share of the bonus; null: see acceptable_share_of().
    """

    currency: str
    usd_rate: Decimal
    deposit: Decimal
    own_money: Decimal
    loss: Decimal
    stakes: tuple[Stake, ...]
    games: tuple[MixedGame, ...]
    rtp: Decimal
    volatility: Volatility
    bets_per_hour: int
    hours_per_day: int
    gives_up_per_day: Decimal
    horizon_days: int
    acceptable_share: Decimal | None
    players: int
    seed: int
