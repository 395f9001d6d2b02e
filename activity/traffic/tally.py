"""What the answers say, added up."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from threading import Lock

from activity.traffic.server import Answer, InstanceReading


@dataclass(frozen=True, slots=True)
class PotGain:
    """A pot's meter before and after, and what the answers say it was given."""

    instance: str
    currency: str
    pot: str
    before: Decimal
    after: Decimal
    expected: Decimal
    has_dropped: bool = False

    @property
    def gained(self) -> Decimal:
        """Return what the meter grew by."""
        return self.after - self.before


class Tally:
    """The sum of all answers so far; threads add to it, each answer wholly."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._latencies_s: list[float] = []
        self._given: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        #: How many legs and bets, by role and error code ("" for accepted).
        self.legs: Counter[tuple[str, str]] = Counter()
        self.answered_count = 0
        self.unanswered_count = 0
        self.retry_count = 0

    def add(self, answer: Answer) -> None:
        """Count an answer."""
        with self._lock:
            self.retry_count += answer.retry_count
            if not answer.legs:
                self.unanswered_count += 1
                return
            self.answered_count += 1
            self._latencies_s.append(answer.latency_s)
            for leg in answer.legs:
                self.legs[leg.role, leg.error_code or ""] += 1
                for pot in leg.pots:
                    self._given[leg.instance_id, pot.name] += pot.value

    @property
    def request_count(self) -> int:
        """Return how many requests are done with, answered or not."""
        return self.answered_count + self.unanswered_count

    @property
    def refused_count(self) -> int:
        """Return how many requests were refused: contributions by their main leg, and bets."""
        return sum(
            count for (role, code), count in self.legs.items() if role != "linked" and code != ""
        )

    def latency_s(self, *, percent: int) -> float:
        """Return the latency that so many percent of the answers did not pass."""
        ordered = sorted(self._latencies_s)
        return ordered[max(ceil(len(ordered) * percent / 100) - 1, 0)] if ordered else 0.0

    def gains(
        self, before: Sequence[InstanceReading], after: Sequence[InstanceReading]
    ) -> list[PotGain]:
        """Return the gain of every pot that accrues or was given something."""
        readings = {(instance.id, pot.name): pot for instance in after for pot in instance.pots}
        return [
            PotGain(
                instance=instance.name,
                currency=instance.currency,
                pot=pot.name,
                before=pot.value,
                after=readings[instance.id, pot.name].value,
                expected=self._given[instance.id, pot.name],
                has_dropped=readings[instance.id, pot.name].cycle != pot.cycle,
            )
            for instance in sorted(before, key=lambda reading: reading.name)
            for pot in instance.pots
            if instance.is_accruing or (instance.id, pot.name) in self._given
        ]
