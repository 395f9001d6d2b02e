"""
Claims a promo for a player.

A claim is decided upon one snapshot, without a lock, and made by a database function that
takes the claim out of the cap, asks for the promo's revision again, and writes claim, withdrawal
lock, audit entry, bonus and messages. Most claims are that function alone, with the key and its
answer, so that the promo's row, which everybody claims, is never held while Python runs. What moves
the balance into the vault, or meets an older claim whose time is up, holds it for longer; without
a cap none waits for another.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction
from psycopg.errors import LockNotAvailable, UniqueViolation

from core import locks
from core.actors import Actor
from core.errors import DomainError, ResourceBusy
from core.idempotency import Keeping, in_progress
from core.models import new_id
from core.prepared import prepared_cursor
from operators.models import Operator
from players.models import Player
from promos import errors, rules
from promos.enums import UserPromoStatus
from promos.models import Promo, UserPromo
from promos.services import announcements, payments
from promos.services.claim_plans import ClaimPlan, read_claim_plan
from promos.services.gates import list_claim_refusals
from promos.services.open_promos import lock_live_promo
from promos.services.withdrawal_locks import locked_until
from wallets.services import transfers
from wallets.services.transfers import Posting

# A promo whose terms change this often while one claim is decided is being edited by a loop.
_ATTEMPTS_MAX = 5
_MAKE = """
SELECT promos_make_claim(
    %s::jsonb, %s::integer, %s::timestamptz, %s::jsonb, %s::jsonb, %s::jsonb, %s::jsonb)
