"""What a simulation warns of, in sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.money import EXACT, format_amount, format_decimal
from simulations.enums import Outcome, Warned
from simulations.rules.odds import Choice, is_playable
from simulations.rules.pace import BETS_MAX
from simulations.rules.position import Position
from simulations.rules.results import Result
from simulations.rules.running import Span
from simulations.rules.scenario import Scenario

#: So many standard errors on either side of a mean are not chance.
SURE = 2
#: An answer is firm if so many standard errors are not more than this share of the bonus.
_FIRM_SHARE = Decimal("0.1")
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest multiple of the bonus that may have to be wagered somewhere, and where."""

    label: str
    multiple_max: Decimal


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning: a stable code, and a sentence."""

    code: Warned
    detail: str


def notices_of(
    *,
    position: Position,
    scenario: Scenario,
    choices: Sequence[Choice],
    span: Span,
    result: Result,
    limits: Sequence[Limit],
) -> list[Notice]:
    """Return everything that there is to warn of, the gravest first."""
    return [
        *_loss(result),
        *limit_notices(multiple=position.multiple, limits=limits),
        *_impossible(position, choices, span),
        *_forfeiting(position, choices),
        *_left_out(scenario, choices, position),
        *_too_few(result, scenario, span),
    ]


def limit_notices(
    *, multiple: Decimal | None, limits: Sequence[Limit], at_least: bool = False
) -> Iterator[Notice]:
    """Yield a warning for each limit that the multiple is above; one that equals it is not."""
    if multiple is None:
        return
    for limit in limits:
        if multiple > limit.multiple_max:
            told = f"{'at least ' if at_least else ''}{_plain(multiple, 2)}"
            yield Notice(
                Warned.WAGERING_ABOVE_LIMIT,
                f"{limit.label}: the bonus may have to be wagered {_plain(limit.multiple_max)} "
                f"times at most; these terms ask for {told} times.",
            )


def _loss(result: Result) -> Iterator[Notice]:
    margin_of_error = SURE * result.standard_error
    if result.cost - result.acceptable_cost <= margin_of_error:
        return
    cost = _amount(result.cost, result)
    share = "" if result.cost_share is None else f", {_percent(result.cost_share)} of the bonus"
    if result.acceptable_share:
        expected = (
            f"The house is ready to pay {_percent(result.acceptable_share)}: "
            f"{_amount(result.acceptable_cost, result)}."
        )
    else:
        expected = "It should be nothing: the player brings money, and the house wins of it."
    yield Notice(
        Warned.LOOKS_LIKE_A_LOSS,
        f"A player costs {cost} on average{share}. {expected}",
    )


def _impossible(position: Position, choices: Sequence[Choice], span: Span) -> Iterator[Notice]:
    if position.required == 0:
        return
    if not choices:
        yield Notice(Warned.NOBODY_CAN_COMPLETE, "None of the games can be played.")
        return
    most = max(choice.progress for choice in choices)
    if most == 0:
        yield Notice(Warned.NOBODY_CAN_COMPLETE, "Nothing that is bet on these games counts.")
    elif most * span.bets < position.required:
        share = EXACT.divide(Decimal(most * span.bets), Decimal(position.required))
        yield Notice(
            Warned.NOBODY_CAN_COMPLETE,
            f"In the time that there is a player places {span.bets:,} bets, which is "
            f"{_percent(share)} of the requirement at most.",
        )


def _forfeiting(position: Position, choices: Sequence[Choice]) -> Iterator[Notice]:
    if any(choice.forfeits for choice in choices):
        assert position.max_bet is not None, "no maximum, nothing above it"
        code = position.currency.code
        most = f"{format_amount(position.max_bet, code)} {code}"
        yield Notice(
            Warned.STAKES_FORFEIT, f"A stake above {most} forfeits the bonus, and some are."
        )


def _left_out(
    scenario: Scenario, choices: Sequence[Choice], position: Position
) -> Iterator[Notice]:
    if position.required == 0:
        return
    names = [game.name for game in scenario.games if not is_playable(game=game, choices=choices)]
    if names and choices:
        yield Notice(
            Warned.GAMES_LEFT_OUT,
            f"The promo does not allow bets on {', '.join(names)}, or only smaller ones: the "
            "play is on the other games.",
        )


def _too_few(result: Result, scenario: Scenario, span: Span) -> Iterator[Notice]:
    found = []
    if 2 * result.players < scenario.players:
        found.append(
            f"{result.players:,} of {scenario.players:,} players were simulated: their bets "
            "are too many."
        )
    if span.is_cut and result.outcomes[Outcome.OPEN]:
        found.append(
            f"Players stop after {BETS_MAX:,} bets, and {_percent(result.outcomes[Outcome.OPEN])} "
            "were not through by then."
        )
    error = SURE * result.standard_error
    if error and abs(result.cost - result.acceptable_cost) <= error:
        found.append(
            f"The cost is known to ± {_amount(error, result)}: too little to say on which side "
            "of what is expected it is."
        )
    elif error > _FIRM_SHARE * result.bonus:
        found.append(f"The cost is known to ± {_amount(error, result)} only.")
    if found:
        yield Notice(Warned.TOO_FEW_ROUNDS, " ".join(found))


def _amount(amount: Decimal, result: Result) -> str:
    return f"{format_amount(amount, result.currency)} {result.currency}"


def _percent(share: Decimal) -> str:
    return f"{_plain(share * _HUNDRED, 1)} %"


def _plain(value: Decimal, decimals: int = 8) -> str:
    return format_decimal(round(value, decimals) + 0)
