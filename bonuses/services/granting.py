"""Writing the grant: what follows when a platform, or we ourselves, said yes."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from bonuses.enums import DiscrepancyKind, GrantStatus
from bonuses.models import BonusGrant, BonusIssuance
from bonuses.ports import PlatformBonus
from bonuses.rules.terms import Terms
from bonuses.services.announcements import announce_grant
from bonuses.services.discrepancies import open_discrepancy
from bonuses.services.endings import complete_grant
from bonuses.services.payments import credit_grant
from bonuses.services.state_sync import apply_parked_events
from core import audit
from core.actors import Actor, ActorKind
from core.failpoints import failpoint


@transaction.atomic
def write_grant(*, issuance: BonusIssuance, bonus: PlatformBonus, now: datetime) -> BonusGrant:
    """
    Write the grant of an issuance, which the caller holds locked, and settle the issuance.

    Joins the caller's transaction. Our own grant is credited, and so activated; with nothing
    to wager it completes at once. Events of the platform that came too early are applied. A
    platform that says it granted something else opens a discrepancy: nothing is changed by it.
    """
    terms = issuance.locked_terms()
    actor = Actor(kind=ActorKind(issuance.actor_kind), ref=issuance.actor_ref)
    grant = _grant_of(issuance, terms, bonus, now=now)
    issuance.error_code = issuance.error_detail = ""
    issuance.succeed(now=now)
    issuance.save(
        update_fields=["status", "settled_at", "leased_until", "error_code", "error_detail"]
    )
    failpoint("granting.before_grant")
    grant.save(force_insert=True)
    issuance.grant = grant
    audit.record_action(
        operator=issuance.operator,
        actor=actor,
        action="bonus.grant.issued",
        subject=grant,
        after={
            "status": str(grant.status),
            "template": issuance.template.name,
            "player_id": issuance.player.reference,
            "bonus_amount": f"{grant.bonus_amount:f}",
            "bonus_currency": grant.bonus_currency,
            "wagering_required": f"{grant.wagering_required:f}",
            "adapter": grant.adapter_slug,
            "platform_bonus_id": grant.platform_bonus_id,
        },
        now=now,
    )
    announce_grant(grant=grant, topic="bonus.grant.issued", now=now)
    if grant.is_internal:
        credit_grant(operator=issuance.operator, grant=grant, now=now)
        failpoint("granting.after_credit")
        if grant.is_wagered:
            complete_grant(grant=grant, actor=actor, now=now)
        return grant
    differing = _differences(terms, bonus)
    if differing:
        open_discrepancy(grant=grant, kind=DiscrepancyKind.TERMS_DIFFER, detail=differing, now=now)
    apply_parked_events(grant=grant, now=now)
    return grant


def _grant_of(
    issuance: BonusIssuance, terms: Terms, bonus: PlatformBonus, *, now: datetime
) -> BonusGrant:
    return BonusGrant(
        id=issuance.grant_id,
        operator=issuance.operator,
        template=issuance.template,
        player=issuance.player,
        issuance=issuance,
        status=GrantStatus.ACTIVE,
        adapter_slug=issuance.adapter_slug,
        is_internal=issuance.is_internal,
        platform_bonus_id=bonus.platform_bonus_id,
        type=terms.type,
        wagering_multiplier=terms.wagering_multiplier,
        wagering_basis=terms.wagering_basis,
        game_contribution=terms.game_contribution,
        eligible_games=terms.eligible_games,
        max_bet=terms.max_bet,
        max_win_cap=terms.max_win_cap,
        bonus_amount=terms.bonus_amount,
        bonus_currency=terms.bonus_currency,
        deposit_amount=terms.deposit_amount,
        original_amount=terms.original_amount,
        original_currency=terms.original_currency,
        rate=terms.rate,
        bonus_amount_base=terms.bonus_amount_base,
        base_currency_code=terms.base_currency_code,
        fx_rate_locked=terms.fx_rate_locked,
        fx_locked_at=terms.fx_locked_at,
        loss_from=terms.loss_from,
        loss_until=terms.loss_until,
        wagering_required=terms.wagering_required,
        references=issuance.references,
        granted_at=now,
        activated_at=now if issuance.is_internal else None,
        expires_at=terms.expires_at,
    )


def _differences(terms: Terms, bonus: PlatformBonus) -> str:
    """Say what the platform granted other than it was asked for; empty if nothing."""
    told: list[str] = []
    if bonus.amount is not None and bonus.amount != terms.bonus_amount:
        told.append(f"amount {_plain(bonus.amount)} instead of {_plain(terms.bonus_amount)}")
    if bonus.currency is not None and bonus.currency != terms.bonus_currency:
        told.append(f"currency {bonus.currency} instead of {terms.bonus_currency}")
    return f"The platform granted {' and '.join(told)}." if told else ""


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