"""
_STALE = "STALE"
_EXHAUSTED = "EXHAUSTED"


@dataclass(frozen=True, slots=True)
class ClaimTarget:
    """What is claimed: a promo by its id, or by a code (its own, or a single-use one)."""

    promo_id: UUID | None = None
    code: str | None = None


def validate_claim(
    *, operator: Operator, target: ClaimTarget, player_reference: str, now: datetime
) -> list[DomainError]:
    """
    Return every reason why the player could not claim the promo now; none: it is claimable.

    :raises NotFound: if the operator has no such player.
    """
    try:
        plan = _read_plan(operator, target, player_reference, now=now)
    except errors.PromoNotFound as refusal:
        return [refusal]
    return list_claim_refusals(plan=plan, now=now)


def claim_at_once(
    *,
    operator: Operator,
    target: ClaimTarget,
    player_reference: str,
    actor: Actor,
    now: datetime,
    keeping: Keeping,
) -> UserPromo | None:
    """
    Claim by one statement that is a transaction of its own, and store the answer in it.

    Returns None, and nothing was done, where there is more to it: the key has been answered,
    there is a reason to refuse, an older claim is overdue, the balance goes into the vault.
    Then claim_promo() decides, under the key.

    :raises PromoAlreadyClaimed: if the player has just claimed it by another request.
    :raises PromoCodeIsActive: if the player has just claimed another one.
    :raises PromoClaimsExhausted: if the code has just been used.
    :raises IdempotencyInProgress: if the first request of the key takes too long.
    :raises ResourceBusy: if the promo or the player's account is in use.
    """
    try:
        plan = _read_plan(operator, target, player_reference, now=now)
    except DomainError:
        return None
    is_plain = not plan.promo.auto_vault_on_claim and not _meets_overdue(plan, now=now)
    if not is_plain or list_claim_refusals(plan=plan, now=now):
        return None
    user_promo = _build(operator, plan, now=now)
    outcome = _make(user_promo, plan, keeping=keeping, actor=actor, now=now)
    return user_promo if outcome is None else None


# Without savepoints: a refusal ends the caller's transaction, and each would be two more
# round trips.
@transaction.atomic(savepoint=False)
def claim_promo(
    *,
    operator: Operator,
    target: ClaimTarget,
    player_reference: str,
    actor: Actor,
    now: datetime,
) -> UserPromo:
    """
    Claim the promo for the player, and do what the claim does at once.

    A deposit promo then waits for its deposit; an instant one is credited and over. Joins
    the caller's transaction, which a refusal ends: nothing of a refused claim stays. A
    claim of the player whose time is up expires on the way.

    :raises NotFound: if the operator has no such player.
    :raises PromoNotFound: if the operator has no such promo, or it is archived.
    :raises DomainError: the first of list_claim_refusals, if there is one.
    :raises ResourceBusy: if the promo, the player's claim or account is in use.
    """
    for _attempt in range(_ATTEMPTS_MAX):
        plan = _read_plan(operator, target, player_reference, now=now)
        refusals = list_claim_refusals(plan=plan, now=now)
        if refusals:
            raise refusals[0]
        user_promo = _build(operator, plan, now=now)
        if _meets_overdue(plan, now=now):
            # The promo first: an ending locks claims and accounts, which come after it.
            locks.lock_many(Promo.objects.filter(pk=plan.promo.pk))
            lock_live_promo(operator=operator, player=user_promo.player, actor=actor, now=now)
        outcome = _make(user_promo, plan, keeping=None, actor=actor, now=now)
        if outcome == _STALE:
            continue
        if outcome == _EXHAUSTED:
            raise errors.PromoClaimsExhausted("No claims are left.")
        if outcome is not None:
            break
        if plan.promo.auto_vault_on_claim:
            balance = payments.lock_main_balance(operator=operator, user_promo=user_promo)
            payments.move_to_vault(
                operator=operator, user_promo=user_promo, balance=balance, now=now
            )
        return user_promo
    raise ResourceBusy("The promo is being changed. Try again.")


def _meets_overdue(plan: ClaimPlan, *, now: datetime) -> bool:
    return plan.open_due_at is not None and plan.open_due_at <= now


def _read_plan(
    operator: Operator, target: ClaimTarget, player_reference: str, *, now: datetime
) -> ClaimPlan:
    return read_claim_plan(
        operator=operator,
        promo_id=target.promo_id,
        code=target.code,
        player_reference=player_reference,
        now=now,
    )


def _build(operator: Operator, plan: ClaimPlan, *, now: datetime) -> UserPromo:
    promo, claimant = plan.promo, plan.claimant
    player = Player(
        pk=claimant.id,
        operator=operator,
        reference=claimant.reference,
        currency=claimant.currency,
    )
    status = promo.status_after_claim
    assert status != UserPromoStatus.ACTIVE, f"{promo} would start in the middle"
    user_promo = UserPromo(
        id=new_id(),
        operator=operator,
        promo=promo,
        player=player,
        batch_code_id=None if plan.single_use is None else plan.single_use.id,
        code=plan.code,
        status=status,
        promo_type=promo.type,
        bonus_multiplier=promo.bonus_multiplier,
        max_bonus_usd_amount=promo.max_bonus_usd_amount,
        min_deposit_usd_to_activate=promo.min_deposit_usd_to_activate,
        wager_multiplier_to_complete=promo.wager_multiplier_to_complete,
        wager_usd_amount_to_complete=promo.wager_usd_amount_to_complete,
        time_seconds_to_complete=promo.time_seconds_to_complete,
        lock_withdraw_on_claim_hours=promo.lock_withdraw_on_claim_hours,
        games_version=promo.games_version,
        restrict_bets_while_claimed=plan.settings.restrict_bets_while_claimed,
        bonus_currency=claimant.currency,
        claimed_at=now,
    )
    if status == UserPromoStatus.CLAIMED:
        user_promo.due_at = now + plan.activation_window
        return user_promo
    assert promo.amount is not None, f"{promo} pays no amount"
    if plan.exchange is not None:
        user_promo.rate, user_promo.rate_at = plan.exchange.rate, plan.exchange.since
    user_promo.bonus_amount = rules.wallet_amount_of(
        amount=promo.amount, rate=user_promo.rate, currency=claimant.currency
    )
    user_promo.completed_at = now
    return user_promo


def _make(
    user_promo: UserPromo,
    plan: ClaimPlan,
    *,
    keeping: Keeping | None,
    actor: Actor,
    now: datetime,
) -> str | None:
    """Write the claim and what it does at once; return None, or why it could not be."""
    row = {field.attname: getattr(user_promo, field.attname) for field in UserPromo._meta.fields}
    messages = announcements.prepare_claim_made(user_promo=user_promo, now=now)
    try:
        cursor = prepared_cursor()
        cursor.execute(
            _MAKE,
            [
                _to_json(row),
                plan.promo.revision,
                locked_until(hours=user_promo.lock_withdraw_on_claim_hours, now=now),
                _to_json(_audit_entry(user_promo, actor)),
                transfers.encode_postings(postings=_bonus_of(user_promo)),
                _to_json(messages),
                None if keeping is None else _to_json(keeping.row_of(user_promo)),
            ],
        )
        (outcome,) = cursor.fetchone()
    except DatabaseError as error:
        refusal = _refusal_of(error.__cause__)
        if refusal is None:
            raise
        raise refusal from error
    return cast("str | None", outcome)


def _bonus_of(user_promo: UserPromo) -> list[Posting]:
    promo = user_promo.promo
    if user_promo.bonus_amount is None:
        return []
    assert promo.amount is not None, f"{promo} pays no amount"
    return payments.prepare_bonus(
        user_promo=user_promo, original_amount=promo.amount, original_currency=promo.currency
    )


def _audit_entry(user_promo: UserPromo, actor: Actor) -> dict[str, Any]:
    return {
        "actor_kind": actor.kind,
        "actor_ref": actor.ref,
        "request_id": str(structlog.contextvars.get_contextvars().get("request_id", "")),
        "after": {
            "status": user_promo.status,
            "code": user_promo.code,
            "player_id": user_promo.player.reference,
            "bonus_amount": user_promo.bonus_amount,
            "bonus_currency": user_promo.bonus_currency,
        },
    }


def _to_json(value: Any) -> str:
    return json.dumps(value, default=_as_text)


def _as_text(value: Any) -> str:
    # Numbers travel as text: a JSON number would be a float to somebody on the way.
    match value:
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            raise TypeError(f"{value!r} in a claim")


def _refusal_of(cause: BaseException | None) -> DomainError | None:
    """Return what a failure of the database means to the caller, or None for a bug."""
    if isinstance(cause, LockNotAvailable):
        if "core_claim_idempotency_key" in (cause.diag.context or ""):
            return in_progress()
        return ResourceBusy("The promo, or the player's account, is in use. Send it again.")
    if not isinstance(cause, UniqueViolation):
        return transfers.refusal_of(cause=cause)
    match cause.diag.constraint_name:
        # Two claims at once, decided upon snapshots that did not show each other.
        case "user_promo_claimed_once":
            return errors.PromoAlreadyClaimed("The player has claimed this promo before.")
        case "user_promo_one_open_per_player":
            return errors.PromoCodeIsActive("The player has a promo that has not ended.")
        case str(name) if "batch_code" in name:
            return errors.PromoClaimsExhausted("The code has been used.")
        case "idempotency_key_has_one_answer":
            # A batch claims its keys by writing them, without a lock for each.
            return in_progress()
        case _:
            return transfers.refusal_of(cause=cause)
