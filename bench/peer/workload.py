"""The peer as something to send requests to, and both of us under those who try twice."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from bench.load import Load, render_post
from bench.options import Options
from bench.peer.environment import make_environment
from bench.servers import Bench, Web
from bench.workloads import Workload
from bench.world import FOREVER_S, Caller, World, make_claimable, player

DATABASE = "peer"
USERS = 1000
ONCE = 20
#: How many things are fought for, by how many at once, and how many may have a limited one.
FOUGHT_FOR = 20
AT_ONCE = 16
LIMIT = 5


@dataclass(frozen=True)
class Fight:
    """What came of many who wanted at once what only so many may have."""

    allowed: int
    had: int
    #: How many of the things went to more than may have them.
    overrun: int
    things: int

    @property
    def beyond(self) -> int:
        """Return how many got what they should not have."""
        return max(self.had - self.allowed, 0)


def serve_peer(bench: Bench, options: Options) -> Web:
    """
    Start the peer on a database of its own.

    :raises CannotRun: if it cannot be installed, or does not start.
    """
    python = make_environment(options.data / "oscar")
    environment = bench.environment(DATABASE, DJANGO_SETTINGS_MODULE="bench.peer.settings")
    bench.create_database(DATABASE)
    counts = {
        "users": USERS,
        "once": ONCE + FOUGHT_FOR,
        "single": FOUGHT_FOR,
        "limited": FOUGHT_FOR,
        "limit": LIMIT,
    }
    module = ("-m", "bench.peer.prepare", json.dumps(counts))
    bench.run("peer-prepare", *module, environment=environment, python=python)
    return bench.serve(
        "peer",
        "bench.peer.wsgi:application",
        environment=environment,
        ready_path="/readyz",
        python=python,
    )


class Redemptions(Workload):
    """Vouchers that every customer may redeem once, each by somebody else."""

    def requests(self) -> Iterator[bytes]:
        for voucher in range(ONCE):
            for user in range(USERS):
                yield redemption(f"ONCE{voucher}", user)

    def differences(self, bench: Bench, database: str | None = None) -> list[str]:
        return []


def redemption(voucher: str, user: int) -> bytes:
    """Return the request that redeems a voucher."""
    body = json.dumps({"voucher": voucher, "user": f"user-{user}"}).encode()
    return render_post("/redeem", body, headers={})


def fight_for_vouchers(bench: Bench, web: Web) -> dict[str, Fight]:
    """Let many redeem the peer's vouchers at once, and count what they got."""
    numbers = range(FOUGHT_FOR)
    once = [
        redemption(f"ONCE{ONCE + number}", number) for number in numbers for _ in range(AT_ONCE)
    ]
    single = [redemption(f"SINGLE{number}", user) for number in numbers for user in range(AT_ONCE)]
    limited = [
        redemption(f"LIMITED{number}", user) for number in numbers for user in range(AT_ONCE)
    ]
    for requests in (once, single, limited):
        Load(port=web.port, connections=AT_ONCE, check=bench.nest.check).run(
            iter(requests), seconds=FOREVER_S
        )
    counts = (
        "SELECT count(application.id) FROM voucher_voucher AS voucher"
        " LEFT JOIN voucher_voucherapplication AS application"
        " ON application.voucher_id = voucher.id WHERE voucher.code = ANY (%s) GROUP BY voucher.id"
    )
    return {
        "once for each customer": _judge(
            bench, counts, [f"ONCE{ONCE + number}" for number in numbers], 1, DATABASE
        ),
        "a single use": _judge(
            bench, counts, [f"SINGLE{number}" for number in numbers], 1, DATABASE
        ),
        f"{LIMIT} uses": _judge(
            bench, counts, [f"LIMITED{number}" for number in numbers], LIMIT, DATABASE
        ),
    }


def fight_for_promos(bench: Bench, world: World, web: Web) -> dict[str, Fight]:
    """Let many claim our promos at once, and count what they got."""
    caller = Caller(web.port, world.caller.api_key)
    kinds: dict[str, tuple[int, list[str], list[bytes]]] = {}
    for kind, limit, is_same_player in (
        ("once for each customer", 1, True),
        ("a single use", 1, False),
        (f"{LIMIT} uses", LIMIT, False),
    ):
        promos = [
            make_claimable(caller, claims_left=1_000_000 if is_same_player else limit)
            for _ in range(FOUGHT_FOR)
        ]
        requests = [
            _claim(caller, promo, player(number if is_same_player else claimant))
            for number, promo in enumerate(promos)
            for claimant in range(AT_ONCE)
        ]
        kinds[kind] = (limit, promos, requests)
    counts = (
        "SELECT count(claim.id) FROM promos_promo AS promo LEFT JOIN promos_userpromo AS claim"
        " ON claim.promo_id = promo.id WHERE promo.id = ANY (%s::uuid[]) GROUP BY promo.id"
    )
    found = {}
    for kind, (limit, promos, requests) in kinds.items():
        Load(port=web.port, connections=AT_ONCE, check=bench.nest.check).run(
            iter(requests), seconds=FOREVER_S
        )
        found[kind] = _judge(bench, counts, promos, limit, None)
    return found


def _claim(caller: Caller, promo: str, reference: str) -> bytes:
    headers = {**caller.headers, "Idempotency-Key": str(uuid4())}
    body = json.dumps({"player_id": reference}).encode()
    return render_post(f"/v1/promos/{promo}/claim", body, headers=headers)


def _judge(
    bench: Bench, statement: str, things: list[Any], limit: int, database: str | None
) -> Fight:
    with bench.connect(database) as connection:
        counts = [row[0] for row in connection.execute(statement, [things]).fetchall()]
    return Fight(
        allowed=limit * len(things),
        had=sum(counts),
        overrun=sum(count > limit for count in counts),
        things=len(things),
    )
