"""When bets are placed: so many an hour, so many hours a day, from the bonus on."""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DAY_S = 86_400
#: More bets of one player are not simulated: whoever is not through by then stays open.
BETS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Pace:
    """
    A player's pace. The first bet comes one interval after the bonus.

    Instants are compared as whole numbers (seconds × bets per hour), so that a bet at the
    very end of a time limit is too late, as it is in the product.
    """

    bets_per_hour: int
    hours_per_day: int

    @property
    def bets_per_day(self) -> int:
        """Return how many bets a day has."""
        return self.bets_per_hour * self.hours_per_day

    def bets_before(self, seconds: int) -> int:
        """Return how many bets a player places before that many seconds are over."""
        most = (seconds // DAY_S + 1) * self.bets_per_day
        return bisect_left(range(1, most + 1), seconds * self.bets_per_hour, key=self._instant)

    def hours_of(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return how many hours after the bonus those bets are placed; 0 for none at all."""
        day, of_day = np.divmod(numbers - 1, self.bets_per_day)
        hours = day * 24 + (of_day + 1) / self.bets_per_hour
        return np.where(numbers > 0, hours, 0.0)

    def _instant(self, number: int) -> int:
        day, of_day = divmod(number - 1, self.bets_per_day)
        return day * DAY_S * self.bets_per_hour + (of_day + 1) * 3600
