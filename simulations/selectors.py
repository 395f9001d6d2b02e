"""Reads for simulations: terms that are stored, the games they name, and limits."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from bonuses.rules.terms import TemplateTerms
from bonuses.selectors import get_template_to_issue
from games.models import Game
from operators.models import Operator
from promos.selectors import get_promo, list_promo_games
from simulations.models import TermsLimits, TermsLimitsQuerySet
from simulations.rules.notices import Limit
from simulations.rules.scenario import BonusOffer, ListedGame, PromoOffer

if TYPE_CHECKING:
    from promos.models import Promo


def get_bonus_offer(*, operator: Operator, template_id: UUID) -> BonusOffer:
    """
    Return the terms of the operator's template, switched on or not.

    :raises BonusTemplateNotFound: if there is none.
    """
    return bonus_offer_of_template(
        template=get_template_to_issue(operator=operator, template_id=template_id)
    )


def bonus_offer_of_template(*, template: TemplateTerms) -> BonusOffer:
    """Return the terms of a template."""
    return BonusOffer(
        type=str(template.type),
        config=dict(template.config),
        currency=template.currency,
        wagering_multiplier=template.wagering_multiplier,
        wagering_basis=str(template.wagering_basis),
        game_contribution=dict(template.game_contribution),
        max_bet=template.max_bet,
        max_win_cap=template.max_win_cap,
        time_limit_hours=template.time_limit_hours,
    )


def get_promo_offer(*, operator: Operator, promo_id: UUID) -> PromoOffer:
    """
    Return the terms of the operator's promo, whether it can be claimed or not.

    :raises PromoNotFound: if there is none.
    """
    promo = get_promo(operator=operator, promo_id=promo_id)
    games = tuple(
        ListedGame(
            slug=row.game.slug,
            category=row.game.category,
            wager_multiplier=row.wager_multiplier,
            max_bet_usd=row.max_bet_amount,
        )
        for row in list_promo_games(promo=promo)
    )
    return promo_offer_of(promo=promo, games=games)


def promo_offer_of(*, promo: "Promo", games: tuple[ListedGame, ...]) -> PromoOffer:
    """Return the terms of a promo with that list of games."""
    return PromoOffer(
        type=str(promo.type),
        amount=promo.amount,
        currency=promo.currency,
        bonus_multiplier=promo.bonus_multiplier,
        max_bonus_usd=promo.max_bonus_usd_amount,
        min_deposit_usd=promo.min_deposit_usd_to_activate or Decimal(0),
        wager_multiplier=promo.wager_multiplier_to_complete,
        wager_usd=promo.wager_usd_amount_to_complete,
        time_seconds=promo.time_seconds_to_complete,
        games=games,
    )


def read_categories(*, operator: Operator, slugs: Iterable[str]) -> dict[str, str]:
    """Return the category of each of the games that the operator's catalogue has."""
    games = Game.objects.for_operator(operator).filter(slug__in=list(slugs))
    return dict(games.values_list("slug", "category"))


def list_terms_limits(*, operator: Operator) -> TermsLimitsQuerySet:
    """Return the operator's limits by label."""
    return TermsLimits.objects.for_operator(operator).order_by("label")


def read_limits(*, operator: Operator) -> list[Limit]:
    """Return the operator's limits as simulations compare with them."""
    return [
        Limit(limits.label, limits.wagering_multiple_max)
        for limits in list_terms_limits(operator=operator)
    ]
