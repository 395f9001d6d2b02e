"""A simulation in words and plain lines, for people who read it in a terminal."""

from collections.abc import Iterator
from decimal import Decimal

from core.money import format_amount, format_decimal
from simulations.enums import Outcome
from simulations.rules.results import Result
from simulations.services.simulating import Simulation

_BAR_WIDTH = 40
_HUNDRED = Decimal(100)
_ONE = Decimal(1)


def tell_simulation(simulation: Simulation) -> Iterator[str]:
    """Yield the lines of a simulation, the warnings first."""
    result = simulation.result
    for notice in simulation.notices:
        yield f"! {notice.code.label}: {notice.detail}"
    if simulation.notices:
        yield ""
    for name, value in _figures(result):
        yield f"{name:<34}{value}"
    yield ""
    yield from _outcomes(result)
    yield from _balances(result)


def amount_told(amount: Decimal, currency: str) -> str:
    """Return an amount for people: "1,234.50 EUR"; below zero with a minus sign."""
    sign = "-" if amount < 0 else ""
    whole, point, fraction = format_amount(abs(amount), currency).partition(".")
    return f"{sign}{int(whole):,}{point}{fraction} {currency}"


def percent_told(share: Decimal) -> str:
    """Return a share of 1 as a percentage with one decimal: "12.5 %"."""
    return f"{round(share * _HUNDRED, 1)} %"


def _figures(result: Result) -> Iterator[tuple[str, str]]:
    code = result.currency
    yield "Bonus", amount_told(result.bonus, code)
    yield "Own money", amount_told(result.own_money, code)
    multiple = "" if result.multiple is None else f", {_plain(result.multiple)} x the bonus"
    requirement = amount_told(result.requirement, result.requirement_currency)
    yield "To wager", f"{requirement}{multiple}"
    yield "Players, bets", f"{result.players:,}, {result.bets:,}"
    share = "" if result.cost_share is None else f", {percent_told(result.cost_share)} of the bonus"
    error = amount_told(result.standard_error, code)
    cost = amount_told(result.cost, code)
    yield "Cost of a player", f"{cost} (standard error {error}){share}"
    yield "  bonus less what came back", amount_told(result.booked_cost, code)
    yield "  less won by the bets", amount_told(result.margin, code)
    yield "  acceptable up to", amount_told(result.acceptable_cost, code)
    low, high = result.cost_quantiles["0.05"], result.cost_quantiles["0.95"]
    yield "  9 of 10 players between", f"{amount_told(low, code)} and {amount_told(high, code)}"
    yield "Staked by a player", amount_told(result.turnover, code)
    if result.completion_hours is not None:
        hours = result.completion_hours
        yield (
            "Hours to complete",
            f"{_plain(hours['0.5'])} (half), {_plain(hours['0.95'])} (19 of 20)",
        )
    yield "Acceptable from", _acceptable_from(result)


def _acceptable_from(result: Result) -> str:
    if result.break_even is not None:
        return f"{_plain(result.break_even)} x the bonus"
    return "only because nobody can finish" if result.is_unfinished_only else "no multiple tried"


def _outcomes(result: Result) -> Iterator[str]:
    yield "How it ends"
    for outcome in Outcome:
        share = result.outcomes[outcome]
        if share:
            yield _bar(outcome.label, share, _ONE)


def _balances(result: Result) -> Iterator[str]:
    if not result.bars:
        return
    yield ""
    yield "What players have at the end"
    most = max(result.empty, *(bar.share for bar in result.bars))
    yield _bar("less than the least stake", result.empty, most)
    for bar in result.bars:
        upper = "and more" if bar.high is None else f"to {bar.high:,f}"
        yield _bar(f"{bar.low:,f} {upper}", bar.share, most)


def _bar(name: str, share: Decimal, most: Decimal) -> str:
    width = round(_BAR_WIDTH * share / most) if most else 0
    return f"  {name:<40}{percent_told(share):>8}  {'#' * width}".rstrip()


def _plain(value: Decimal) -> str:
    return format_decimal(value)
