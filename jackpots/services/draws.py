"""
The draw of a raffle: closed, frozen, drawn, told, and followed by the next run.

Each step is a transaction that leaves a state from which the next one can be taken by
anybody: a draw that was asked for is written down as such before anything is drawn, so
what a crash interrupts is finished by ``finish_draws``. The draw itself is one
transaction: entries, winners, money, seed and message are there together or not at all.
"""

import logging
from contextlib import suppress
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from core import audit, locks
from core.actors import Actor
from core.errors import ResourceBusy
from core.failpoints import failpoint
from jackpots.enums import InstanceKind, InstanceStatus, WinStatus
from jackpots.errors import InstanceWrongState
from jackpots.models import Instance, Win
from jackpots.services import folding
from jackpots.services.commitments import commit_to_draw
from jackpots.services.drawing import make_draw
from jackpots.services.instances import close_locked, lock_instance
from jackpots.services.runs import open_next_run
from operators.models import Operator

logger = logging.getLogger(__name__)

_DRAWABLE = (InstanceStatus.ACTIVE, InstanceStatus.CLOSING)
_UNDECIDED = (WinStatus.AWAITING_APPROVAL, WinStatus.PAYABLE)
#: However many are broken, each of the others has its turn.
_LONGEST_AGO_FIRST = F("step_tried_at").asc(nulls_first=True)
#: Kept in the audit trail with what nobody asked for.
_REASON = "Its time had come."


def draw_instance(
    *, operator: Operator, instance_id: UUID, reason: str, actor: Actor, now: datetime
) -> Instance:
    """
    Draw the winners of a raffle; an active one is closed first, and takes no more.

    Everything contributed until then counts, folded or not. The next run of a recurring
    raffle is open when this returns, unless something linked to it is in use: then it is
    opened soon. Called at once by several, draws once.

    :raises NotFound: if the operator has no such instance.
    :raises InstanceWrongState: if it is no raffle, or neither active nor closing.
    :raises ResourceBusy: if the instance is in use. If it is closing already, the draw
        was asked for all the same, and is made soon.
    """
    _request_draw(operator, instance_id, reason=reason, actor=actor, now=now)
    failpoint("draw.after_request")
    instance = _finish_draw(instance_id, actor=actor, now=now)
    if instance.recurrence:
        with suppress(ResourceBusy):
            open_next_run(instance_id=instance_id, actor=actor, now=now)
    return instance


@transaction.atomic(durable=True)
def _request_draw(
    operator: Operator, instance_id: UUID, *, reason: str, actor: Actor, now: datetime
) -> None:
    """Close the raffle and note that it is to be drawn: a transaction of its own, and short."""
    # Nobody contributes to what is closing, so the draw itself keeps no contribution waiting.
    instance = lock_instance(operator=operator, instance_id=instance_id)
    if not instance.is_raffle:
        raise InstanceWrongState(
            "The instance is a progressive: its pots drop, and are not drawn.",
            instance_status=instance.status,
        )
    if instance.status not in _DRAWABLE:
        raise InstanceWrongState(
            f"The instance is {instance.get_status_display().lower()}: "
            "only an active or closing raffle can be drawn.",
            instance_status=instance.status,
        )
    draw = commit_to_draw(instance=instance, now=now)
    if instance.status == InstanceStatus.ACTIVE:
        close_locked(instance=instance, reason=reason, actor=actor, now=now)
    if draw.requested_at is None:
        draw.requested_at = now
        draw.save(update_fields=["requested_at"])
        audit.record_action(
            operator=operator,
            actor=actor,
            action="jackpot.draw.requested",
            subject=draw,
            after={"instance_id": str(instance.pk)},
            reason=reason,
            now=now,
        )


def _finish_draw(instance_id: UUID, *, actor: Actor, now: datetime) -> Instance:
    # What can be folded is: the draw then counts only what the horizon holds back.
    folding.fold_instance(instance_id=instance_id, actor=actor, now=now)
    instance = make_draw(instance_id=instance_id, actor=actor, now=now)
    failpoint("draw.after_draw")
    return instance


