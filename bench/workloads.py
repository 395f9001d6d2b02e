"""What is sent to the API, and what must then be in the database."""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain, islice
from random import Random
from typing import Any
from uuid import uuid4

from adapters.http.signing import sign
from bench.load import Answers, Load, render_post
from bench.servers import Bench
from bench.world import ADAPTER, BETTERS, GAME, PLAYERS, World, better, make_claimable, player
from core.embedded.errors import CannotRun

BATCH_SIZE = 1000
#: What a contribution of 100.00 adds at one percent.
PART = Decimal(1)


class Workload(ABC):
    """One kind of request, and the count of those that were accepted."""

    #: How much one accepted request counts in the rate.
    weight = 1
    #: Until a first run has shown how many are needed.
    rendered_at_first = 300

    def __init__(self, world: World) -> None:
        self.world = world
        self.accepted = 0
        self._random = Random(7)  # noqa: S311  # who plays next need not be a secret
        self._rendered: list[bytes] = []
        self._wanted = self.rendered_at_first
        self._stream = self.requests()

    @abstractmethod
    def requests(self) -> Iterator[bytes]:
        """Return requests without end, none of them twice."""

    @abstractmethod
    def differences(self, bench: Bench, database: str | None = None) -> list[str]:
        """Return what in the database does not agree with the answers."""

    def run(self, load: Load, *, seconds: float) -> Answers:
        """
        Send for ``seconds``; what is sent was rendered before the clock starts.

        :raises CannotRun: if a request was refused.
        """
        missing = max(self._wanted - len(self._rendered), 0)
        self._rendered.extend(islice(self._stream, missing))
        ready = iter(self._rendered)
        answers = load.run(chain(ready, self._stream), seconds=seconds)
        self._rendered = list(ready)
        self.accepted += answers.accepted
        if answers.unexpected:
            raise CannotRun(
                f"{type(self).__name__}: {dict(answers.statuses)}. {answers.unexpected[0]}"
            )
        self._wanted = int(answers.statuses.total() * 1.2) + 50
        return answers

    def _post(self, path: str, body: Any, *, api_key: str = "") -> bytes:
        headers = {**self.world.caller.headers, "Idempotency-Key": str(uuid4())}
        if api_key:
            headers["Authorization"] = f"Api-Key {api_key}"
        return render_post(path, json.dumps(body).encode(), headers=headers)


class Contributions(Workload):
    """Synchronous contributions of random players to one instance, and to its links."""

    def __init__(self, world: World, *, instances: tuple[str, ...]) -> None:
        super().__init__(world)
        self._instances = instances

    def requests(self) -> Iterator[bytes]:
        path = f"/v2/jackpots/instances/{self._instances[0]}/contributions"
        while True:
            number = self._random.randrange(PLAYERS)
            body = {"player_id": player(number), "base_wager": "100.00", "currency": "USD"}
            yield self._post(path, body)

    def differences(self, bench: Bench, database: str | None = None) -> list[str]:
        expected = self.accepted * self.weight
        return [
            difference
            for instance in self._instances
            for difference in _differences_of_instance(bench, database, self, instance, expected)
        ]


class Batches(Workload):
    """Batches of a thousand contributions to one instance without links."""

    weight = BATCH_SIZE
    rendered_at_first = 20

    def requests(self) -> Iterator[bytes]:
        headers = self.world.caller.headers
        while True:
            items = ",".join(
                f'{{"idempotency_key":"{uuid4()}","instance_id":"{self.world.batch}",'
                f'"player_id":"{player(self._random.randrange(PLAYERS))}",'
                '"base_wager":"100.00","currency":"USD"}'
                for _ in range(BATCH_SIZE)
            )
            body = f'{{"contributions":[{items}]}}'.encode()
            yield render_post("/v2/jackpots/contributions/batch", body, headers=headers)

    def differences(self, bench: Bench, database: str | None = None) -> list[str]:
        expected = self.accepted * self.weight
        return _differences_of_instance(bench, database, self, self.world.batch, expected)


