"""A simulation as its page shows it: figures, tables, and what the charts are drawn from."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from core.admin.display import EMPTY, amount_text
from core.money import format_decimal
from simulations.enums import Outcome, Warned
from simulations.rules.notices import SURE, Notice
from simulations.rules.results import Bar, Result
from simulations.services.simulating import Simulation

_HUNDRED = Decimal(100)
_ZERO = Decimal(0)
_QUANTILE_NAMES = {
    "0.05": "1 in 20 has at most",
    "0.25": "1 in 4 has at most",
    "0.5": "half have at most",
    "0.75": "3 in 4 have at most",
    "0.95": "19 in 20 have at most",
    "0.99": "99 in 100 have at most",
}
_BAD = (Warned.LOOKS_LIKE_A_LOSS, Warned.WAGERING_ABOVE_LIMIT, Warned.NOBODY_CAN_COMPLETE)


def answer_context(simulation: Simulation) -> dict[str, Any]:
    """Return what the page shows of a simulation."""
    result = simulation.result
    return {
        "result": result,
        "notices": notice_rows(simulation.notices),
        "figures": _figures(result),
        "money_rows": _money_rows(result),
        "outcomes": [
            {"name": outcome.label, "share": percent(share), "value": f"{share * _HUNDRED:f}"}
            for outcome, share in result.outcomes.items()
            if share
        ],
        "quantiles": [
            (name, amount_text(result.balance_quantiles[share], result.currency))
            for share, name in _QUANTILE_NAMES.items()
        ],
        "completion_sentence": _completion_sentence(result),
        "empty": percent(result.empty),
        "bars": [_bar_row(bar, result.currency) for bar in result.bars],
        "drawn": _drawn(result),
        "played": f"{result.players:,} players, {result.bets:,} bets",
    }


def notice_rows(notices: Sequence[Notice]) -> list[dict[str, str]]:
    """Return warnings with the colour of each."""
    return [
        {
            "title": notice.code.label,
            "detail": notice.detail,
            "tone": "bad" if notice.code in _BAD else "warning",
        }
        for notice in notices
    ]


def terms_sentences(simulation: Simulation) -> list[str]:
    """Return what a player of the simulation gets, and has to do for it."""
    result = simulation.result
    own = amount_text(result.own_money, result.currency)
    found = [
        f"Bonus {amount_text(result.bonus, result.currency)}"
        + (f", beside {own} of the player's own." if result.own_money else ".")
    ]
    if not result.requirement:
        return [*found, "Nothing has to be wagered."]
    times = "" if result.multiple is None else f", {format_decimal(result.multiple)} × the bonus"
    requirement = amount_text(result.requirement, result.requirement_currency)
    within = ""
    if simulation.position.time_limit_s is not None:
        within = f" within {hours_text(Decimal(simulation.position.time_limit_s) / 3600)}"
    return [*found, f"To wager: {requirement}{times}{within}."]


def percent(share: Decimal) -> str:
    """Return a share of 1 as a percentage with one decimal."""
    return f"{round(share * _HUNDRED, 1)} %"


def hours_text(hours: Decimal) -> str:
    """Return hours for people: days from two on."""
    if hours < 48:
        return f"{format_decimal(round(hours, 1) + 0)} h"
    return f"{format_decimal(round(hours / 24, 1) + 0)} days"


def _figures(result: Result) -> list[tuple[str, str]]:
    error = amount_text(SURE * result.standard_error, result.currency)
    half = None if result.completion_hours is None else result.completion_hours["0.5"]
    return [
        ("Cost of a player", f"{amount_text(result.cost, result.currency)} ± {error}"),
        ("Of the bonus", EMPTY if result.cost_share is None else percent(result.cost_share)),
        ("Complete", percent(result.outcomes[Outcome.COMPLETED])),
        ("Half of these within", EMPTY if half is None else hours_text(half)),
        ("Staked by a player", amount_text(result.turnover, result.currency)),
        ("Acceptable from", _acceptable_from(result)),
    ]


def _acceptable_from(result: Result) -> str:
    if result.break_even is not None:
        return f"{format_decimal(result.break_even)} ×"
    if result.is_unfinished_only:
        return f"{EMPTY}, only because nobody can finish"
    return "no multiple"


def _completion_sentence(result: Result) -> str:
    hours = result.completion_hours
    if hours is None:
        return ""
    return (
        f"Of those who complete, half are through within {hours_text(hours['0.5'])}, "
        f"19 in 20 within {hours_text(hours['0.95'])}."
    )


def _money_rows(result: Result) -> list[tuple[str, str]]:
    def amount(value: Decimal) -> str:
        return amount_text(value, result.currency)

    low, high = result.cost_quantiles["0.05"], result.cost_quantiles["0.95"]
    rows = [
        ("Bonus, less what came back of it", amount(result.booked_cost)),
        ("Less what the house won by the bets", amount(result.margin)),
        ("Cost of a player", amount(result.cost)),
        (
            "Acceptable up to",
            f"{amount(result.acceptable_cost)} ({percent(result.acceptable_share)})",
        ),
        ("9 of 10 players cost between", f"{amount(low)} and {amount(high)}"),
    ]
    if result.turnover_multiple is not None:
        times = format_decimal(result.turnover_multiple)
        rows.append(("Staked by a player", f"{amount(result.turnover)}, {times} × the bonus"))
    return rows


def _bar_row(bar: Bar, currency: str) -> dict[str, str]:
    low = amount_text(bar.low, currency)
    told = f"{low} or more" if bar.high is None else f"{low} to {amount_text(bar.high, currency)}"
    return {"name": told, "share": percent(bar.share)}


def _drawn(result: Result) -> dict[str, Any]:
    """Return the charts' data; numbers in it place things, and texts are read."""
    width = result.bars[0].high if result.bars else None
    return {
        "bars": [
            {
                "x": float(bar.low + (width or _ZERO) / 2),
                "y": float(bar.share * _HUNDRED),
                **_bar_row(bar, result.currency),
            }
            for bar in result.bars
        ],
        "completions": [
            {
                "x": float(point.hours),
                "y": float(point.share * _HUNDRED),
                "name": f"Within {hours_text(point.hours)}",
                "share": percent(point.share),
            }
            for point in result.completions
        ],
        "costs": [
            {
                "x": float(multiple),
                "y": float(cost),
                "name": f"{format_decimal(multiple)} × the bonus",
                "share": amount_text(cost, result.currency),
            }
            for multiple, cost in result.costs
        ],
        "acceptable": float(result.acceptable_cost),
        "currency": result.currency,
        "multiple": None if result.multiple is None else float(result.multiple),
    }
