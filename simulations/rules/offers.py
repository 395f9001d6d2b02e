"""Terms that somebody has written down for a simulation: read, or refused by name."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bonuses.enums import BonusType
from bonuses.rules import configs
from bonuses.rules.configs import Mistake, NumericTerms
from core import money
from core.errors import InvalidRequest
from core.money import EXACT
from promos import rules as promo_rules
from promos.enums import PromoType
from simulations.rules.scenario import BonusOffer, ListedGame, PromoOffer

# A body of nothing but mistakes must not be answered with many times its size.
_MISTAKES_TOLD_MAX = 200
#: The members of a promo's terms, as the API names them.
_PROMO_MEMBERS = (*promo_rules.INSTANT_FIELDS, *promo_rules.DEPOSIT_FIELDS)
#: DEPOSIT: without a floor, any deposit activates.
_OPTIONAL = ("min_deposit_usd_to_activate",)


def read_bonus_offer(*, terms: Mapping[str, Any]) -> BonusOffer:
    """
    Return the terms of a bonus, as ``POST /v1/bonus-templates`` would take them.

    :raises InvalidRequest: that names every member that is wrong, below ``bonus``.
    """
    kind = BonusType(terms["type"])
    config, wrong_config = configs.clean_config(kind, terms.get("config"))
    weights, wrong_weights = configs.clean_game_contribution(terms["game_contribution"])
    numbers = NumericTerms(
        wagering_requirement_multiplier=terms["wagering_requirement_multiplier"],
        wagering_basis=terms["wagering_basis"],
        max_bet=terms.get("max_bet"),
        max_win_cap=terms.get("max_win_cap"),
        time_limit_hours=terms.get("time_limit_hours"),
        max_grants_per_player=None,
    )
    mistakes = [
        *wrong_config,
        *wrong_weights,
        *configs.check_terms(kind=kind, config=config, terms=numbers),
    ]
    if mistakes:
        raise _refusal("bonus", mistakes)
    return BonusOffer(
        type=kind.value,
        config=config,
        currency=configs.currency_of(config),
        wagering_multiplier=numbers.wagering_requirement_multiplier,
        wagering_basis=str(numbers.wagering_basis),
        game_contribution=weights,
        max_bet=numbers.max_bet,
        max_win_cap=numbers.max_win_cap,
        time_limit_hours=numbers.time_limit_hours,
    )


def read_promo_offer(*, terms: Mapping[str, Any]) -> PromoOffer:
    """
    Return the terms of a promo, as ``POST /v1/promos`` would take them, with its games.

    :raises InvalidRequest: that names every member that is wrong, below ``promo``.
    """
    kind = PromoType(terms["type"])
    given = {name: terms.get(name) for name in _PROMO_MEMBERS}
    mistakes = _mistakes_in(kind, given)
    if mistakes:
        raise _refusal("promo", mistakes)
    return PromoOffer(
        type=kind.value,
        amount=given["amount"],
        currency=given["currency"] or "",
        bonus_multiplier=given["bonus_multiplier"],
        max_bonus_usd=given["max_bonus_usd_amount"],
        min_deposit_usd=given["min_deposit_usd_to_activate"] or Decimal(0),
        wager_multiplier=given["wager_multiplier_to_complete"],
        wager_usd=given["wager_usd_amount_to_complete"],
        time_seconds=given["time_seconds_to_complete"],
        games=tuple(
            ListedGame(
                slug=game["game"],
                category=game.get("category", ""),
                wager_multiplier=game.get("wager_multiplier", Decimal(1)),
                max_bet_usd=game.get("max_bet_amount"),
            )
            for game in terms.get("games", ())
        ),
    )


def _mistakes_in(kind: PromoType, given: Mapping[str, Any]) -> list[Mistake]:
    found = [
        Mistake(f"/{name}", "invalid", f"It does not belong to a promo of the type {kind.value}.")
        for name in promo_rules.fields_of_other_type(kind)
        if given[name] not in (None, "")
    ]
    found += [
        Mistake(f"/{name}", "required", f"A promo of the type {kind.value} needs it.")
        for name in promo_rules.required_fields(kind)
        if given[name] in (None, "") and name not in _OPTIONAL
    ]
    if kind == PromoType.DEPOSIT:
        wager = [given[name] for name in promo_rules.WAGER_FIELDS if given[name] is not None]
        if len(wager) != 1:
            detail = f"Send exactly one of {' and '.join(promo_rules.WAGER_FIELDS)}."
            found += [Mistake(f"/{name}", "invalid", detail) for name in promo_rules.WAGER_FIELDS]
        cap, multiplier = given["max_bonus_usd_amount"], given["wager_multiplier_to_complete"]
        if cap and multiplier and EXACT.multiply(cap, multiplier) >= money.AMOUNT_LIMIT:
            detail = "The target could be larger than any amount."
            found.append(Mistake("/wager_multiplier_to_complete", "too_large", detail))
    elif given["amount"] is not None and given["currency"]:
        currency = money.get_currency(given["currency"])
        if not money.has_only_minor_units(given["amount"], currency):
            detail = f"{currency.code} has {currency.decimals} decimals."
            found.append(Mistake("/amount", "too_precise", detail))
    return found


def _refusal(member: str, mistakes: Sequence[Mistake]) -> InvalidRequest:
    return InvalidRequest(
        "One or more fields are invalid.",
        errors=[
            {
                "pointer": f"/{member}{mistake.pointer}",
                "code": mistake.code,
                "detail": mistake.detail,
            }
            for mistake in mistakes[:_MISTAKES_TOLD_MAX]
        ],
    )
