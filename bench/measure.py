"""Sides measured in turns: every round measures each of them once, so that they share the noise."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Never

from tqdm import tqdm

from bench.load import Load
from bench.pgbench import SCRIPTS, run_script
from bench.servers import Bench
from bench.workloads import Workload
from core.embedded.console import say


@dataclass
class Samples:
    """What each side did in each round, and what the load cost."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    load_shares: dict[str, list[float]] = field(default_factory=dict)
    latencies_ms: dict[str, list[tuple[float, float]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Side:
    """Something that is measured: its name, and what measures it once and returns the rate."""

    name: str
    measure: Callable[[Samples], float]


def api_side(
    name: str, workload: Workload, *, bench: Bench, port: int, connections: int, seconds: int
) -> Side:
    """Return the side of a workload sent to a web server."""
    load = Load(port=port, connections=connections, check=bench.nest.check)

    def measure(samples: Samples) -> float:
        answers = workload.run(load, seconds=seconds)
        samples.load_shares.setdefault(name, []).append(answers.cpu_share)
        latencies = (answers.percentile_ms(0.5), answers.percentile_ms(0.99))
        samples.latencies_ms.setdefault(name, []).append(latencies)
        return answers.rate * workload.weight

    return Side(name, measure)


def pgbench_side(name: str, script: str, *, bench: Bench, seconds: int, weight: int = 1) -> Side:
    """Return the side of a twin in `bench/sql`."""

    def measure(_samples: Samples) -> float:
        return run_script(bench, SCRIPTS / script, seconds=seconds).rate * weight

    return Side(name, measure)


def take_turns(groups: Sequence[Sequence[Side]], *, rounds: int, bench: Bench) -> Samples:
    """
    Measure every side once in every round; the sides of a group stand next to each other.

    Every second round goes backwards, so that nobody always comes after the same neighbour.

    :raises CannotRun: if a side cannot be measured.
    """
    samples = Samples()
    total = rounds * sum(len(group) for group in groups)
    with _Progress(total) as progress:
        for turn in range(rounds):
            for group in groups if turn % 2 == 0 else reversed(groups):
                for side in group if turn % 2 == 0 else reversed(group):
                    bench.nest.check()
                    progress.show(turn, rounds, side.name)
                    samples.rates.setdefault(side.name, []).append(side.measure(samples))
                    progress.advance()
    return samples


class _Progress:
    """A bar on a terminal, a line for each round anywhere else."""

    def __init__(self, total: int) -> None:
        self._shown = -1
        self._bar: tqdm[Never] | None = None
        if sys.stderr.isatty():
            self._bar = tqdm(total=total, unit="", file=sys.stderr, leave=False)

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, turn: int, rounds: int, name: str) -> None:
        """Say what is measured now."""
        if self._bar is not None:
            self._bar.set_description(f"round {turn + 1} of {rounds}: {name}")
        elif turn != self._shown:
            self._shown = turn
            say(f"  Round {turn + 1} of {rounds}")

    def advance(self) -> None:
        """Count one measurement."""
        if self._bar is not None:
            self._bar.update()
