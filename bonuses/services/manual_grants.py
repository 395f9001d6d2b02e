"""
Bonuses that staff give by hand, when they are worth more than one person may give.

The request is bound to the template's terms and to the most that it may come to: if either
has grown by the time that it is approved, nobody has approved what would be given, and it is
refused.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from approvals.errors import ApprovalChanged, ApprovalRequired
from approvals.models import Approval
from approvals.ports import ApprovalKind, Asked
from approvals.services.requesting import request_approval
from bonuses.enums import IssuanceStatus
from bonuses.models import BonusIssuance, BonusTemplate
from bonuses.rules.costs import Worth, worth_at_most
from bonuses.selectors import find_issuance_of_key, list_templates
from bonuses.services.attempts import Clock, attempt_issuance
from bonuses.services.issuing import Issued, issue_bonus
from bonuses.services.requests import BonusRequest, WorkedOut, request_bonus, work_out_request
from core import locks
from core.actors import Actor
from core.idempotency import IdempotencyKey
from core.locks import AdvisoryLock
from core.money import format_amount, format_decimal, tell_amount
from operators.models import Operator
from players.selectors import get_player

KIND = "manual_grant"


def issue_or_ask(
    *,
    operator: Operator,
    request: BonusRequest,
    key: IdempotencyKey,
    actor: Actor,
    clock: Clock,
) -> Issued | Approval:
    """
    Give the bonus, or ask a second person to, if it is more than ``actor`` may give alone.

    Everything that issue_bonus raises is raised here too, but ApprovalRequired.
    """
    try:
        return issue_bonus(operator=operator, request=request, key=key, actor=actor, clock=clock)
    except ApprovalRequired:
        with transaction.atomic(durable=True):
            return ask_for_grant(operator=operator, request=request, actor=actor, now=clock())


@transaction.atomic
def ask_for_grant(
    *, operator: Operator, request: BonusRequest, actor: Actor, now: datetime
) -> Approval:
    """
    Ask for a bonus to be given by hand. Joins the caller's transaction; nothing is issued.

    Everything that request_bonus raises is raised here too: what could not be given now is
    not asked for either.
    """
    player = get_player(operator=operator, reference=request.player_reference)
    locks.lock_exclusively(AdvisoryLock.BONUS_PLAYER, player.pk)
    worked_out = work_out_request(operator=operator, request=request, now=now)
    worth = worth_at_most(template=worked_out.template, terms=worked_out.terms)
    deposit = request.deposit_amount
    return request_approval(
        operator=operator,
        kind=KIND,
        subject=worked_out.template,
        payload={
            "template": worked_out.template.name,
            "player_id": player.reference,
            "deposit_amount": None if deposit is None else format_decimal(deposit),
            "is_offer": request.is_offer,
            "amount": format_amount(worth.amount, worth.currency),
            "currency": worth.currency,
            "terms": _described(worked_out.template),
        },
        summary=_summary_of(worked_out, worth, request),
        amount=worth.amount,
        currency=worth.currency,
        reason=request.reason,
        actor=actor,
        now=now,
    )


def _execute(*, asked: Asked, actor: Actor, now: datetime) -> str:
    issuance = request_bonus(
        operator=asked.operator, request=_request_of(asked), actor=actor, now=now
    )
    if _described(issuance.template) != asked.payload["terms"]:
        raise ApprovalChanged(_TERMS_CHANGED)
    worth = worth_at_most(
        template=issuance.template,
        terms=None if asked.payload["is_offer"] else issuance.locked_terms(),
    )
    if _is_more(worth, asked):
        raise ApprovalChanged(f"It would be {_told(worth)} now, more than was asked for.")
    verb = "offered" if asked.payload["is_offer"] else "given"
    return f"{_told(worth)} by {issuance.template} was {verb} to {issuance.player.reference}."


def _obstacle(asked: Asked, _now: datetime) -> str:
    template = _template_of(asked)
    if not template.is_active:
        return f"{template} is switched off: nothing is issued from it."
    return "" if _described(template) == asked.payload["terms"] else _TERMS_CHANGED


def _consequences(asked: Asked) -> list[str]:
    payload = asked.payload
    told = tell_amount(Decimal(payload["amount"]), payload["currency"])
    if payload["is_offer"]:
        given = (
            f"The next deposit of {payload['player_id']} that qualifies is matched, up to {told}."
        )
    else:
        given = f"{payload['player_id']} gets {told} by {payload['template']}, and not more."
    return [
        given,
        "Whether the player may have it, and at which rate, is decided anew at that instant.",
        "A platform that keeps the player's money is asked once this is written down.",
    ]


def _follow_up(*, asked: Asked, clock: Callable[[], datetime]) -> str:
    issuance = find_issuance_of_key(operator=asked.operator, key=_key_of(asked))
    assert issuance is not None, "an approved bonus has an issuance"
    if issuance.is_due(now=clock()):
        issuance = attempt_issuance(issuance_id=issuance.pk, clock=clock)
    return _outcome_of(issuance)


def _outcome_of(issuance: BonusIssuance) -> str:
    match issuance.status:
        case IssuanceStatus.SUCCEEDED:
            return "The bonus was granted."
        case IssuanceStatus.AWAITING_DEPOSIT:
            return "The offer waits for the player's next deposit."
        case IssuanceStatus.REJECTED:
            return f"The platform rejected it: {issuance.error_code}."
        case _:
            return "The platform has not answered usably: it is asked again until it does."


_TERMS_CHANGED = (
    "The template has other terms by now than when this was asked for. Reject it, and ask again."
)


def _request_of(asked: Asked) -> BonusRequest:
    deposit = asked.payload["deposit_amount"]
    return BonusRequest(
        template_id=UUID(asked.subject_id),
        player_reference=asked.payload["player_id"],
        idempotency_key=_key_of(asked),
        deposit_amount=None if deposit is None else Decimal(deposit),
        is_offer=asked.payload["is_offer"],
        granted_by={"kind": str(asked.requested_by.kind), "ref": asked.requested_by.ref},
        references={"reason": asked.reason, "approval": str(asked.approval_id)},
        reason=asked.reason,
    )


def _key_of(asked: Asked) -> str:
    return f"approval:{asked.approval_id}"


def _template_of(asked: Asked) -> BonusTemplate:
    return list_templates(operator=asked.operator).get(pk=asked.subject_id)


def _is_more(worth: Worth, asked: Asked) -> bool:
    bound = Decimal(asked.payload["amount"])
    return worth.currency != asked.payload["currency"] or worth.amount > bound


def _described(template: BonusTemplate) -> dict[str, Any]:
    """Return the terms that a request is bound to, numbers as text."""

    def number(value: Decimal | None) -> str | None:
        return None if value is None else format_decimal(value)

    return {
        "type": str(template.type),
        "config": _as_text(template.config),
        "currency": template.currency,
        "wagering_multiplier": number(template.wagering_multiplier),
        "wagering_basis": str(template.wagering_basis),
        "game_contribution": _as_text(template.game_contribution),
        "max_bet": number(template.max_bet),
        "max_win_cap": number(template.max_win_cap),
        "time_limit_hours": template.time_limit_hours,
    }


def _as_text(value: Any) -> Any:
    """Return JSON with every number as text: a fingerprint takes no fractions."""
    match value:
        case dict():
            return {name: _as_text(item) for name, item in value.items()}
        case list():
            return [_as_text(item) for item in value]
        case bool() | None | str():
            return value
        case _:
            return str(value)


def _summary_of(worked_out: WorkedOut, worth: Worth, request: BonusRequest) -> list[str]:
    template, player = worked_out.template, worked_out.player
    if request.is_offer:
        first = f"Offer {template} to {player}: up to {_told(worth)}"
        second = "The player's next deposit that qualifies is matched."
    else:
        first = f"Give {template} to {player}: {_told(worth)}"
        deposit = request.deposit_amount
        second = "It matches no deposit."
        if deposit is not None:
            second = f"It matches a deposit of {_told(Worth(deposit, player.currency))}."
    return [first, second, _wagering_told(template)]


def _wagering_told(template: BonusTemplate) -> str:
    if template.wagering_multiplier == 0:
        return "Nothing to wager: it completes as soon as it is active."
    multiplier = format_decimal(template.wagering_multiplier)
    return f"To wager: {multiplier} times the {template.get_wagering_basis_display().lower()}."


def _told(worth: Worth) -> str:
    return tell_amount(worth.amount, worth.currency)


MANUAL_GRANT = ApprovalKind(
    name=KIND,
    title="Bonus by hand",
    permission="bonuses.approve_manual_grant",
    execute=_execute,
    obstacle=_obstacle,
    consequences=_consequences,
    follow_up=_follow_up,
)
