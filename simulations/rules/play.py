"""
Many players at once, bet by bet, until the bonus of each has ended one way or another.

What a bet does to a player's money and progress mirrors the product, to the minor unit:
activity (who pays a stake, who gets a payout), bonuses (weights, forfeits, release) and
promos (rollover, clawback). tests/simulations/test_mirror.py plays the same bets on both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulations.enums import Outcome
from simulations.rules.odds import Flags, Ints, Odds
from simulations.rules.pace import Pace
from simulations.rules.position import Position

#: The number by which an outcome is stored in an array.
OUTCOMES = tuple(Outcome)
# Players who are through are dropped from the arrays once so large a part of them is.
_DROPPED_FROM = 1 / 8
#: A round takes as long as so many bets, whoever places them.
ROUND_WORK = 3_000


@dataclass(slots=True)
class Purses:
    """What each of some players has: main balance, bonus money, what counts so far."""

    main: Ints
    bonus: Ints
    progress: Ints

    @classmethod
    def of(cls, position: Position, count: int) -> "Purses":
        """Return the purses of ``count`` players who start."""
        return cls(
            main=np.full(count, position.main, dtype=np.int64),
            bonus=np.full(count, position.bonus, dtype=np.int64),
            progress=np.zeros(count, dtype=np.int64),
        )


def play_bets(purses: Purses, *, stake: Ints, payout: Ints, progress: Ints) -> Ints:
    """
    Place and settle one bet of each player; return what of the payouts was the bonus's.

    The main balance pays first. Who paid the stake gets the payout, in proportion, by
    largest remainder; a tie is the main balance's.
    """
    from_main = np.minimum(purses.main, stake)
    from_bonus = stake - from_main
    to_main = np.where(from_bonus == 0, payout, 0)
    mixed = ((from_bonus > 0) & (from_main > 0)).nonzero()[0]
    if mixed.size:
        whole, rest = np.divmod(payout[mixed] * from_main[mixed], stake[mixed])
        to_main[mixed] = whole + ((rest > 0) & (2 * rest >= stake[mixed]))
    to_bonus = payout - to_main
    purses.main += to_main - from_main
    purses.bonus += to_bonus - from_bonus
    purses.progress += progress
    return to_bonus


def released(position: Position, main: Ints, bonus: Ints) -> Ints:
    """Return what is the player's once the requirement is met: bonus money up to the limit."""
    if position.release_limit is None:
        return main + bonus
    return main + np.minimum(bonus, position.release_limit)


def kept_by_player(position: Position, main: Ints) -> Ints:
    """Return what is the player's once the bonus has ended otherwise, or never will."""
    if not position.is_claim or position.required == 0:
        return main
    # A clawback takes all of the bonus, as far as the main balance holds it.
    return main - np.minimum(main, position.credited)


@dataclass(frozen=True, slots=True)
class Paths:
    """
    How each player fared. Amounts are in minor units, ``bets`` in numbers of bets.

    ``value`` is what the player has at the end, ``returned`` what of the bonus went back to
    the house or was held back by its win cap. ``work`` is how much was calculated.
    """

    outcome: npt.NDArray[np.int8]
    value: Ints
    returned: Ints
    bets: Ints
    turnover: Ints
    work: int


@dataclass(slots=True)
class Milestones:
    """
    What players would have if a smaller requirement had been theirs: for every milestone.

    ``reached`` adds up what they would have at the milestone, ``ended`` what those have who
    ended before it; ``finishers`` counts who reached it.
    """

    progress: Ints
    reached: Ints
    ended: Ints
    finishers: Ints

    @classmethod
    def at(cls, progress: Sequence[int]) -> "Milestones":
        """Return milestones, in ascending order, that nobody has reached."""
        reached, ended, finishers = np.zeros((3, len(progress)), dtype=np.int64)
        return cls(np.array(progress, dtype=np.int64), reached, ended, finishers)

    def values(self) -> Ints:
        """Return the sum of what players have at the end, were each milestone the last."""
        return self.reached + np.cumsum(self.ended)


