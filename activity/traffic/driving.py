"""Sends requests at a steady rate, whatever the answers take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random
from threading import Event, Thread
from time import monotonic

from activity.demo.people import demo_players, draw_bet, draw_wager, funded_players
from activity.traffic.server import (
    BetRequest,
    ContributionRequest,
    InstanceReading,
    PlayRequest,
    Server,
)
from activity.traffic.tally import Tally

#: One request in so many is a bet; the others contribute to jackpots.
BET_EVERY = 4
#: How often the watcher hears how far it is.
WATCH_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests a second, and for how long."""

    rate: float
    seconds: float

    @property
    def request_count(self) -> int:
        """Return how many requests that is: one at least."""
        return max(round(self.rate * self.seconds), 1)


def plan_requests(
    instances: Sequence[InstanceReading], *, how_many: int, run: str, random: Random
) -> list[PlayRequest]:
    """
    Return contributions of random demo players to random accruing instances, and bets.

    Those who have money bet, and play player-funded instances. ``run`` sets the keys of
    one run apart from those of all others.
    """
    accruing = [instance for instance in instances if instance.is_accruing]
    requests: list[PlayRequest] = []
    for number in range(how_many):
        key = f"play-{run}-{number}"
        if number % BET_EVERY == BET_EVERY - 1:
            player = random.choice(funded_players())
            # The bet's own id is of this run, too: the same seed bets anew.
            body = {"bet_id": key, **draw_bet(player, random)}
            requests.append(BetRequest(player_id=player.reference, key=key, body=body))
            continue
        instance = random.choice(accruing)
        player = random.choice(funded_players() if instance.is_player_funded else demo_players())
        requests.append(
            ContributionRequest(
                instance_id=instance.id,
                key=key,
                body=draw_wager(player, random),
            )
        )
    return requests


def drive(
    server: Server,
    requests: Sequence[PlayRequest],
    *,
    pace: Pace,
    threads_count: int,
    watch: Callable[[Tally, float], None],
) -> tuple[Tally, float]:
    """
    Send every request when it is due; return what was answered, and the seconds it took.

    A slow answer delays none but its own thread, as long as a thread is free. Ctrl-C sends
    no more and waits for the answers that are due, so that nothing is left in doubt.
    ``watch`` is told the tally and the seconds so far.
    """
    tally, stop, numbers, began = Tally(), Event(), count(), monotonic()

    def work() -> None:
        # next() of a count is one step of the interpreter: no number is taken twice.
        while not stop.is_set() and (number := next(numbers)) < len(requests):
            if not stop.wait(max(began + number / pace.rate - monotonic(), 0)):
                tally.add(server.send(requests[number]))

    threads = [Thread(target=work, daemon=True) for _ in range(threads_count)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(WATCH_EVERY_S)
                watch(tally, monotonic() - began)
        # The last request has its share of the time, too: a rate kept is the rate reported.
        stop.wait(max(began + len(requests) / pace.rate - monotonic(), 0))
    except KeyboardInterrupt:
        stop.set()
        for thread in threads:
            thread.join()
    return tally, monotonic() - began