class Bets(Workload):
    """Settled bets of players who have a promo and a grant in progress."""

    def requests(self) -> Iterator[bytes]:
        bet = {"game": GAME, "stake": "1.00", "payout": "1.00", "currency": "USD"}
        while True:
            path = f"/v1/players/{better(self._random.randrange(BETTERS))}/bets"
            yield self._post(path, {"bet_id": str(uuid4()), **bet})

    def differences(self, bench: Bench, database: str | None = None) -> list[str]:
        statement = "SELECT count(*) FROM activity_bet WHERE status = 'settled'"
        return _compare(bench, database, "bets", statement, self.accepted)


class Claims(Workload):
    """Claims of a promo that pays at once, from a cap that all of them count down."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._promos: list[str] = []

    def requests(self) -> Iterator[bytes]:
        while True:
            promo = make_claimable(self.world.caller)
            self._promos.append(promo)
            for number in range(PLAYERS):
                yield self._post(f"/v1/promos/{promo}/claim", {"player_id": player(number)})

    def differences(self, bench: Bench, database: str | None = None) -> list[str]:
        claims = "SELECT count(*) FROM promos_userpromo WHERE promo_id = ANY (%s::uuid[])"
        left = (
            "SELECT sum(1000000 - claims_left)::bigint FROM promos_promo"
            " WHERE id = ANY (%s::uuid[])"
        )
        return [
            *_compare(bench, database, "claims", claims, self.accepted, self._promos),
            *_compare(bench, database, "claims left", left, self.accepted, self._promos),
        ]


class Webhooks(Workload):
    """Signed events of a platform that move its bonuses on, none of them sent twice."""

    def requests(self) -> Iterator[bytes]:
        path = f"/v1/adapters/{ADAPTER}/webhooks/bonus-events"
        while True:
            event_id, now = str(uuid4()), time.time()
            body = {
                "event_id": event_id,
                "event": "bonus.wagered",
                "ts": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
                "data": {
                    "grant_id": self._random.choice(self.world.grants),
                    "wagered_amount_subunit": 100,
                    "weighted_progress_subunit": 100,
                },
            }
            payload = json.dumps(body).encode()
            headers = sign(self.world.secret, event_id, int(now), payload)
            yield render_post(path, payload, headers=headers)

    def run(self, load: Load, *, seconds: float) -> Answers:
        # What was signed for the last run may be too old for this one.
        self._rendered.clear()
        return super().run(load, seconds=seconds)

    def differences(self, bench: Bench, database: str | None = None) -> list[str]:
        statement = (
            "SELECT sum(wagering_progress) FROM bonuses_bonusgrant WHERE id = ANY (%s::uuid[])"
        )
        grants = list(self.world.grants)
        return _compare(bench, database, "progress", statement, self.accepted, grants)


def _differences_of_instance(
    bench: Bench, database: str | None, workload: Workload, instance: str, expected: int
) -> list[str]:
    name = f"{type(workload).__name__.lower()} of {instance}"
    rows = (
        "SELECT count(*) FROM jackpots_contribution WHERE instance_id = %s"
        " AND status = 'accepted' AND gameround_id <> 'fill'"
    )
    view = workload.world.caller.call("GET", f"/v2/jackpots/instances/{instance}")
    filled = (
        "SELECT coalesce(sum(amount), 0) FROM jackpots_contribution WHERE instance_id = %s"
        " AND gameround_id = 'fill'"
    )
    with bench.connect(database) as connection:
        (before,) = connection.execute(filled, [instance]).fetchone() or (Decimal(0),)
    meter = sum(Decimal(pot["value"]) for pot in view["pots"]) - before
    found = _compare(bench, database, f"rows, {name}", rows, expected, instance)
    if meter != expected * PART:
        found.append(f"meter, {name}: {meter}, answered were {expected * PART}")
    return found


def _compare(
    bench: Bench,
    database: str | None,
    name: str,
    statement: str,
    expected: int,
    argument: Any = None,
) -> list[str]:
    with bench.connect(database) as connection:
        row = connection.execute(statement, None if argument is None else [argument]).fetchone()
    counted = row[0] if row else None
    return [] if counted == expected else [f"{name}: {counted}, answered were {expected}"]