def finish_draws(*, actor: Actor, now: datetime, limit: int) -> int:
    """
    Take every raffle one step on, up to ``limit`` for each kind of step; return how many.

    Recurring raffles whose time has come are drawn, unless they are paused; draws that
    were asked for and interrupted are made; next runs are opened; and raffles whose
    prizes are all paid or rejected are closed. What is in use, or broken, is left for a
    later run and never holds up the others: those tried longest ago come first.
    """
    raffles = Instance.objects.filter(kind=InstanceKind.RAFFLE).select_related("operator")
    active = raffles.filter(status=InstanceStatus.ACTIVE)
    drawn = raffles.filter(status=InstanceStatus.DRAWN)
    undecided = Win.objects.filter(instance=OuterRef("pk"), status__in=_UNDECIDED)
    # Each is asked for when its turn comes, so that one run may take a raffle several steps on.
    steps: list[tuple[QuerySet[Instance], _Step]] = [
        (active.filter(raffle_draw=None), _commit),
        (
            raffles.filter(status__in=_DRAWABLE, closes_at__lte=now, paused_at=None)
            .exclude(recurrence="")
            .exclude(raffle_draw__requested_at__isnull=False),
            _draw_on_time,
        ),
        (
            raffles.filter(
                status=InstanceStatus.CLOSING,
                raffle_draw__requested_at__isnull=False,
                raffle_draw__drawn_at=None,
            ),
            _make_asked_draw,
        ),
        (drawn.exclude(recurrence="").filter(next=None), _open_next),
        (drawn.filter(Q(recurrence="") | Q(next__isnull=False), ~Exists(undecided)), _settle),
    ]
    return sum(
        _take(step, instance, actor=actor, now=now)
        for candidates, step in steps
        for instance in candidates.order_by(_LONGEST_AGO_FIRST, "pk")[:limit]
    )


class _Step(Protocol):
    def __call__(self, instance: Instance, *, actor: Actor, now: datetime) -> object: ...


def _take(step: _Step, instance: Instance, *, actor: Actor, now: datetime) -> int:
    """Take one raffle one step on; return 1, or 0 if it stays where it is for now."""
    try:
        if not _note_try(instance, now=now):
            return 0
        step(instance, actor=actor, now=now)
    except ResourceBusy:
        logger.info("raffle %s is in use; taken on at the next run", instance.pk)
    except InstanceWrongState:
        logger.info("raffle %s was taken on by somebody else", instance.pk)
    except Exception:
        # One raffle that is broken must not stop the draws of the others.
        logger.exception("raffle %s could not be taken on", instance.pk)
    else:
        return 1
    return 0


@transaction.atomic(durable=True)
def _note_try(instance: Instance, *, now: datetime) -> bool:
    """
    Note that the raffle is being tried; return False if somebody else is at it.

    Before the step, so that one that its process dies of comes last, too. Waiting for a draw
    that another run is making would keep a second process from its work.
    """
    as_listed = Instance.objects.filter(pk=instance.pk, step_tried_at=instance.step_tried_at)
    free = locks.lock_many_skipping(as_listed)
    for locked in free:
        locked.step_tried_at = now
        locked.save(update_fields=["step_tried_at"])
    return bool(free)


@transaction.atomic(durable=True)
def _commit(instance: Instance, *, actor: Actor, now: datetime) -> None:
    """Commit to the draw of a raffle that was opened when raffles had none."""
    locked = locks.lock_one(Instance.objects.filter(pk=instance.pk).select_related("operator"))
    draw = commit_to_draw(instance=locked, now=now)
    audit.record_action(
        operator=locked.operator,
        actor=actor,
        action="jackpot.draw.committed",
        subject=draw,
        after={"instance_id": str(locked.pk), "commitment": draw.commitment},
        now=now,
    )


def _draw_on_time(instance: Instance, *, actor: Actor, now: datetime) -> None:
    draw_instance(
        operator=instance.operator, instance_id=instance.pk, reason=_REASON, actor=actor, now=now
    )


def _make_asked_draw(instance: Instance, *, actor: Actor, now: datetime) -> None:
    _finish_draw(instance.pk, actor=actor, now=now)


def _open_next(instance: Instance, *, actor: Actor, now: datetime) -> None:
    open_next_run(instance_id=instance.pk, actor=actor, now=now)


@transaction.atomic(durable=True)
def _settle(instance: Instance, *, actor: Actor, now: datetime) -> None:
    """Close a drawn raffle: every prize is paid or rejected, and no win is added any more."""
    locked = locks.lock_one(Instance.objects.filter(pk=instance.pk).select_related("operator"))
    if locked.status != InstanceStatus.DRAWN:
        return
    failpoint("draw.before_settle")
    locked.settle(now=now)
    locked.revision += 1
    locked.save(update_fields=["status", "closed_at", "revision"])
    audit.record_action(
        operator=locked.operator,
        actor=actor,
        action="jackpot.instance.settled",
        subject=locked,
        before={"status": InstanceStatus.DRAWN},
        after={"status": InstanceStatus.CLOSED},
        now=now,
    )
