"""
Asking platforms how their bonuses are, and replaying what we have not heard.

A run walks the active grants of platforms in the order of their ids, a chunk at a time, and
keeps its place: one that died is gone on with. Platforms are asked outside any transaction,
several grants at once; what they say goes the way of every platform's word
(bonuses.services.state_sync), each grant in a transaction of its own. An ended bonus, or a
credited one, is replayed under an event id made of grant and status, so that whoever replays
it twice has one effect. A bonus that the platform does not know opens a discrepancy and
changes nothing: a platform that has lost its database would else cancel everything.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from bonuses.enums import (
    CLOSED_GRANT_STATUSES,
    DiscrepancyKind,
    GrantStatus,
    PlatformEventType,
    RunStatus,
)
from bonuses.errors import ReconciliationUnderWay
from bonuses.models import BonusGrant, BonusGrantQuerySet, ReconciliationRun
from bonuses.ports import (
    BonusAdapter,
    PlatformBonusUnknown,
    PlatformRejected,
    PlatformUnavailable,
    PlatformView,
    get_adapters,
)
from bonuses.services import discrepancies, state_sync
from bonuses.services.state_sync import PlatformEventBody
from core import locks
from core.errors import NotFound, ResourceBusy
from core.failpoints import failpoint

logger = logging.getLogger(__name__)

#: How many platforms' answers are waited for at once.
THREADS_COUNT = 8
#: Grants between two notes of how far a run is.
CHUNK_SIZE = 40
#: A run that has not got on for so long is dead: a chunk takes half of it at the very worst.
LEASE = timedelta(minutes=2)
#: From so many unknown bonuses on, and so large a part of those asked about, the platform
#: has lost more than a bonus.
ALARM_UNKNOWN_MIN = 20
ALARM_UNKNOWN_PERCENT = 20

#: What a platform says of a bonus that goes on; ``credited`` tells us when it began.
_GOING_ON = frozenset({"pending", "credited", GrantStatus.ACTIVE.value})
_ANSWERED = [DiscrepancyKind.UNKNOWN_BONUS, DiscrepancyKind.NOT_ANSWERED]

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Scope:
    """
    Which active grants of platforms a run asks about.

    Those of one adapter, or of all if ``adapter_slug`` is empty; and not those that have been
    asked about within ``fresh_for``, unless their time is up, when news is due.
    """

    adapter_slug: str = ""
    fresh_for: timedelta = timedelta(0)


@dataclass(slots=True)
class _Tally:
    asked: int = 0
    replayed: int = 0
    unknown: int = 0
    unanswered: int = 0


def reconcile_bonuses(
    *,
    scope: Scope,
    clock: Clock,
    idle_for: timedelta = LEASE,
    stop_at: datetime | None = None,
    on_progress: Callable[[int], None] = lambda _count: None,
) -> ReconciliationRun:
    """
    Go on with the run of ``scope`` that died or was left, or begin one; return it.

    It is finished, unless ``stop_at`` came first: then it waits to be gone on with.
    ``idle_for`` is how long a run must not have got on to be thought dead; with none, it is
    taken over from whoever is at it, and they stop at their next step. ``on_progress`` hears
    the number of grants each time that some are dealt with.

    :raises ReconciliationUnderWay: if another process is at it.
    """
    run = _take_run(scope, idle_for=idle_for, now=clock())
    return _walk(run, scope, clock=clock, stop_at=stop_at, on_progress=on_progress)


def resume_reconciliation(
    *, fresh_for: timedelta, clock: Clock, stop_at: datetime
) -> ReconciliationRun | None:
    """
    Go on with a run that died or was left; return it, or None if there is none.

    :raises ReconciliationUnderWay: if another process is at it.
    """
    left = ReconciliationRun.objects.filter(status=RunStatus.RUNNING).first()
    if left is None:
        return None
    scope = Scope(adapter_slug=left.adapter_slug, fresh_for=fresh_for)
    return reconcile_bonuses(scope=scope, clock=clock, stop_at=stop_at)


def count_to_reconcile(*, scope: Scope, now: datetime) -> int:
    """Return how many grants a run of ``scope`` would ask about, or has left to ask about."""
    left = ReconciliationRun.objects.filter(
        status=RunStatus.RUNNING, adapter_slug=scope.adapter_slug
    ).first()
    return _to_ask(scope, now=now, after=None if left is None else left.cursor).count()


@transaction.atomic(durable=True)
def _take_run(scope: Scope, *, idle_for: timedelta, now: datetime) -> ReconciliationRun:
    running = locks.lock_many(ReconciliationRun.objects.filter(status=RunStatus.RUNNING))
    for run in running:
        is_same = run.adapter_slug == scope.adapter_slug
        if now - run.touched_at < (idle_for if is_same else LEASE):
            raise ReconciliationUnderWay("A reconciliation is under way.")
        if is_same:
            run.touched_at = now
            run.save(update_fields=["touched_at"])
            return run
        # Of another scope, and dead: what it had left is asked about by the next of that scope.
        run.status = RunStatus.FINISHED
        run.finished_at = now
        run.save(update_fields=["status", "finished_at"])
    run, is_ours = ReconciliationRun.objects.get_or_create(
        status=RunStatus.RUNNING,
        defaults={"adapter_slug": scope.adapter_slug, "started_at": now, "touched_at": now},
    )
    if not is_ours:
        raise ReconciliationUnderWay("A reconciliation is under way.")
    return run


def _walk(
    run: ReconciliationRun,
    scope: Scope,
    *,
    clock: Clock,
    stop_at: datetime | None,
    on_progress: Callable[[int], None],
) -> ReconciliationRun:
    adapters: dict[str, BonusAdapter | None] = {}
    with ThreadPoolExecutor(THREADS_COUNT, thread_name_prefix="reconcile") as pool:
        while stop_at is None or clock() < stop_at:
            chunk = list(_to_ask(scope, now=clock(), after=run.cursor)[:CHUNK_SIZE])
            tally = _Tally()
            for slug in {grant.adapter_slug for grant in chunk} - adapters.keys():
                adapters[slug] = _find_adapter(slug)
            asked = [(grant, adapters[grant.adapter_slug]) for grant in chunk]
            for grant, answer in zip(chunk, pool.map(_ask, asked), strict=True):
                _take_answer_safely(grant, answer, tally, now=clock())
                failpoint("reconciliation.after_answer")
            failpoint("reconciliation.before_note")
            if not _note_progress(run, chunk, tally, now=clock()):
                raise ReconciliationUnderWay("Another process has gone on with the run.")
            on_progress(len(chunk))
            if not chunk:
                break
    return run


def _to_ask(scope: Scope, *, now: datetime, after: UUID | None) -> BonusGrantQuerySet:
    grants = BonusGrant.objects.active().filter(is_internal=False)
    if scope.adapter_slug:
        grants = grants.filter(adapter_slug=scope.adapter_slug)
    if scope.fresh_for:
        grants = grants.filter(
            Q(reconciled_at=None)
            | Q(reconciled_at__lte=now - scope.fresh_for)
            | Q(expires_at__lte=now)
        )
    if after is not None:
        grants = grants.filter(pk__gt=after)
    return grants.select_related("operator").order_by("pk")


def _find_adapter(slug: str) -> BonusAdapter | None:
    try:
        return get_adapters().get_adapter(slug=slug)
    except NotFound:
        logger.error("there are grants of the adapter %s, but no such adapter", slug)
        return None


def _ask(asked: tuple[BonusGrant, BonusAdapter | None]) -> PlatformView | Exception:
    """Return the platform's answer. Runs in a thread of its own: no database in here."""
    grant, adapter = asked
    if adapter is None:
        return PlatformUnavailable("There is no such adapter.")
    try:
        return adapter.get_bonus(
            platform_bonus_id=grant.platform_bonus_id,
            currency=grant.bonus_currency,
            grant_id=grant.pk,
        )
    except Exception as error:  # noqa: BLE001 -- told apart, and logged, where it is taken
        return error