class Table:
    """The players of one round after another; whoever is through is written down and leaves."""

    def __init__(
        self,
        *,
        position: Position,
        odds: Odds,
        pace: Pace,
        milestones: Milestones,
        players: int,
        random: np.random.Generator,
    ) -> None:
        self.position, self.odds, self.pace = position, odds, pace
        self.milestones, self.random = milestones, random
        self.purses = Purses.of(position, players)
        self.turnover = np.zeros(players, dtype=np.int64)
        self.number = np.arange(players)
        self.alive = np.ones(players, dtype=np.bool_)
        self.level = np.zeros(players, dtype=np.int64)
        self.next_at = np.full(players, milestones.progress[0], dtype=np.int64)
        self.left = players
        self.work = 0
        self.outcome = np.full(players, OUTCOMES.index(Outcome.OPEN), dtype=np.int8)
        self.value = np.zeros(players, dtype=np.int64)
        self.returned = np.zeros(players, dtype=np.int64)
        self.bets = np.zeros(players, dtype=np.int64)
        self.turnovers = np.zeros(players, dtype=np.int64)

    def play(self, *, bets: int, gives_up_per_day: float, at_end: Outcome) -> Paths:
        """Play up to ``bets`` rounds; whoever is not through by then ends as ``at_end``."""
        played = 0
        for number in range(1, bets + 1):
            if self.left == 0:
                break
            is_new_day = number > 1 and (number - 1) % self.pace.bets_per_day == 0
            if is_new_day and gives_up_per_day:
                gone = self.alive & (self.random.random(len(self.alive)) < gives_up_per_day)
                self._end(gone.nonzero()[0], Outcome.GAVE_UP, played)
            self._drop_who_is_through()
            if self.left == 0:
                break
            self._round(number)
            played = number
        self._end(self.alive.nonzero()[0], at_end, played)
        return Paths(self.outcome, self.value, self.returned, self.bets, self.turnovers, self.work)

    def end_who_cannot_bet(self) -> None:
        """End players who hold less than the least stake before their first bet."""
        self._end(self._is_broke().nonzero()[0], Outcome.BUSTED, 0)

    def _round(self, number: int) -> None:
        odds, purses = self.odds, self.purses
        count = len(self.alive)
        self.work += count + ROUND_WORK
        picked = odds.pick(self.random, count)
        if not odds.is_simple:
            there = purses.main + purses.bonus
            if odds.is_restricted:
                there = np.where(odds.takes_bonus_of_entry[picked], there, purses.main)
            short = ((odds.stake.take(picked) > there) & self.alive).nonzero()[0]
            if short.size:
                picked[short] = odds.pick_affordable(
                    self.random, picked[short], purses.main[short], purses.bonus[short]
                )
        stake = odds.stake.take(picked)
        to_bonus = play_bets(
            purses,
            stake=stake,
            payout=odds.payout.take(picked),
            progress=odds.progress.take(picked),
        )
        self.turnover += stake
        if odds.can_forfeit:
            forfeited = (odds.forfeits[picked] & self.alive).nonzero()[0]
            # Forfeited once the stake is posted: the bonus's share of the payout is not paid.
            purses.bonus[forfeited] -= to_bonus[forfeited]
            self._end(forfeited, Outcome.FORFEITED, number)
        self._pass_milestones(number)
        self._end((self._is_broke() & self.alive).nonzero()[0], Outcome.BUSTED, number)

    def _is_broke(self) -> Flags:
        there = self.purses.main
        if self.odds.bonus_is_usable:
            there = there + self.purses.bonus
        broke: Flags = there < self.odds.least
        return broke

    def _pass_milestones(self, number: int) -> None:
        """Note who passes a milestone; whoever passes the last one has completed."""
        last = len(self.milestones.progress) - 1
        while True:
            passing = ((self.purses.progress >= self.next_at) & self.alive).nonzero()[0]
            if not passing.size:
                return
            purses, level = self.purses, self.level[passing]
            worth = released(self.position, purses.main[passing], purses.bonus[passing])
            np.add.at(self.milestones.reached, level, worth)
            np.add.at(self.milestones.finishers, level, 1)
            done = passing[level == last]
            if done.size:
                self._complete(done, number)
            further = passing[level < last]
            self.level[further] += 1
            self.next_at[further] = self.milestones.progress[self.level[further]]

    def _complete(self, done: npt.NDArray[np.intp], number: int) -> None:
        purses = self.purses
        value = released(self.position, purses.main[done], purses.bonus[done])
        held_back = purses.main[done] + purses.bonus[done] - value
        self._write(done, Outcome.COMPLETED, number, value=value, returned=held_back)

    def _end(self, who: npt.NDArray[np.intp], outcome: Outcome, number: int) -> None:
        """End players without what the requirement would have released."""
        if not who.size:
            return
        main = self.purses.main[who]
        value = kept_by_player(self.position, main)
        np.add.at(self.milestones.ended, self.level[who], value)
        self._write(
            who, outcome, number, value=value, returned=main - value + self.purses.bonus[who]
        )

    def _write(
        self,
        who: npt.NDArray[np.intp],
        outcome: Outcome,
        number: int,
        *,
        value: Ints,
        returned: Ints,
    ) -> None:
        players = self.number[who]
        self.outcome[players] = OUTCOMES.index(outcome)
        self.value[players] = value
        self.returned[players] = returned
        self.bets[players] = number
        self.turnovers[players] = self.turnover[who]
        self.alive[who] = False
        self.left -= len(who)

    def _drop_who_is_through(self) -> None:
        if len(self.alive) - self.left <= _DROPPED_FROM * len(self.alive):
            return
        stay = self.alive.nonzero()[0]
        purses = self.purses
        self.purses = Purses(purses.main[stay], purses.bonus[stay], purses.progress[stay])
        self.turnover, self.number = self.turnover[stay], self.number[stay]
        self.level, self.next_at = self.level[stay], self.next_at[stay]
        self.alive = self.alive[stay]
