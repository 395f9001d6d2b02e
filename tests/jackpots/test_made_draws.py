"""Made draws stay what they were published as: rules and script agree with them for ever."""

import hashlib
import json
import runpy
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

import pytest

from core.money import format_amount, get_currency
from jackpots.rules.draws import (
    Entry,
    PrizeRow,
    award_prizes,
    commitment_of,
    digest_entries,
    draw_winners,
)

HERE = Path(__file__).resolve()
SCRIPT = HERE.parents[2] / "docs" / "verify_draw.py"
#: Published by earlier releases. They are evidence: whoever has to change one has broken the draw.
MADE = sorted((HERE.parent / "made_draws").glob("*.json"))


def drawn_again(published: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the winners as today's rules find them."""
    currency = get_currency(published["currency"])
    entries = [Entry(entry["player_id"], entry["tickets"]) for entry in published["entries"]]
    prizes = [
        PrizeRow(
            name=prize["name"],
            amount=None if prize["amount"] is None else Decimal(prize["amount"]),
            share=None if prize["share"] is None else Decimal(prize["share"]),
            count=prize["count"],
            min_tickets=prize["min_tickets"],
        )
        for prize in published["prizes"]
    ]
    assert commitment_of(published["seed"]) == published["commitment"]
    assert digest_entries(entries) == published["entries_digest"]
    winners = draw_winners(
        entries, prizes, seed=published["seed"], draw_id=UUID(published["draw_id"])
    )
    award = award_prizes(winners, prizes, pot=Decimal(published["pot_amount"]), currency=currency)
    return [
        {
            "position": position,
            "prize": prizes[winner.prize].name,
            "player_id": entries[winner.entry].player,
            "amount": format_amount(amount, currency.code),
            "counter": winner.counter,
        }
        for position, (winner, amount) in enumerate(zip(winners, award.amounts, strict=True), 1)
    ]


def test_there_are_made_draws_to_look_at() -> None:
    assert len(MADE) == 3


@pytest.mark.parametrize("file", MADE, ids=lambda file: file.stem)
def test_a_made_draw_is_drawn_again_as_it_was(file: Path) -> None:
    published = json.loads(file.read_text(encoding="utf-8"))

    assert drawn_again(published) == published["winners"]


@pytest.mark.parametrize("file", MADE, ids=lambda file: file.stem)
def test_the_script_confirms_a_made_draw_word_for_word(file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "commitment: ok\nentries: ok\nwinners: ok\n"


def test_the_script_does_not_walk_all_entries_for_each_winner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [Entry(f"p{number}", 1 + number % 3) for number in range(10_000)]
    winners = draw_winners(
        entries,
        [PrizeRow("Euro", amount=Decimal(1), count=50)],
        seed="5eed" * 16,
        draw_id=UUID("019a5e80-3c4e-7e5f-8a6b-7c8d9e0f1a2b"),
    )
    published = {
        "draw_id": "019a5e80-3c4e-7e5f-8a6b-7c8d9e0f1a2b",
        "seed": "5eed" * 16,
        "commitment": commitment_of("5eed" * 16),
        "entries_digest": digest_entries(entries),
        "pot_amount": "0",
        "currency_decimals": 2,
        "prizes": [{"name": "Euro", "amount": "1", "share": None, "count": 50, "min_tickets": 1}],
        "entries": [{"player_id": entry.player, "tickets": entry.tickets} for entry in entries],
        "winners": [
            {
                "prize": "Euro",
                "player_id": entries[winner.entry].player,
                "amount": "1.00",
                "counter": winner.counter,
            }
            for winner in winners
        ],
    }
    file = tmp_path / "draw.json"
    file.write_text(json.dumps(published), encoding="utf-8")

    steps = count_steps(file, monkeypatch)

    # A handful for each entry, and less than a block of a thousand for each winner.
    assert steps < 10 * 10_000 + 50 * 3 * 1_000


def count_steps(file: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let the script confirm a draw, and return how many lines of it were run."""
    steps = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal steps
        if frame.f_code.co_filename != str(SCRIPT):
            return None
        steps += event == "line"
        return trace

    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(file)])
    tracing_before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(SCRIPT), run_name="__main__")
    finally:
        sys.settrace(tracing_before)
    assert ended.value.code == 0
    return steps


def test_a_big_draw_has_the_winners_that_it_had() -> None:
    entries = [Entry(f"player-{n:05}", 1 + n * n % 17) for n in range(5000)]
    prizes = [
        PrizeRow("a", amount=Decimal(1), count=100, min_tickets=9),
        PrizeRow("b", amount=Decimal(1), count=100),
        PrizeRow("c", amount=Decimal(1), count=100, min_tickets=9),
        PrizeRow("d", amount=Decimal(1), count=700, min_tickets=14),
    ]

    winners = draw_winners(
        entries,
        prizes,
        seed="5eed" * 16,
        draw_id=UUID("019a5e80-3c4e-7e5f-8a6b-7c8d9e0f1a2b"),
    )

    told = "".join(f"{winner.prize} {winner.entry} {winner.counter}\n" for winner in winners)
    assert len(winners) == 1000
    assert (
        hashlib.sha256(told.encode()).hexdigest()
        == "0659b674c97bd5ca07357db3507d88471938ec797ec41e2cfe256a6f4cb74e3d"
    )
