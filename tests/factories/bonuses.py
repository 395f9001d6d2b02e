"""Builds templates, issuances and grants in any state, without running the services under test."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import factory

from bonuses.enums import BonusType, GrantStatus, IssuanceStatus
from bonuses.models import (
    BonusCampaign,
    BonusGrant,
    BonusIssuance,
    BonusTemplate,
    CampaignTarget,
    Discrepancy,
    PlatformEvent,
)
from bonuses.rules.terms import Terms, compute_terms
from core.actors import ActorKind
from core.models import new_id
from tests.factories.operators import LONG_AGO, OperatorFactory
from tests.factories.players import PlayerFactory, SegmentFactory


class BonusTemplateFactory(factory.django.DjangoModelFactory[BonusTemplate]):
    """
    Ten euros without a deposit, to be wagered 30 times within a week.

    Traits: ``match`` (100 % up to 200, on bonus plus deposit), ``reload``, ``spins`` (20 × 0.50
    on ``game-spins``), ``cashback`` (10 % of a week's losses from 20 on).
    """

    class Meta:
        model = BonusTemplate

    class Params:
        match = factory.Trait(
            type=BonusType.DEPOSIT_MATCH,
            config=factory.LazyAttribute(
                lambda made: {
                    "match_percent": "100",
                    "cap_amount": "200.00",
                    "currency": made.currency,
                }
            ),
            wagering_basis="bonus_plus_deposit",
        )
        reload = factory.Trait(
            type=BonusType.RELOAD,
            config=factory.LazyAttribute(
                lambda made: {
                    "match_percent": "50",
                    "cap_amount": "100.00",
                    "currency": made.currency,
                }
            ),
        )
        spins = factory.Trait(
            type=BonusType.FREE_SPINS,
            config=factory.LazyAttribute(
                lambda made: {
                    "count": 20,
                    "value_per_spin": "0.50",
                    "currency": made.currency,
                    "eligible_games": ["game-spins"],
                }
            ),
        )
        cashback = factory.Trait(
            type=BonusType.CASHBACK,
            config=factory.LazyAttribute(
                lambda made: {
                    "percent": "10",
                    "window_days": 7,
                    "min_loss": "20.00",
                    "currency": made.currency,
                }
            ),
        )

    operator = factory.SubFactory(OperatorFactory)
    name = factory.Sequence(lambda number: f"Bonus {number}")
    type = BonusType.NO_DEPOSIT
    currency = "EUR"
    config = factory.LazyAttribute(lambda made: {"amount": "10.00", "currency": made.currency})
    wagering_multiplier = Decimal(30)
    game_contribution = factory.LazyFunction(
        lambda: {"slots": 100, "table": 5, "live": 5, "default": 0, "games": {}}
    )
    time_limit_hours = 7 * 24
    created_at = LONG_AGO


def terms_of(issuance: Any) -> Terms:
    """Return the terms of an issuance that is being built; a euro is a dollar here."""
    template, player = issuance.template, issuance.player
    deposit = issuance.deposit_amount
    if template.needs_deposit and deposit is None:
        deposit = Decimal(100)
    return compute_terms(
        template=template,
        wallet_currency=player.currency,
        base_currency=template.operator.base_currency,
        usd_rates={
            currency: Decimal(1)
            for currency in (template.currency, player.currency, template.operator.base_currency)
        },
        deposit_amount=deposit,
        loss=None,
        now=issuance.created_at,
    )


class BonusIssuanceFactory(factory.django.DjangoModelFactory[BonusIssuance]):
    """A pending issuance through the internal adapter; ``external=True``: through a platform."""

    class Meta:
        model = BonusIssuance

    class Params:
        external = False

    id = factory.LazyFunction(new_id)
    grant_id = factory.LazyFunction(new_id)
    template = factory.SubFactory(BonusTemplateFactory)
    operator = factory.SelfAttribute("template.operator")
    player = factory.SubFactory(PlayerFactory, operator=factory.SelfAttribute("..operator"))
    status = IssuanceStatus.PENDING
    is_internal = factory.LazyAttribute(lambda issuance: not issuance.external)
    adapter_slug = factory.LazyAttribute(
        lambda issuance: (
            f"{issuance.operator.slug}-casino"
            if issuance.external
            else f"{issuance.operator.slug}-internal"
        )
    )
    deposit_amount = None
    terms = factory.LazyAttribute(
        lambda issuance: (
            None
            if issuance.status == IssuanceStatus.AWAITING_DEPOSIT
            else terms_of(issuance).to_json()
        )
    )
    granted_by_kind = "operator"
    actor_kind = ActorKind.API_KEY
    actor_ref = "1"
    next_attempt_at = factory.LazyAttribute(
        lambda issuance: issuance.created_at if issuance.status == IssuanceStatus.PENDING else None
    )
    settled_at = factory.LazyAttribute(
        lambda issuance: (
            None
            if issuance.status in (IssuanceStatus.PENDING, IssuanceStatus.AWAITING_DEPOSIT)
            else issuance.created_at
        )
    )
    created_at = LONG_AGO


def _term(name: str) -> Any:
    return factory.LazyAttribute(lambda grant: getattr(Terms.from_json(grant.issuance.terms), name))


def _at(status: GrantStatus) -> Any:
    return factory.LazyAttribute(
        lambda grant: grant.granted_at + timedelta(hours=1) if grant.status == status else None
    )


class BonusGrantFactory(factory.django.DjangoModelFactory[BonusGrant]):
    """
    An active grant through the internal adapter, credited at its issue: no money is posted.

    ``external=True``: a platform's, not yet credited. An ended one has its instants; one
    that completed here has wagered its requirement and released its bonus.
    """

    class Meta:
        model = BonusGrant
        exclude = ("asked_template", "asked_player")

    class Params:
        external = False

    asked_template = factory.SubFactory(BonusTemplateFactory)
    asked_player = factory.SubFactory(
        PlayerFactory, operator=factory.SelfAttribute("..asked_template.operator")
    )
    issuance = factory.SubFactory(
        BonusIssuanceFactory,
        template=factory.SelfAttribute("..asked_template"),
        player=factory.SelfAttribute("..asked_player"),
        external=factory.SelfAttribute("..external"),
        status=IssuanceStatus.SUCCEEDED,
    )
    id = factory.SelfAttribute("issuance.grant_id")
    operator = factory.SelfAttribute("issuance.operator")
    template = factory.SelfAttribute("issuance.template")
    player = factory.SelfAttribute("issuance.player")
    status = GrantStatus.ACTIVE
    adapter_slug = factory.SelfAttribute("issuance.adapter_slug")
    is_internal = factory.SelfAttribute("issuance.is_internal")
    platform_bonus_id = factory.LazyAttribute(
        lambda grant: f"internal:{grant.id}" if grant.is_internal else f"platform-{grant.id}"
    )
    type = _term("type")
    wagering_multiplier = _term("wagering_multiplier")
    wagering_basis = _term("wagering_basis")
    game_contribution = _term("game_contribution")
    eligible_games = _term("eligible_games")
    max_bet = _term("max_bet")
    max_win_cap = _term("max_win_cap")
    bonus_amount = _term("bonus_amount")
    bonus_currency = _term("bonus_currency")
    deposit_amount = _term("deposit_amount")
    original_amount = _term("original_amount")
    original_currency = _term("original_currency")
    rate = _term("rate")
    bonus_amount_base = _term("bonus_amount_base")
    base_currency_code = _term("base_currency_code")
    fx_rate_locked = _term("fx_rate_locked")
    fx_locked_at = _term("fx_locked_at")
    wagering_required = _term("wagering_required")
    expires_at = _term("expires_at")
    granted_at = factory.SelfAttribute("issuance.created_at")
    activated_at = factory.LazyAttribute(
        lambda grant: grant.granted_at if grant.is_internal else None
    )
    wagering_progress = factory.LazyAttribute(
        lambda grant: (
            grant.wagering_required if grant.status == GrantStatus.COMPLETED else Decimal(0)
        )
    )
    released_amount = factory.LazyAttribute(
        lambda grant: (
            grant.bonus_amount
            if grant.status == GrantStatus.COMPLETED and grant.is_internal
            else None
        )
    )
    excess_amount = factory.LazyAttribute(
        lambda grant: None if grant.released_amount is None else Decimal(0)
    )
    completed_at = _at(GrantStatus.COMPLETED)
    forfeited_at = _at(GrantStatus.FORFEITED)
    expired_at = _at(GrantStatus.EXPIRED)
    cancelled_at = _at(GrantStatus.CANCELLED)


class BonusCampaignFactory(factory.django.DjangoModelFactory[BonusCampaign]):
    """A draft that gives ten euros to a listed segment."""

    class Meta:
        model = BonusCampaign

    id = factory.LazyFunction(new_id)
    operator = factory.SubFactory(OperatorFactory)
    name = factory.Sequence(lambda number: f"Campaign {number}")
    segment = factory.SubFactory(SegmentFactory, operator=factory.SelfAttribute("..operator"))
    template = factory.SubFactory(
        BonusTemplateFactory, operator=factory.SelfAttribute("..operator")
    )
    created_at = LONG_AGO


class CampaignTargetFactory(factory.django.DjangoModelFactory[CampaignTarget]):
    """A player for whom a campaign has not done anything yet."""

    class Meta:
        model = CampaignTarget

    campaign = factory.SubFactory(BonusCampaignFactory)
    player = factory.SubFactory(
        PlayerFactory, operator=factory.SelfAttribute("..campaign.operator")
    )


class PlatformEventFactory(factory.django.DjangoModelFactory[PlatformEvent]):
    """An event of an external grant that was applied."""

    class Meta:
        model = PlatformEvent

    grant = factory.SubFactory(BonusGrantFactory, external=True)
    operator = factory.SelfAttribute("grant.operator")
    adapter_slug = factory.SelfAttribute("grant.adapter_slug")
    event_id = factory.Sequence(lambda number: f"event-{number}")
    type = "bonus.credited"
    digest = "0" * 64
    payload = factory.LazyFunction(dict)
    outcome = "applied"
    new_status = GrantStatus.ACTIVE
    received_at = LONG_AGO
    applied_at = LONG_AGO


class DiscrepancyFactory(factory.django.DjangoModelFactory[Discrepancy]):
    """A bonus that its platform does not know."""

    class Meta:
        model = Discrepancy

    grant = factory.SubFactory(BonusGrantFactory, external=True)
    operator = factory.SelfAttribute("grant.operator")
    kind = "unknown_bonus"
    detail = "The platform does not know the bonus."
    opened_at = LONG_AGO
    last_seen_at = LONG_AGO
