"""
Growth: the same load at growing numbers of contributions.

Every size is a database of its own, a copy of the one that goes on growing, and every size has
its own web server. So the sizes are measured in turns, like everything else, and a slow minute
of the machine is nobody's.
"""

import sys
import time
from collections.abc import Iterator
from typing import Any, Never

from tqdm import tqdm

from bench.load import render_post
from bench.measure import Samples, Side, api_side, take_turns
from bench.options import GROWING, Options
from bench.report import Row, render_table, write_json
from bench.servers import Bench
from bench.standard import BATCH_CONNECTIONS, check_books
from bench.workloads import Batches, Contributions, Workload
from bench.world import World, prepare
from core.embedded.console import say
from core.embedded.errors import CannotRun

#: Requests that are filled in at once; each leaves three contributions.
CHUNK = 30_000
LEGS = 3
#: Contributions that wait when a fold is timed.
TAIL = 3_000
FOLD_WITHIN_S = 1800

# As jackpots_accept_contribution leaves them, its idempotency record included. The fold adds
# them to the meters like any others, so that the books balance.
_FILL = """
    WITH request AS MATERIALIZED (
        SELECT uuidv7() AS id, players.ids[1 + number %% cardinality(players.ids)] AS player_id
        FROM generate_series(1, %(requests)s) AS number, (
            SELECT array_agg(id ORDER BY id) AS ids FROM players_player
            WHERE reference LIKE 'player-%%'
        ) AS players
    ), remembered AS (
        INSERT INTO core_idempotencyrecord (operator_id, key, fingerprint, answer, created_at)
        SELECT %(operator)s, gen_random_uuid()::text, repeat('0', 64), '{}', now() FROM request
    )
    INSERT INTO jackpots_contribution (
        id, request_id, position, role, operator_id, instance_id, source_id, player_id, status,
        error_code, base_wager, base_currency, rate, amount, currency, pot_amounts,
        debit_currency, gameround_id, created_at
    )
    SELECT uuidv7(), request.id, leg.position,
        CASE leg.position WHEN 0 THEN 'main' ELSE 'linked' END, %(operator)s, leg.instance_id,
        CASE WHEN leg.position > 0 THEN (%(instances)s::uuid[])[1] END, request.player_id,
        'accepted', '', 100, 'USD', 1, 1, 'USD', ARRAY[1::numeric], '', 'fill', now()
    FROM request, (
        SELECT instance_id, number - 1 AS position
        FROM unnest(%(instances)s::uuid[]) WITH ORDINALITY AS legs (instance_id, number)
    ) AS leg
"""


class MeterReadings(Workload):
    """Reads of an instance with its meters, exact at the instant."""

    def requests(self) -> Iterator[bytes]:
        path = f"/v2/jackpots/instances/{self.world.linked[0]}"
        post = render_post(path, b"", headers=self.world.caller.headers)
        while True:
            yield b"GET" + post.removeprefix(b"POST")

    def differences(self, bench: Bench, database: str | None = None) -> list[str]:
        return []


def run_growth(bench: Bench, options: Options) -> bool:
    """
    Fill, measure at each size, print the table; return whether everything was exact.

    :raises CannotRun: if something cannot be measured.
    """
    say("  Migrating the database, starting granian")
    bench.manage("migrate", "--noinput")
    web = bench.serve_windfall()
    world = prepare(bench, web, groups=())
    bench.nest.stop(web.process)
    databases = _make_databases(bench, world, options.sizes)
    groups: dict[str, list[Side]] = {name: [] for name in (*GROWING, "meters")}
    workloads: dict[str, tuple[Workload, str]] = {}
    companions = []
    for size, database in databases.items():
        here = world.on(bench.serve_windfall(f"web-{size}", database=database))
        companions.append(
            bench.spawn(
                f"companion-{size}",
                "-m",
                "bench.companion",
                environment=bench.environment(database),
            )
        )
        for group, workload, connections in (
            ("contribution", Contributions(here, instances=here.linked), options.connections),
            ("batch", Batches(here), BATCH_CONNECTIONS),
            ("meters", MeterReadings(here), options.connections),
        ):
            if group in options.only or group == "meters":
                name = _side(group, size)
                workloads[name] = (workload, database)
                groups[group].append(
                    api_side(
                        name,
                        workload,
                        bench=bench,
                        port=here.caller.port,
                        connections=connections,
                        seconds=options.seconds,
                    )
                )
    say(f"  Measuring: {options.rounds} rounds, {options.seconds} s for each side")
    measured = [group for group in groups.values() if group]
    samples = take_turns(measured, rounds=options.rounds, bench=bench)
    for companion in companions:
        bench.nest.stop(companion)
    folds = [_fold_side(bench, world, size, database) for size, database in databases.items()]
    say(f"  Timing folds of {TAIL} contributions")
    samples.rates |= take_turns([folds], rounds=options.rounds, bench=bench).rates
    return _report(bench, options, samples, workloads, databases)


