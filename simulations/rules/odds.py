"""
What one bet can be and bring: every game, stake and payout of a scenario in one table.

A stake, what of it counts, and what a win pays are worked out once, with the product's own
rules; a simulated bet only looks them up. A payout between two minor units is one or the
other, so often that the mean is exact.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

import numpy as np
import numpy.typing as npt

from bonuses.rules import wagering
from core import money
from core.errors import InvalidRequest
from core.money import EXACT, Currency
from promos import rules as promo_rules
from simulations.rules.payouts import wins_of
from simulations.rules.position import Position, minor_units, progress_units
from simulations.rules.scenario import BonusOffer, MixedGame, Offer, PromoOffer, Scenario, Stake

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: The square of it times the largest multiple must fit into 63 bits.
STAKE_UNITS_MAX = 30_000_000
_CELLS = 65_536
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Choice:
    """One game at one stake: how often it is played, what counts of it, what it can pay."""

    game: MixedGame
    share: Decimal
    stake: int
    progress: int
    forfeits: bool
    takes_bonus_money: bool
    payouts: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One bet of each of some players."""

    stake: Ints
    payout: Ints
    progress: Ints
    forfeits: Flags


def list_choices(*, offer: Offer, position: Position, scenario: Scenario) -> list[Choice]:
    """
    Return every bet that players of the scenario place, games that refuse all stakes left out.

    :raises InvalidRequest: that names the field, if a stake cannot be simulated.
    """
    stakes = sorted(scenario.stakes, key=lambda stake: stake.amount)
    _check_stakes(stakes, position.currency)
    return [
        choice
        for game in scenario.games
        for choice in _choices_of(game, stakes, offer, position, scenario)
    ]


def is_playable(*, game: MixedGame, choices: Iterable[Choice]) -> bool:
    """Tell whether the game is among the choices."""
    return any(choice.game == game for choice in choices)


def _check_stakes(stakes: Sequence[Stake], currency: Currency) -> None:
    for stake in stakes:
        if not money.has_only_minor_units(stake.amount, currency):
            raise InvalidRequest.for_field(
                "stakes", f"{currency.code} has {currency.decimals} decimals; a stake has more."
            )
        if minor_units(stake.amount, currency) > STAKE_UNITS_MAX:
            raise InvalidRequest.for_field("stakes", "A stake is too large to be simulated.")


def _choices_of(
    game: MixedGame,
    stakes: Sequence[Stake],
    offer: Offer,
    position: Position,
    scenario: Scenario,
) -> list[Choice]:
    if isinstance(offer, BonusOffer):
        weight = wagering.weight_of(
            game_contribution=offer.game_contribution,
            game_slug=game.slug,
            game_category=game.category,
        )
        eligible = offer.config.get("eligible_games")
        return [
            _choice(
                game,
                stake,
                wagering.weighted_amount_of(stake=stake.amount, weight=weight),
                position,
                scenario,
                takes_bonus_money=eligible is None or game.slug in eligible,
            )
            for stake in stakes
        ]
    return _choices_of_promo(game, stakes, offer, position, scenario)


def _choices_of_promo(
    game: MixedGame,
    stakes: Sequence[Stake],
    offer: PromoOffer,
    position: Position,
    scenario: Scenario,
) -> list[Choice]:
    """Return the bets that the list of games allows: instead of a larger one, the largest."""
    listed = next((each for each in offer.games if each.slug == game.slug), None)
    if listed is None:
        return []
    dollars = {stake: money.convert(stake.amount, scenario.usd_rate) for stake in stakes}
    most = listed.max_bet_usd
    allowed = [stake for stake in stakes if most is None or dollars[stake] <= most]
    if not allowed:
        return []
    refused = sum((stake.share for stake in stakes if stake not in allowed), _ZERO)
    allowed[-1] = Stake(allowed[-1].amount, EXACT.add(allowed[-1].share, refused))
    return [
        _choice(
            game,
            stake,
            promo_rules.progress_of(
                stake_usd=money.convert(stake.amount, scenario.usd_rate),
                wager_multiplier=listed.wager_multiplier,
            ),
            position,
            scenario,
            takes_bonus_money=True,
        )
        for stake in allowed
    ]


def _choice(
    game: MixedGame,
    stake: Stake,
    progress: Decimal,
    position: Position,
    scenario: Scenario,
    *,
    takes_bonus_money: bool,
) -> Choice:
    wins = wins_of(
        volatility=scenario.volatility if game.volatility is None else game.volatility,
        rtp=scenario.rtp if game.rtp is None else game.rtp,
    )
    units = minor_units(stake.amount, position.currency)
    payouts: list[tuple[int, float]] = []
    for win in wins:
        exact = EXACT.multiply(Decimal(units), win.multiple)
        whole = exact.to_integral_value(rounding=ROUND_DOWN)
        above = EXACT.subtract(exact, whole)
        payouts.append((int(whole), float(win.probability * (1 - above))))
        if above:
            payouts.append((int(whole) + 1, float(win.probability * above)))
    return Choice(
        game=game,
        share=EXACT.multiply(game.share, stake.share),
        stake=units,
        progress=progress_units(progress),
        forfeits=wagering.is_over_max_bet(stake=stake.amount, max_bet=position.max_bet),
        takes_bonus_money=takes_bonus_money,
        payouts=tuple(payouts),
    )


