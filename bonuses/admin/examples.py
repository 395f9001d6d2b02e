"""The worked example of a template, in sentences: of one in force, or of one being typed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

from bonuses.admin.display import hours_text
from bonuses.enums import DEPOSIT_TYPES, BonusType
from bonuses.rules import configs
from bonuses.rules.configs import NumericTerms
from bonuses.rules.examples import WorkedExample, work_example
from bonuses.rules.terms import TemplateTerms
from core import money
from core.admin.display import amount_text
from core.errors import DomainError
from core.money import EXACT
from games.enums import GameCategory

_HUNDRED = Decimal(100)
#: As many times the smallest loss is lost in the example.
_LOSSES = 5


@dataclass(frozen=True, slots=True)
class Draft:
    """A template that is being typed, as far as terms are worked out from one."""

    type: str
    config: dict[str, Any]
    currency: str
    wagering_multiplier: Decimal
    wagering_basis: str
    game_contribution: dict[str, Any]
    max_bet: Decimal | None
    max_win_cap: Decimal | None
    time_limit_hours: int | None


def draft_of(bonus_type: BonusType, terms: Mapping[str, Any]) -> Draft | None:
    """Return what the terms typed so far describe; null while they lack or contradict something."""
    multiplier = terms.get("wagering_requirement_multiplier")
    if multiplier is None:
        return None
    config, mistakes = configs.clean_config(bonus_type, terms.get("config"))
    weights, wrong = configs.clean_game_contribution(terms.get("game_contribution"))
    numbers = NumericTerms(
        wagering_requirement_multiplier=multiplier,
        wagering_basis=terms["wagering_basis"],
        max_bet=terms.get("max_bet"),
        max_win_cap=terms.get("max_win_cap"),
        time_limit_hours=terms.get("time_limit_hours"),
        max_grants_per_player=terms.get("max_grants_per_player"),
    )
    if mistakes or wrong or configs.check_terms(kind=bonus_type, config=config, terms=numbers):
        return None
    return Draft(
        type=bonus_type,
        config=config,
        currency=configs.currency_of(config),
        wagering_multiplier=multiplier,
        wagering_basis=numbers.wagering_basis,
        game_contribution=weights,
        max_bet=numbers.max_bet,
        max_win_cap=numbers.max_win_cap,
        time_limit_hours=numbers.time_limit_hours,
    )


def example_sentences(template: TemplateTerms, *, now: datetime) -> list[str]:
    """Return what the terms do, worked through in numbers; or that they cannot be."""
    try:
        return _worked_through(template, now=now)
    except DomainError as refusal:
        # A template may have been made when larger amounts were taken.
        return [f"No example can be worked out. {refusal.detail}"]


def _worked_through(template: TemplateTerms, *, now: datetime) -> list[str]:
    found: list[str] = []
    first: WorkedExample | None = None
    for given in _givens(template):
        example = work_example(template=template, given=given, now=now)
        if example is not None:
            first = first or example
            found.append(_sentence(template, example))
    if first is None:
        return ["It would give nothing."]
    if first.requirement:
        found.append(f"Stakes that takes: {'; '.join(_stakes(first))}.")
    if template.max_bet is not None:
        limit = amount_text(template.max_bet, template.currency)
        found.append(f"A stake above {limit} forfeits the bonus.")
    if first.most_released is not None:
        most = amount_text(first.most_released, first.currency)
        found.append(f"However much is won with it, {most} is released at most.")
    return found


def _givens(template: TemplateTerms) -> Iterator[Decimal | None]:
    """Yield what the examples start from: whole amounts of the currency, whatever it is worth."""
    config, currency = template.config, money.get_currency(template.currency)
    if template.type in DEPOSIT_TYPES:
        reached = EXACT.divide(
            Decimal(config["cap_amount"]) * _HUNDRED, Decimal(config["match_percent"])
        )
        # One that is matched in full, and one that meets the cap.
        for deposit in (reached / 2, reached * 2):
            yield money.quantize(deposit, decimals=currency.decimals, rounding=ROUND_DOWN)
    elif template.type == BonusType.CASHBACK:
        yield Decimal(config["min_loss"]) * _LOSSES or _HUNDRED
    else:
        yield None


def _sentence(template: TemplateTerms, example: WorkedExample) -> str:
    bonus = f"bonus {amount_text(example.bonus, example.currency)}"
    parts = [f"{bonus} (the cap)" if example.is_capped else bonus]
    if example.given is not None:
        what = "Deposit" if template.type in DEPOSIT_TYPES else "Lost"
        parts.insert(0, f"{what} {amount_text(example.given, example.currency)}")
    elif template.type == BonusType.FREE_SPINS:
        value = amount_text(Decimal(template.config["value_per_spin"]), example.currency)
        parts.insert(0, f"{template.config['count']:,} spins of {value}")
    if example.requirement:
        parts.append(f"wager {amount_text(example.requirement, example.currency)}")
    else:
        parts.append("nothing to wager")
    limit = template.time_limit_hours
    within = "" if limit is None or not example.requirement else f" within {hours_text(limit)}"
    sentence = f"{' → '.join(parts)}{within}."
    return sentence[0].upper() + sentence[1:]


def _stakes(example: WorkedExample) -> Iterator[str]:
    for each in example.stakes:
        name = GameCategory(each.games).label if each.games in GameCategory.values else each.games
        if each.games == "default":
            name = "any other game"
        if each.stakes is None:
            yield f"{name} does not count"
        else:
            yield f"{name} {amount_text(each.stakes, example.currency)} ({each.weight} %)"