def _make_databases(bench: Bench, world: World, sizes: tuple[int, ...]) -> dict[int, str]:
    """Fill one database step by step, and leave a copy at each size."""
    companion = bench.spawn("companion", "-m", "bench.companion", environment=bench.environment())
    databases = {}
    for size in sizes:
        _fill_to(bench, world, size)
        if size == sizes[-1]:
            databases[size] = "windfall"
            break
        # Only a database that nobody is connected to can be copied.
        bench.nest.stop(companion)
        _settle(bench)
        databases[size] = f"windfall_{size}"
        bench.create_database(databases[size], like="windfall")
        companion = bench.spawn(
            "companion", "-m", "bench.companion", environment=bench.environment()
        )
    bench.nest.stop(companion)
    _settle(bench)
    return databases


def _settle(bench: Bench) -> None:
    _fold(bench, "windfall")
    with bench.connect() as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _fill_to(bench: Bench, world: World, size: int) -> None:
    with bench.connect() as connection:
        row = connection.execute("SELECT count(*) FROM jackpots_contribution").fetchone()
        rows = row[0] if row else 0
        say(f"  Filling in contributions, to {size:,}")
        bar: tqdm[Never] | None = None
        if sys.stderr.isatty():
            bar = tqdm(total=size, initial=rows, unit=" rows", file=sys.stderr, leave=False)
        while rows < size:
            bench.nest.check()
            added = min(CHUNK, -(-(size - rows) // LEGS))
            _fill(connection, world, added)
            rows += added * LEGS
            if bar is not None:
                bar.update(added * LEGS)
        if bar is not None:
            bar.close()


def _fill(connection: Any, world: World, requests: int) -> None:
    with connection.transaction():
        # The rows are right; asking for each whether its player exists is most of the work.
        connection.execute("SET LOCAL session_replication_role = replica")
        (operator,) = connection.execute(
            "SELECT operator_id FROM jackpots_instance WHERE id = %s", [world.linked[0]]
        ).fetchone()
        connection.execute(
            _FILL, {"requests": requests, "operator": operator, "instances": list(world.linked)}
        )


def _fold(bench: Bench, database: str) -> float:
    """Fold what waits, and return how many seconds that took."""
    printed = bench.run(
        "fold",
        "-m",
        "bench.companion",
        "--once",
        environment=bench.environment(database, DATABASE_STATEMENT_TIMEOUT_MS="0"),
        seconds=FOLD_WITHIN_S,
    )
    try:
        return float(printed.split()[-1])
    except (IndexError, ValueError) as error:
        raise CannotRun(f"The fold did not say how long it took: {printed!r}") from error


def _fold_side(bench: Bench, world: World, size: int, database: str) -> Side:
    def measure(_samples: Samples) -> float:
        with bench.connect(database) as connection:
            _fill(connection, world, TAIL // LEGS)
        time.sleep(0.1)
        return 1 / max(_fold(bench, database), 1e-6)

    return Side(_side("fold", size), measure)


def _side(group: str, size: int) -> str:
    return f"{group} at {size:,}"


def _report(
    bench: Bench,
    options: Options,
    samples: Samples,
    workloads: dict[str, tuple[Workload, str]],
    databases: dict[int, str],
) -> bool:
    say("  Checking that everything adds up")
    differences = {
        name: found
        for name, (workload, database) in workloads.items()
        if (found := workload.differences(bench, database))
    }
    books = {size: check_books(bench, database) for size, database in databases.items()}
    titles = {
        "contribution": "contribution to 3 jackpots",
        "batch": "batch of 1000",
        "meters": "read of an instance's meters",
        "fold": f"fold of {TAIL} contributions",
    }
    least = options.sizes[0]
    rows = [
        Row(
            f"{title}, {size:,} rows",
            f"{least:,}",
            _side(group, size),
            _side(group, least),
            0.7,
            0.9,
        )
        for group, title in titles.items()
        if _side(group, least) in samples.rates
        for size in options.sizes[1:]
    ]
    say()
    for line in render_table(rows, samples, dict.fromkeys(differences, "NO")):
        say(line)
    say()
    for name, found in differences.items():
        say(f"NOT EXACT, {name}: {'; '.join(found)}")
    for size, said in books.items():
        say(f"{size:,}: {said}")
    path = write_json(
        options.results,
        kind="growth",
        rows=rows,
        samples=samples,
        exactness=dict.fromkeys(differences, "NO"),
        more={
            "options": {"rounds": options.rounds, "seconds": options.seconds},
            "sizes": options.sizes,
            "differences": differences,
            "books": books,
        },
    )
    say(f"Everything measured is in {path}")
    is_balanced = all(said.startswith("The books balance") for said in books.values())
    return not differences and is_balanced