class Odds:
    """The choices as arrays, from which the bets of many players are drawn at once."""

    def __init__(self, choices: Sequence[Choice]) -> None:
        assert choices, "no bet to draw"
        entries = [
            (row, choice, payout, probability)
            for row, choice in enumerate(choices)
            for payout, probability in choice.payouts
        ]
        self.row = np.array([row for row, *_ in entries], dtype=np.int64)
        self.stake = np.array([choice.stake for _, choice, *_ in entries], dtype=np.int64)
        self.payout = np.array([payout for *_, payout, _ in entries], dtype=np.int64)
        self.progress = np.array([choice.progress for _, choice, *_ in entries], dtype=np.int64)
        self.forfeits = np.array([choice.forfeits for _, choice, *_ in entries], dtype=np.bool_)
        shares = np.array([float(choice.share) for choice in choices])
        takes_bonus = np.array([choice.takes_bonus_money for choice in choices], dtype=np.bool_)
        probabilities = np.array([probability for *_, probability in entries])
        self.cumulative = _cumulative(probabilities * shares[self.row])
        self.guide = _guide(self.cumulative)
        self.of_row = np.concatenate(
            [row + _cumulative(probabilities[self.row == row]) for row in range(len(choices))]
        )
        self.last_of_row = np.searchsorted(self.row, np.arange(len(choices)), side="right") - 1
        self.row_stake = np.array([choice.stake for choice in choices], dtype=np.int64)
        self.lower_row = _lower_rows(choices)
        self.takes_bonus = takes_bonus
        self.takes_bonus_of_entry = takes_bonus[self.row]
        self.least = int(self.row_stake.min())
        #: What a bet brings on average.
        self.mean_progress = float(
            (shares * [choice.progress for choice in choices]).sum() / shares.sum()
        )
        self.can_forfeit = bool(self.forfeits.any())
        self.is_restricted = not bool(takes_bonus.all())
        self.bonus_is_usable = bool(takes_bonus.any())
        #: Where bonus money may be bet: cumulative shares of the rows that take it.
        self.usable_rows = _cumulative(shares * takes_bonus) if self.bonus_is_usable else None
        #: Whoever holds the least stake can place every bet.
        self.is_simple = bool((self.row_stake == self.least).all()) and not self.is_restricted

    def pick(self, random: np.random.Generator, count: int) -> npt.NDArray[np.intp]:
        """
        Return the entries of the table that ``count`` players draw, whatever they hold.

        A number from 0 to 1 is drawn in two steps: which of the guide's cells it lies in, and
        where in the cell, which hardly ever matters. That takes a tenth of the time.
        """
        cells = random.integers(0, _CELLS, count, dtype=np.uint16)
        picked = self.guide.take(cells)
        unclear = (picked < 0).nonzero()[0]
        if unclear.size:
            drawn = (cells[unclear] + random.random(len(unclear))) / _CELLS
            picked[unclear] = np.searchsorted(self.cumulative, drawn, side="right")
        return picked

    def pick_affordable(
        self, random: np.random.Generator, picked: npt.NDArray[np.intp], main: Ints, bonus: Ints
    ) -> npt.NDArray[np.intp]:
        """
        Return other entries for players who cannot pay for what they picked.

        Bonus money that may not be bet on the game moves the player to one where it may; a
        stake that is too large becomes the largest that is not.
        """
        rows = self.row[picked]
        money_there = main + bonus
        if self.is_restricted:
            stuck = ~self.takes_bonus[rows]
            money_there = np.where(stuck, main, money_there)
            if self.usable_rows is not None:
                moved = np.searchsorted(self.usable_rows, random.random(len(rows)), side="right")
                rows = np.where(stuck, moved, rows)
                money_there = main + bonus
        while True:
            too_large = (self.row_stake[rows] > money_there) & (self.lower_row[rows] >= 0)
            if not too_large.any():
                break
            rows = np.where(too_large, self.lower_row[rows], rows)
        drawn = np.searchsorted(self.of_row, rows + random.random(len(rows)), side="right")
        return np.minimum(drawn, self.last_of_row[rows])


def _cumulative(probabilities: Floats) -> Floats:
    total = np.cumsum(probabilities)
    scaled: Floats = total / total[-1]
    # What is never drawn at the end must not be drawn because a sum was rounded.
    scaled[np.flatnonzero(probabilities)[-1] :] = 1.0
    return scaled


def _guide(cumulative: Floats) -> npt.NDArray[np.intp]:
    """Return the entry that each cell of [0, 1) lies in; -1 for a cell that lies in several."""
    edges = np.arange(_CELLS + 1) / _CELLS
    first = np.searchsorted(cumulative, edges[:-1], side="right")
    # What a cell ends with belongs to the next one.
    last = np.searchsorted(cumulative, edges[1:], side="left")
    return np.where(first == last, first, -1)


def _lower_rows(choices: Sequence[Choice]) -> Ints:
    """Return, for every row, the row of the next smaller stake on the same game, or -1."""
    lower = []
    for choice in choices:
        smaller = [
            (other.stake, row)
            for row, other in enumerate(choices)
            if other.game == choice.game and other.stake < choice.stake
        ]
        lower.append(max(smaller)[1] if smaller else -1)
    return np.array(lower, dtype=np.int64)
