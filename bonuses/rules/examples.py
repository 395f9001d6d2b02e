"""A template in numbers: what it would give for one deposit or one loss, in its own currency."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

from bonuses.enums import DEPOSIT_TYPES, BonusType
from bonuses.rules.terms import Loss, TemplateTerms, compute_terms
from bonuses.rules.wagering import DEFAULT, GAMES, release_limit
from core import money
from core.money import EXACT, Currency

_ONE = Decimal(1)
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class StakesNeeded:
    """
    How much must be staked on one kind of game to meet the requirement.

    ``games`` is a category, the slug of a game, or ``default``: every game that is not
    named. ``stakes`` is None where a stake counts nothing, so that none is enough.
    """

    games: str
    weight: int
    stakes: Decimal | None


@dataclass(frozen=True, slots=True)
class WorkedExample:
    """
    What one deposit or loss (``given``) would come to; null for a type that needs neither.

    ``is_capped``: the cap is less than the match. ``requirement`` is what has to be wagered,
    ``most_released`` what the player can get out of it at the most: None without a win cap.
    """

    currency: str
    given: Decimal | None
    bonus: Decimal
    is_capped: bool
    requirement: Decimal
    stakes: tuple[StakesNeeded, ...]
    expires_at: datetime | None
    most_released: Decimal | None


def work_example(
    *, template: TemplateTerms, given: Decimal | None, now: datetime
) -> WorkedExample | None:
    """
    Return what ``template`` would give at ``now`` for a deposit, or a loss, of ``given``.

    None if it would give nothing: a loss below the least, or a bonus below the least there is.

    :raises InvalidRequest: if a number would be larger than any that can be stored.
    """
    config, currency = template.config, money.get_currency(template.currency)
    deposit = loss = None
    if template.type in DEPOSIT_TYPES:
        assert given is not None, "an example of a match has a deposit"
        deposit = given
    elif template.type == BonusType.CASHBACK:
        assert given is not None, "an example of cashback has a loss"
        if given < Decimal(config["min_loss"]):
            return None
        loss = Loss(given, since=now - timedelta(days=int(config["window_days"])), until=now)
    else:
        given = None
    terms = compute_terms(
        template=template,
        wallet_currency=template.currency,
        base_currency=template.currency,
        usd_rates={template.currency: _ONE},
        deposit_amount=deposit,
        loss=loss,
        now=now,
    )
    if terms.bonus_amount == 0:
        return None
    return WorkedExample(
        currency=template.currency,
        given=given,
        bonus=terms.bonus_amount,
        is_capped=_is_capped(config, deposit),
        requirement=terms.wagering_required,
        stakes=tuple(_stakes(template.game_contribution, terms.wagering_required, currency)),
        expires_at=terms.expires_at,
        most_released=release_limit(
            bonus_amount=terms.bonus_amount, max_win_cap=template.max_win_cap, currency=currency
        ),
    )


def _is_capped(config: Mapping[str, Any], deposit: Decimal | None) -> bool:
    if deposit is None:
        return False
    matched = EXACT.multiply(deposit, Decimal(config["match_percent"]))
    return matched > EXACT.multiply(Decimal(config["cap_amount"]), _HUNDRED)


def _stakes(
    weights: Mapping[str, Any], requirement: Decimal, currency: Currency
) -> Iterator[StakesNeeded]:
    """Yield one line for every weight, categories first, then games, then all the others."""
    named = [(name, weight) for name, weight in weights.items() if name not in (GAMES, DEFAULT)]
    for games, weight in [
        *named,
        *(weights.get(GAMES) or {}).items(),
        (DEFAULT, weights.get(DEFAULT, 0)),
    ]:
        yield StakesNeeded(games, weight, _stakes_at(requirement, weight, currency))


def _stakes_at(requirement: Decimal, weight: int, currency: Currency) -> Decimal | None:
    if requirement == 0:
        return Decimal(0)
    if weight == 0:
        return None
    exact = EXACT.divide(EXACT.multiply(requirement, _HUNDRED), Decimal(weight))
    return money.quantize(exact, decimals=currency.decimals, rounding=ROUND_UP)
