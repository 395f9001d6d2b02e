"""The one table, and the same as JSON."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.measure import Samples

HEADINGS = ("row", "against", "ratio", "min – max", "must", "target", "", "exact")


@dataclass(frozen=True)
class Row:
    """A line of the table: one side divided by another, and the bars that it should reach."""

    title: str
    against: str
    ours: str
    theirs: str
    must: float | None = None
    target: float | None = None


@dataclass(frozen=True)
class Ratio:
    """Round by round, one side divided by the other."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, ours: Sequence[float], theirs: Sequence[float]) -> "Ratio":
        """Divide what was measured in the same round."""
        ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
        return cls(middle=median(ratios), least=min(ratios), most=max(ratios))


def verdict(ratio: Ratio, row: Row) -> str:
    """Say how the median stands to the bars."""
    if row.must is None:
        return ""
    if row.target is not None and ratio.middle >= row.target:
        return "ok, target"
    return "ok" if ratio.middle >= row.must else "short"


def render_table(rows: Sequence[Row], samples: Samples, exactness: Mapping[str, str]) -> list[str]:
    """Return the lines of the table; ``exactness`` is by side, for both sides of a row."""
    lines: list[tuple[str, ...]] = [HEADINGS]
    for row in rows:
        ratio = Ratio.of(samples.rates[row.ours], samples.rates[row.theirs])
        said = {exactness.get(side, "yes") for side in (row.ours, row.theirs)}
        lines.append(
            (
                row.title,
                row.against,
                _number(ratio.middle),
                f"{_number(ratio.least)} – {_number(ratio.most)}",
                "" if row.must is None else _number(row.must),
                "" if row.target is None else _number(row.target),
                verdict(ratio, row),
                "yes" if said == {"yes"} else "; ".join(sorted(said - {"yes"})),
            )
        )
    return align(lines)


def align(lines: Sequence[Sequence[str]]) -> list[str]:
    """Return the cells in columns, with a rule below the first line."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    texts = [
        "  ".join(
            # Words to the left, numbers to the right.
            cell.ljust(width) if number in (0, 1, 6, 7) else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return [texts[0], "-" * max(map(len, texts)), *texts[1:]]


def write_json(
    folder: Path,
    *,
    kind: str,
    rows: Sequence[Row],
    samples: Samples,
    exactness: Mapping[str, str],
    more: Mapping[str, Any],
) -> Path:
    """Write everything that was measured, and return where."""
    now = datetime.now(UTC)
    found = {
        "kind": kind,
        "measured_at": now.isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "rows": [
            {**asdict(row), **asdict(ratio), "verdict": verdict(ratio, row)}
            for row in rows
            for ratio in [Ratio.of(samples.rates[row.ours], samples.rates[row.theirs])]
        ],
        "rates": samples.rates,
        "load_shares_of_a_core": samples.load_shares,
        "latencies_ms_p50_p99": samples.latencies_ms,
        "exactness": exactness,
        **more,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y-%m-%dT%H-%M-%S}-{kind}.json"
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False, default=str) + "\n")
    return path


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"