def _take_answer_safely(
    grant: BonusGrant, answer: PlatformView | Exception, tally: _Tally, *, now: datetime
) -> None:
    tally.asked += 1
    try:
        _take_answer(grant, answer, tally, now=now)
    except ResourceBusy:
        logger.info("grant %s is in use; left for the next run", grant.pk)
        tally.unanswered += 1
    except Exception:
        # The walk is in the order of ids: one bad row would stop every later run.
        logger.exception("grant %s could not be reconciled", grant.pk)
        tally.unanswered += 1


def _take_answer(
    grant: BonusGrant, answer: PlatformView | Exception, tally: _Tally, *, now: datetime
) -> None:
    match answer:
        case PlatformUnavailable():
            tally.unanswered += 1
        case PlatformBonusUnknown():
            tally.unknown += 1
            detail = f"The platform does not know the bonus {grant.platform_bonus_id}."
            _disagree(grant, DiscrepancyKind.UNKNOWN_BONUS, detail, now=now)
        case PlatformRejected():
            tally.unanswered += 1
            detail = f"The platform refused to tell: {answer.code}. {answer.detail}"
            _disagree(grant, DiscrepancyKind.NOT_ANSWERED, detail, now=now)
        case Exception():
            raise answer
        case PlatformView():
            unusable = _unusable(grant, answer)
            if unusable:
                tally.unanswered += 1
                _disagree(grant, DiscrepancyKind.NOT_ANSWERED, unusable, now=now)
                return
            tally.replayed += _replay(grant, answer, now=now)
            _agree(grant, now=now)


