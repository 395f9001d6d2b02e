"""
Wins: found by the fold, a draw or a person; above the threshold, decided by another one.

A win is a row and nothing else until it is paid (jackpots.services.payouts).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from approvals.errors import SecondPersonRequired
from approvals.rules import fingerprint_of
from approvals.services.deciding import refuse_unless_shown
from core import audit, locks, money
from core.actors import Actor
from core.errors import InvalidRequest, NotFound
from core.models import new_id
from core.money import format_amount
from jackpots.enums import WinCause, WinStatus
from jackpots.errors import WinWrongState
from jackpots.models import Draw, Instance, Pot, Prize, Win
from jackpots.services.announcements import announce_found_wins, announce_win
from jackpots.services.thresholds import WinThreshold, read_win_threshold
from operators.models import Operator
from players.models import Player

REASON_LENGTH_MAX = 500
#: Of a draw so many wins are written at once; a raffle may have ten thousand.
_WINS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class DrawnWin:
    """What a draw gave: to whom, how much, for which prize (none: the whole pot), and how."""

    player_id: int
    amount: Decimal
    prize: Prize | None
    position: int
    counter: int


@transaction.atomic(savepoint=False)
def record_win(
    *,
    instance: Instance,
    pot: Pot,
    cycle: int,
    cause: WinCause,
    player_id: int,
    amount: Decimal,
    initiated_by: Actor,
    now: datetime,
    win_id: UUID | None = None,
    contribution_id: UUID | None = None,
    trigger: Decimal | None = None,
    trigger_nonce: str = "",
) -> Win:
    """
    Write down that a player has won, and tell of it. Joins the caller's transaction.

    The caller holds the instance's row, and has taken ``amount`` (in the instance's
    currency, rounded to its decimals) out of the pot. Above the operator's threshold the
    win waits for approval; so does one whose worth in the base currency is not known.
    """
    assert money.has_only_minor_units(amount, money.get_currency(instance.currency)), amount
    threshold = read_win_threshold(
        instance=instance, cause=cause, initiated_by=initiated_by, now=now
    )
    win = Win(
        id=win_id or new_id(),
        operator=instance.operator,
        instance=instance,
        pot=pot,
        cycle=cycle,
        cause=cause,
        contribution_id=contribution_id,
        player_id=player_id,
        amount=amount,
        currency=instance.currency,
        trigger=trigger,
        trigger_nonce=trigger_nonce,
        initiated_by_kind=initiated_by.kind,
        initiated_by_ref=initiated_by.ref,
        found_at=now,
        **_beginning(threshold, amount, now=now),
    )
    win.save(force_insert=True)
    audit.record_action(
        operator=instance.operator,
        actor=initiated_by,
        action="jackpot.win.found",
        subject=win,
        after=_facts(win),
        now=now,
    )
    announce_win(win=win, topic="jackpot.pot.won", now=now)
    return win


@transaction.atomic(savepoint=False)
def record_drawn_wins(
    *, draw: Draw, pot: Pot, drawn: Sequence[DrawnWin], initiated_by: Actor, now: datetime
) -> None:
    """
    Write down who won in a draw, and tell of each, as record_win() does of one.

    Joins the caller's transaction, who holds the instance's row. Takes as many statements
    for a thousand winners as for one.
    """
    instance = draw.instance
    threshold = read_win_threshold(
        instance=instance, cause=WinCause.DRAW, initiated_by=initiated_by, now=now
    )
    for start in range(0, len(drawn), _WINS_AT_ONCE):
        some = drawn[start : start + _WINS_AT_ONCE]
        players = Player.objects.in_bulk({won.player_id for won in some})
        wins = [
            Win(
                operator=instance.operator,
                instance=instance,
                pot=pot,
                cycle=pot.cycle,
                cause=WinCause.DRAW,
                draw=draw,
                prize=won.prize,
                draw_position=won.position,
                draw_counter=won.counter,
                player=players[won.player_id],
                amount=won.amount,
                currency=instance.currency,
                initiated_by_kind=initiated_by.kind,
                initiated_by_ref=initiated_by.ref,
                found_at=now,
                **_beginning(threshold, won.amount, now=now),
            )
            for won in some
        ]
        Win.objects.bulk_create(wins)
        audit.record_actions(
            operator=instance.operator,
            actor=initiated_by,
            action="jackpot.win.found",
            changes=[(win, _facts(win)) for win in wins],
            now=now,
        )
        announce_found_wins(operator=instance.operator, wins=wins, now=now)


@transaction.atomic
def approve_win(
    *,
    operator: Operator,
    win_id: UUID,
    reason: str,
    actor: Actor,
    now: datetime,
    fingerprint: str | None = None,
) -> Win:
    """
    Let a win above the threshold be paid; the next sweep does it. Joins the transaction.

    ``fingerprint`` is that of what a person was shown.

    :raises NotFound: if the operator has no such win.
    :raises WinWrongState: if it does not wait for approval.
    :raises SecondPersonRequired: if the actor has initiated it.
    :raises ApprovalChanged: if it is not what was shown.
    :raises ResourceBusy: if the win is in use; nothing was changed.
    """
    win = _lock_to_decide(operator, win_id, actor=actor, shown=fingerprint)
    win.approve(now=now)
    _save_decision(win, reason=reason, actor=actor)
    _record_decision(win, "jackpot.win.approved", actor=actor, now=now)
    return win


@transaction.atomic
def reject_win(
    *,
    operator: Operator,
    win_id: UUID,
    reason: str,
    actor: Actor,
    now: datetime,
    fingerprint: str | None = None,
) -> Win:
    """
    Refuse a win above the threshold: its amount goes into the pot's reserve.

    Joins the caller's transaction.

    :raises NotFound: if the operator has no such win.
    :raises InvalidRequest: if there is no reason.
    :raises WinWrongState: if it does not wait for approval.
    :raises SecondPersonRequired: if the actor has initiated it.
    :raises ApprovalChanged: if it is not what was shown (``fingerprint``).
    :raises ResourceBusy: if the win or its instance is in use; nothing was changed.
    """
    if not reason.strip():
        raise InvalidRequest.for_field("reason", "Say why it is not paid.")
    found = Win.objects.for_operator(operator).filter(pk=win_id)
    instance_id = found.values_list("instance_id", flat=True).first()
    if instance_id is None:
        raise NotFound("There is no such win.")
    # The row is what guards the pot's columns; contributions go on meanwhile.
    locks.lock_one(Instance.objects.for_operator(operator).filter(pk=instance_id))
    win = _lock_to_decide(operator, win_id, actor=actor, shown=fingerprint)
    pot = win.pot
    pot.reserve += win.amount
    pot.save(update_fields=["reserve"])
    win.reject(now=now)
    _save_decision(win, reason=reason, actor=actor)
    _record_decision(win, "jackpot.win.rejected", actor=actor, now=now)
    announce_win(win=win, topic="jackpot.win.rejected", now=now)
    return win


def fingerprint_of_win(*, win: Win) -> str:
    """Return what binds a decision about the win to what was shown of it."""
    return fingerprint_of(
        kind="win",
        operator_id=win.operator_id,
        subject_type="jackpots.pot",
        subject_id=str(win.pot_id),
        payload={
            "win": str(win.pk),
            "instance": str(win.instance_id),
            "cycle": win.cycle,
            "cause": str(win.cause),
            "player": str(win.player_id),
            "amount": format_amount(win.amount, win.currency),
            "currency": win.currency,
            "initiated_by": [str(win.initiated_by_kind), win.initiated_by_ref],
        },
    )


def _lock_to_decide(operator: Operator, win_id: UUID, *, actor: Actor, shown: str | None) -> Win:
    win = locks.lock_one(
        Win.objects.for_operator(operator)
        .filter(pk=win_id)
        .select_related("operator", "pot", "prize", "player")
    )
    if win.status != WinStatus.AWAITING_APPROVAL:
        raise WinWrongState(
            f"The win is {win.get_status_display().lower()}: only one that waits for approval"
            " can be decided.",
            win_status=str(win.status),
        )
    if (win.initiated_by_kind, win.initiated_by_ref) == (actor.kind, actor.ref):
        raise SecondPersonRequired("Whoever made the pot drop does not decide about the win.")
    refuse_unless_shown(fingerprint=shown, expected=fingerprint_of_win(win=win))
    return win


def _save_decision(win: Win, *, reason: str, actor: Actor) -> None:
    win.decided_by_kind = actor.kind
    win.decided_by_ref = actor.ref
    win.decision_reason = reason.strip()[:REASON_LENGTH_MAX]
    win.save(
        update_fields=[
            "status",
            "next_attempt_at",
            "decided_at",
            "decided_by_kind",
            "decided_by_ref",
            "decision_reason",
        ]
    )


def _record_decision(win: Win, action: str, *, actor: Actor, now: datetime) -> None:
    audit.record_action(
        operator=win.operator,
        actor=actor,
        action=action,
        subject=win,
        before={"status": str(WinStatus.AWAITING_APPROVAL)},
        after=_facts(win),
        reason=win.decision_reason,
        now=now,
    )


def _beginning(threshold: WinThreshold, amount: Decimal, *, now: datetime) -> dict[str, Any]:
    """Return how a win of the amount begins: waiting, or to be paid at once."""
    if threshold.is_passed(amount):
        return {"status": WinStatus.AWAITING_APPROVAL, "next_attempt_at": None}
    return {"status": WinStatus.PAYABLE, "next_attempt_at": now}


def _facts(win: Win) -> dict[str, Any]:
    return {
        "status": str(win.status),
        "instance_id": str(win.instance_id),
        "pot": win.pot.name,
        "cycle": win.cycle,
        "cause": str(win.cause),
        "player_id": win.player.reference,
        "amount": format_amount(win.amount, win.currency),
        "currency": win.currency,
    }
