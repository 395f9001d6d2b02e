"""The plain run: every path beside its limit, the naive version and the peer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.measure import Samples, Side, api_side, pgbench_side, take_turns
from bench.naive.workload import NaiveContributions, serve_naive
from bench.options import Options
from bench.peer.workload import Fight, Redemptions, fight_for_promos, fight_for_vouchers, serve_peer
from bench.pgbench import SCRIPTS
from bench.report import Row, render_table, write_json
from bench.servers import Bench, Web
from bench.workloads import BATCH_SIZE, Batches, Bets, Claims, Contributions, Webhooks, Workload
from bench.world import World, prepare
from core.embedded.console import say, tail
from core.embedded.errors import CannotRun

#: A batch occupies a thread for long, so few do; of fewer one worker may get nearly all.
BATCH_CONNECTIONS = 8


@dataclass
class Plan:
    """What is to be measured, and what must then add up."""

    bench: Bench
    options: Options
    world: World
    web: Web
    groups: list[list[Side]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    workloads: dict[str, Workload] = field(default_factory=dict)

    def api(
        self,
        name: str,
        workload: Workload,
        *,
        web: Web | None = None,
        connections: int | None = None,
    ) -> Side:
        """Return the side of a workload, which is checked afterwards."""
        self.workloads[name] = workload
        return api_side(
            name,
            workload,
            bench=self.bench,
            port=(web or self.web).port,
            connections=connections or self.options.connections,
            seconds=self.options.seconds,
        )

    def twin(self, name: str, script: str, *, weight: int = 1) -> Side:
        """Return the side of a twin."""
        seconds = self.options.seconds
        return pgbench_side(name, script, bench=self.bench, seconds=seconds, weight=weight)


def run_standard(bench: Bench, options: Options) -> bool:
    """
    Measure, print the table, write the JSON; return whether everything was exact.

    :raises CannotRun: if something cannot be measured.
    """
    say("  Migrating the database, starting granian")
    bench.manage("migrate", "--noinput")
    with bench.connect() as connection:
        connection.execute((SCRIPTS / "schema.sql").read_text())
    web = bench.serve_windfall()
    world = prepare(bench, web, groups=options.only)
    plan = Plan(bench, options, world, web)
    peer: Web | None = None
    for group in options.only:
        if group == "peer":
            peer = _plan_peer(plan)
        else:
            _PLANS[group](plan)
    bench.spawn("companion", "-m", "bench.companion", environment=bench.environment())
    with bench.connect() as connection:
        connection.execute("VACUUM ANALYZE")
    say(f"  Measuring: {options.rounds} rounds, {options.seconds} s for each side")
    samples = take_turns(plan.groups, rounds=options.rounds, bench=bench)
    fights: dict[str, dict[str, Fight]] = {}
    if peer is not None:
        say("  Redeeming the same thing many times at once")
        fights = {
            "peer": fight_for_vouchers(bench, peer),
            "claim": fight_for_promos(bench, world, web),
        }
    return _report(plan, samples, fights)


def _plan_contribution(plan: Plan) -> None:
    world = plan.world
    naive, instance = serve_naive(plan.bench)
    plan.groups.append(
        [
            plan.api("contribution", Contributions(world, instances=world.linked)),
            plan.twin("contribution, pgbench", "contribution.sql"),
            plan.api("contribution, alone", Contributions(world, instances=(world.alone,))),
            plan.api(
                "contribution, naive", NaiveContributions(world, instance=instance), web=naive
            ),
        ]
    )
    title = "contribution to 3 jackpots"
    plan.rows += [
        Row(title, "pgbench", "contribution", "contribution, pgbench", 0.40, 0.60),
        Row(title, "naive ORM version", "contribution", "contribution, naive", 4, 8),
        Row("fan-out: 3 jackpots", "1 jackpot", "contribution", "contribution, alone", 0.85, 0.95),
    ]


def _plan_batch(plan: Plan) -> None:
    plan.groups.append(
        [
            plan.api("batch", Batches(plan.world), connections=BATCH_CONNECTIONS),
            plan.twin("batch, pgbench", "batch.sql", weight=BATCH_SIZE),
        ]
    )
    plan.rows.append(Row("batch of 1000", "pgbench", "batch", "batch, pgbench", 0.30, 0.60))


def _plan_bet(plan: Plan) -> None:
    bets = Bets(plan.world)
    plan.groups.append([plan.api("bet", bets), plan.twin("bet, pgbench", "bet.sql")])
    plan.rows.append(Row("bet, promo and grant", "pgbench", "bet", "bet, pgbench", 0.12, 0.25))


def _plan_claim(plan: Plan) -> None:
    plan.groups.append(
        [plan.api("claim", Claims(plan.world)), plan.twin("claim, pgbench", "claim.sql")]
    )
    plan.rows.append(Row("promo claim", "pgbench", "claim", "claim, pgbench", 0.20, 0.35))


def _plan_webhook(plan: Plan) -> None:
    plan.groups.append(
        [
            plan.api("webhook", Webhooks(plan.world)),
            plan.twin("webhook, pgbench", "webhook.sql"),
        ]
    )
    plan.rows.append(Row("wagered webhook", "pgbench", "webhook", "webhook, pgbench", 0.20, 0.35))


def _plan_peer(plan: Plan) -> Web | None:
    try:
        web = serve_peer(plan.bench, plan.options)
    except CannotRun as reason:
        say(f"  The peer is left out. {reason.message}")
        if reason.log is not None:
            say(tail(reason.log))
        return None
    redemptions = plan.api("peer", Redemptions(plan.world), web=web)
    if "claim" not in plan.workloads:
        plan.groups.append([plan.api("claim", Claims(plan.world))])
    next(group for group in plan.groups if group[0].name == "claim").append(redemptions)
    plan.rows.append(Row("promo claim", "django-oscar voucher", "claim", "peer"))
    return web


_PLANS: dict[str, Callable[[Plan], None]] = {
    "contribution": _plan_contribution,
    "batch": _plan_batch,
    "bet": _plan_bet,
    "claim": _plan_claim,
    "webhook": _plan_webhook,
}


def _report(plan: Plan, samples: Samples, fights: dict[str, dict[str, Fight]]) -> bool:
    say("  Checking that everything adds up")
    differences = {
        name: found
        for name, workload in plan.workloads.items()
        if (found := workload.differences(plan.bench))
    }
    differences |= twin_differences(plan.bench)
    books = check_books(plan.bench)
    exactness = dict.fromkeys(differences, "NO")
    for side, kinds in fights.items():
        beyond = sum(fight.beyond for fight in kinds.values())
        if beyond:
            exactness[side] = f"{side}: {beyond} beyond the limit"
    say()
    for line in render_table(plan.rows, samples, exactness):
        say(line)
    say()
    _say_fights(fights)
    for name, found in differences.items():
        say(f"NOT EXACT, {name}: {'; '.join(found)}")
    say(books)
    _say_cost_of_load(samples)
    more: dict[str, Any] = {
        "options": {"rounds": plan.options.rounds, "seconds": plan.options.seconds},
        "differences": differences,
        "books": books,
        "redeemed_at_once": {
            side: {kind: vars(fight) for kind, fight in kinds.items()}
            for side, kinds in fights.items()
        },
    }
    path = write_json(
        plan.options.results,
        kind="standard",
        rows=plan.rows,
        samples=samples,
        exactness=exactness,
        more=more,
    )
    say(f"Everything measured is in {path}")
    ours_beyond = sum(fight.beyond for fight in fights.get("claim", {}).values())
    return not differences and books.startswith("The books balance") and not ours_beyond


def twin_differences(bench: Bench) -> dict[str, list[str]]:
    """Return what does not add up among the twins."""
    with bench.connect() as connection:
        rows = connection.execute((SCRIPTS / "exact.sql").read_text()).fetchall()
    return {f"pgbench {name}": [f"off by {amount}"] for name, amount in rows}


def check_books(bench: Bench, database: str | None = None) -> str:
    """Return what `check_books` says, which is a failure to be told of and not to stop at."""
    try:
        return bench.manage("check_books", database=database).strip().splitlines()[-1]
    except CannotRun as reason:
        said = tail(reason.log).strip() if reason.log is not None else reason.message
        return f"NOT EXACT, check_books:\n  {said}"


def _say_fights(fights: dict[str, dict[str, Fight]]) -> None:
    names = {"peer": "django-oscar", "claim": "Windfall"}
    for side, kinds in fights.items():
        for kind, fight in kinds.items():
            say(
                f"{names[side]}, {kind}, by 16 at once: {fight.allowed} allowed, {fight.had} had,"
                f" {fight.beyond} beyond the limit ({fight.overrun} of {fight.things})"
            )


def _say_cost_of_load(samples: Samples) -> None:
    shares = [share for found in samples.load_shares.values() for share in found]
    if shares:
        say(
            f"The load itself took {sum(shares) / len(shares):.0%} of one core on average,"
            f" {max(shares):.0%} at most."
        )