def _unusable(grant: BonusGrant, view: PlatformView) -> str:
    """Say what is wrong with an answer; empty if it can be used."""
    if view.platform_bonus_id != grant.platform_bonus_id:
        return f"The platform told of another bonus, {view.platform_bonus_id}."
    if view.status not in _GOING_ON and view.status not in CLOSED_GRANT_STATUSES:
        return f"The platform says the bonus is {view.status!r}, which is no status."
    return ""


def _replay(grant: BonusGrant, view: PlatformView, *, now: datetime) -> int:
    """Apply what the platform's view says and we have not heard; return how much had effect."""
    if view.status in CLOSED_GRANT_STATUSES:
        kind = PlatformEventType(f"bonus.{view.status}")
    elif view.status == "credited" and grant.activated_at is None:
        kind = PlatformEventType.CREDITED
    else:
        return 0
    event_id = f"recon:{grant.pk}:{view.status}"
    event = PlatformEventBody(
        event_id=event_id,
        type=kind,
        ts=view.at,
        # Of the id alone: a second look at the same bonus may find other words for it.
        digest=hashlib.sha256(event_id.encode()).hexdigest(),
        grant_id=grant.pk,
        reason=view.reason,
    )
    result = state_sync.apply_platform_event(
        operator=grant.operator, adapter_slug=grant.adapter_slug, event=event, now=now
    )
    return int(result.applied)


@transaction.atomic(durable=True)
def _disagree(grant: BonusGrant, kind: DiscrepancyKind, detail: str, *, now: datetime) -> None:
    # Only if it has not ended meanwhile: of an ended bonus a platform may forget everything.
    for held in locks.lock_many(BonusGrant.objects.active().filter(pk=grant.pk)):
        discrepancies.open_discrepancy(grant=held, kind=kind, detail=detail, now=now)
        held.reconciled_at = now
        held.save(update_fields=["reconciled_at"])


@transaction.atomic(durable=True)
def _agree(grant: BonusGrant, *, now: datetime) -> None:
    for held in locks.lock_many(BonusGrant.objects.filter(pk=grant.pk)):
        discrepancies.fix_discrepancies(grant=held, kinds=_ANSWERED, now=now)
        if held.is_active:
            held.reconciled_at = now
            held.save(update_fields=["reconciled_at"])


@transaction.atomic(durable=True)
def _note_progress(
    run: ReconciliationRun, chunk: Sequence[BonusGrant], tally: _Tally, *, now: datetime
) -> bool:
    """Note how far the run is, unless another process has taken it; finish it at the end."""
    here = ReconciliationRun.objects.filter(
        pk=run.pk, status=RunStatus.RUNNING, cursor=run.cursor, touched_at=run.touched_at
    )
    if not locks.lock_many(here):
        return False
    run.asked_count += tally.asked
    run.replayed_count += tally.replayed
    run.unknown_count += tally.unknown
    run.unanswered_count += tally.unanswered
    run.is_alarming = run.unknown_count >= ALARM_UNKNOWN_MIN and (
        run.unknown_count * 100 > run.asked_count * ALARM_UNKNOWN_PERCENT
    )
    run.touched_at = now
    if chunk:
        run.cursor = chunk[-1].pk
    else:
        run.status = RunStatus.FINISHED
        run.finished_at = now
        if run.is_alarming:
            logger.error(
                "reconciliation %s: platforms do not know %s of %s bonuses",
                run.pk,
                run.unknown_count,
                run.asked_count,
            )
    run.save(
        update_fields=[
            "asked_count",
            "replayed_count",
            "unknown_count",
            "unanswered_count",
            "is_alarming",
            "touched_at",
            "cursor",
            "status",
            "finished_at",
        ]
    )
    return True
