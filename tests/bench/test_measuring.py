"""What `make bench` says follows from what it measured: turns, ratios, bars, options."""

import json
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bench.measure import Samples, Side, take_turns
from bench.options import GROUPS, Options
from bench.pgbench import parse_output
from bench.report import Ratio, Row, render_table, verdict, write_json
from bench.workloads import BATCH_SIZE, Batches, Contributions, Webhooks
from bench.world import Caller, World

WORLD = World(
    caller=Caller(port=1, api_key="key"),
    linked=("a", "b", "c"),
    alone="d",
    batch="e",
    grants=("g1", "g2"),
    secret="whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
)
ROW = Row("ours", "theirs", "ours", "theirs", must=0.4, target=0.6)
PGBENCH = """\
number of transactions actually processed: 1234
number of failed transactions: {failed} (0.000%)
latency average = 1.000 ms
initial connection time = 5.000 ms
tps = 411.250000 (without initial connection time)
"""


def body_of(request: bytes) -> dict[str, Any]:
    head, _blank, body = request.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    return cast("dict[str, Any]", json.loads(body))


def test_a_ratio_divides_what_was_measured_in_the_same_round() -> None:
    assert Ratio.of([10, 90, 30], [20, 100, 100]) == Ratio(middle=0.5, least=0.3, most=0.9)


@pytest.mark.parametrize(
    ("middle", "said"), [(0.39, "short"), (0.4, "ok"), (0.59, "ok"), (0.6, "ok, target")]
)
def test_the_median_is_held_against_the_bars(middle: float, said: str) -> None:
    assert verdict(Ratio(middle, 0, 9), ROW) == said
    assert verdict(Ratio(middle, 0, 9), Row("ours", "a peer", "ours", "peer")) == ""


def test_every_side_has_its_turn_in_every_round_and_the_order_alternates() -> None:
    order: list[str] = []

    def side(name: str) -> Side:
        return Side(name, lambda _samples: float(order.append(name) or len(order)))

    bench = cast("Any", SimpleNamespace(nest=SimpleNamespace(check=lambda: None)))
    samples = take_turns([[side("a"), side("b")], [side("c")]], rounds=2, bench=bench)

    assert order == ["a", "b", "c", "c", "b", "a"]
    assert samples.rates == {"a": [1, 6], "b": [2, 5], "c": [3, 4]}


def test_the_table_has_ratios_bars_and_what_was_not_exact(tmp_path: Path) -> None:
    samples = Samples(rates={"ours": [5.0, 7.0, 6.0], "theirs": [10.0, 10.0, 10.0]})

    lines = render_table([ROW], samples, {})
    wrong = render_table([ROW], samples, {"theirs": "NO"})
    path = write_json(
        tmp_path, kind="standard", rows=[ROW], samples=samples, exactness={}, more={"books": "ok"}
    )

    assert lines[2].split() == [
        "ours", "theirs", "0.60", "0.50", "–", "0.70", "0.40", "0.60", "ok,", "target", "yes",
    ]  # fmt: skip
    assert wrong[2].endswith("NO")
    [row] = json.loads(path.read_text())["rows"]
    assert (row["middle"], row["least"], row["most"], row["verdict"]) == (
        0.6, 0.5, 0.7, "ok, target",
    )  # fmt: skip


def test_a_result_of_pgbench_counts_only_if_nothing_failed() -> None:
    result = parse_output(PGBENCH.format(failed=0))

    assert (result.rate, result.transactions) == (411.25, 1234)
    with pytest.raises(ValueError, match="2 transactions failed"):
        parse_output(PGBENCH.format(failed=2))
    with pytest.raises(ValueError, match="no result"):
        parse_output("pgbench: error: connection refused")


def test_an_option_wins_over_the_environment_and_both_are_checked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = Options.parse([], {})
    given = Options.parse(
        ["--rounds", "2"], {"ROUNDS": "9", "ONLY": "batch,contribution", "GROWTH": "1"}
    )

    assert (plain.rounds, plain.only, plain.growth) == (5, GROUPS, False)
    assert (given.rounds, given.only, given.growth) == (2, ("contribution", "batch"), True)
    for environment in ({"ROUNDS": "0"}, {"ONLY": "batches"}, {"SIZES": "10"}):
        with pytest.raises(SystemExit):
            Options.parse([], environment)
    assert "choose from contribution" in capsys.readouterr().err


def test_no_two_requests_have_one_key() -> None:
    contributions = list(islice(Contributions(WORLD, instances=WORLD.linked).requests(), 50))
    batch = body_of(next(Batches(WORLD).requests()))["contributions"]
    events = [body_of(request) for request in islice(Webhooks(WORLD).requests(), 50)]

    assert contributions[0].startswith(b"POST /v2/jackpots/instances/a/contributions HTTP/1.1\r\n")
    assert b"Authorization: Api-Key key\r\n" in contributions[0]
    assert len(set(contributions)) == 50
    assert len({item["idempotency_key"] for item in batch}) == len(batch) == BATCH_SIZE
    assert {item["instance_id"] for item in batch} == {"e"}
    assert len({event["event_id"] for event in events}) == 50
