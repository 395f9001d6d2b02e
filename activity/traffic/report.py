"""A run in figures, and whether the meters tell the same story as the answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from activity.traffic.tally import PotGain, Tally
from core.money import format_amount

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the comparison came to; the exit status is 0 only if it is exact."""

    exit_status: int
    sentences: tuple[str, ...]


def render_report(gains: Sequence[PotGain], tally: Tally, *, elapsed_s: float) -> str:
    """Return the meters and the answers as two tables and a line of times."""
    meters = [
        ("jackpot", "pot", "", "before", "after", "gained"),
        *(
            (
                gain.instance,
                gain.pot,
                gain.currency,
                format_amount(gain.before, gain.currency),
                format_amount(gain.after, gain.currency),
                _signed(gain.gained, gain.currency),
            )
            for gain in gains
        ),
    ]
    codes = sorted({code for _role, code in tally.legs} | {""})
    legs = [
        ("outcome", "main", "linked", "bets"),
        *(
            (
                f"failed: {code}" if code else "accepted",
                f"{tally.legs['main', code]}",
                f"{tally.legs['linked', code]}",
                f"{tally.legs['bet', code]}",
            )
            for code in codes
        ),
    ]
    rate = tally.request_count / elapsed_s if elapsed_s else 0
    times = (
        f"{tally.request_count} requests in {elapsed_s:.1f} s: {rate:.1f} a second, "
        f"p50 {_ms(tally, 50)}, p95 {_ms(tally, 95)}, {tally.retry_count} sent again."
    )
    return "\n".join([*_table(meters, left=3), "", *_table(legs, left=1), "", times])


def judge(gains: Sequence[PotGain], tally: Tally) -> Verdict:
    """Compare what the meters gained with what the answers said they were given."""
    standing = [gain for gain in gains if not gain.has_dropped]
    short = [gain for gain in standing if gain.gained < gain.expected]
    over = [gain for gain in standing if gain.gained > gain.expected]
    if short:
        return Verdict(1, ("The meters gained less than the answers said:", *_differences(short)))
    if tally.unanswered_count:
        sentence = (
            f"{tally.unanswered_count} requests were never answered: nobody knows what they did, "
            "so the meters prove nothing."
        )
        return Verdict(1, (sentence,))
    if over:
        sentence = (
            "The meters gained more than the answers said, so there was other traffic. "
            "Run it alone to compare:"
        )
        return Verdict(2, (sentence, *_differences(over)))
    dropped = [
        f"{gain.instance}, {gain.pot} was won meanwhile, so its meter proves nothing."
        for gain in gains
        if gain.has_dropped
    ]
    return Verdict(0, (*dropped, "The meters gained exactly what the answers said."))


def _differences(gains: Sequence[PotGain]) -> Iterator[str]:
    for gain in gains:
        gained = format_amount(gain.gained.copy_abs(), gain.currency)
        expected = format_amount(gain.expected, gain.currency)
        sign = "-" if gain.gained < 0 else ""
        yield f"  {gain.instance}, {gain.pot}: {sign}{gained}, not {expected} {gain.currency}"


def _signed(amount: Decimal, currency: str) -> str:
    return f"{'-' if amount < 0 else '+'}{format_amount(amount.copy_abs(), currency)}"


def _ms(tally: Tally, percent: int) -> str:
    return f"{tally.latency_s(percent=percent) * 1000:.0f} ms"


def _table(rows: Sequence[Sequence[str]], *, left: int) -> Iterator[str]:
    """Yield the rows with their columns aligned, the first ``left`` of them to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield _GAP.join(cells).rstrip()
