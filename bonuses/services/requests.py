"""The intent to give a bonus: decided, worked out and written before any platform is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from bonuses.enums import IssuanceStatus
from bonuses.models import BonusIssuance, BonusTemplate
from bonuses.ports import get_adapters
from bonuses.rules.terms import Terms
from bonuses.selectors import find_issuance_of_key, get_template_to_issue
from bonuses.services.eligibility import (
    refuse_deposit_amount,
    refuse_ineligible,
    work_out_terms,
)
from core import audit, locks
from core.actors import Actor
from core.locks import AdvisoryLock
from operators.models import Operator
from players.models import Player
from players.selectors import get_player
from players.services.registration import lock_currency


@dataclass(frozen=True, slots=True)
class BonusRequest:
    """
    What somebody asks for.

    ``deposit_amount`` is the deposit that a match matches, in the player's currency;
    ``is_offer``: the next qualifying deposit shall be it. ``granted_by`` (kind, ref; who
    acts, if it is left out) and ``references`` are the caller's own words, kept and shown.
    ``reason`` is what staff say, for the audit trail.
    """

    template_id: UUID
    player_reference: str
    idempotency_key: str
    deposit_amount: Decimal | None = None
    is_offer: bool = False
    granted_by: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """What a request comes to at an instant; an offer has no terms until its deposit comes."""

    template: BonusTemplate
    player: Player
    terms: Terms | None


@transaction.atomic
def request_bonus(
    *,
    operator: Operator,
    request: BonusRequest,
    actor: Actor,
    now: datetime,
    first_sweep_at: datetime | None = None,
) -> BonusIssuance:
    """
    Write the intent to give a bonus, its terms locked, and return it.

    Joins the caller's transaction. It is PENDING and due at once (or at ``first_sweep_at``, if
    the caller attempts it), or an offer that waits for a deposit. The same key returns the
    issuance it has, unless the platform rejected that. From now on the wallet's currency stays.

    :raises NotFound: if the operator has no such player.
    :raises BonusTemplateNotFound: if the operator has no such template.
    :raises BonusTemplateNotActive: if it is switched off.
    :raises PlayerBlocked: if the operator has blocked the player.
    :raises PlayerSelfExcluded: if the player has excluded themselves.
    :raises BonusDepositAmountRequired: if the bonus matches a deposit and none is named.
    :raises InvalidRequest: if a deposit is named that nothing matches, or with too many decimals.
    :raises BonusGrantLimitReached: if the player has had it as often as it allows, pending
        ones and offers included.
    :raises BonusNotEligible: if the type needs what the player does not have.
    :raises ExchangeRateMissing: if a currency has no rate.
    :raises ResourceBusy: if another bonus is being asked for the player for too long.
    """
    player = get_player(operator=operator, reference=request.player_reference)
    # One request a player at a time: the limit and paid-back losses are counted, not locked.
    locks.lock_exclusively(AdvisoryLock.BONUS_PLAYER, player.pk)
    known = find_issuance_of_key(operator=operator, key=request.idempotency_key)
    if known is not None and known.status != IssuanceStatus.REJECTED:
        return known
    worked_out = work_out_request(operator=operator, request=request, now=now)
    template, player, terms = worked_out.template, worked_out.player, worked_out.terms
    issuance = _intent_of(operator, template, player, request, terms, actor=actor, now=now)
    if not request.is_offer:
        issuance.next_attempt_at = first_sweep_at or now
    issuance.save(force_insert=True)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="bonus.issuance.requested",
        subject=issuance,
        after={
            "status": str(issuance.status),
            "template": template.name,
            "player_id": player.reference,
            "grant_id": str(issuance.grant_id),
            "adapter": issuance.adapter_slug,
            "bonus_amount": None if terms is None else f"{terms.bonus_amount:f}",
            "bonus_currency": player.currency,
        },
        reason=request.reason,
        now=now,
    )
    if terms is not None:
        # Last, since players' rows are the lowest that are locked: what was worked out, and is
        # granted later, is in this currency.
        lock_currency(player=player, now=now)
    return issuance


def work_out_request(*, operator: Operator, request: BonusRequest, now: datetime) -> WorkedOut:
    """
    Return what the request comes to now, and write nothing.

    The caller holds the player's lock (locks.AdvisoryLock.BONUS_PLAYER). Raises what
    request_bonus raises.
    """
    # Read under the lock: blocked, or a deposit made, just before.
    player = get_player(operator=operator, reference=request.player_reference)
    template = get_template_to_issue(operator=operator, template_id=request.template_id)
    refuse_ineligible(template=template, player=player, now=now)
    refuse_deposit_amount(
        template=template,
        player=player,
        deposit_amount=request.deposit_amount,
        is_offer=request.is_offer,
    )
    terms = None
    if not request.is_offer:
        terms = work_out_terms(
            operator=operator,
            template=template,
            player=player,
            deposit_amount=request.deposit_amount,
            now=now,
        )
    return WorkedOut(template=template, player=player, terms=terms)


def _intent_of(
    operator: Operator,
    template: BonusTemplate,
    player: Player,
    request: BonusRequest,
    terms: Terms | None,
    *,
    actor: Actor,
    now: datetime,
) -> BonusIssuance:
    adapter = get_adapters().default_adapter(operator=operator)
    return BonusIssuance(
        operator=operator,
        template=template,
        player=player,
        status=IssuanceStatus.AWAITING_DEPOSIT if request.is_offer else IssuanceStatus.PENDING,
        adapter_slug=adapter.slug,
        is_internal=adapter.is_internal,
        idempotency_key=request.idempotency_key,
        deposit_amount=request.deposit_amount,
        terms=None if terms is None else terms.to_json(),
        granted_by_kind=request.granted_by.get("kind", str(actor.kind)),
        granted_by_ref=request.granted_by.get("ref", "" if request.granted_by else actor.ref),
        references=dict(request.references),
        actor_kind=actor.kind,
        actor_ref=actor.ref,
        created_at=now,
    )
