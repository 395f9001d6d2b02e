"""
Runs: a recurring raffle that has been drawn is followed by the next one of its series.

Links lead to instances, not to series, so they are carried over: the next run has the
links of the one before, and whatever was linked to that one is linked to it. A
contribution is decided upon the links of its main instance, so each of those is locked
against contributions, and its revision moves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from core import audit, locks, outbox
from core.actors import Actor
from core.errors import ResourceBusy
from core.failpoints import failpoint
from core.instants import format_instant
from core.locks import AdvisoryLock
from core.money import EXACT
from jackpots.enums import InstanceStatus, Recurrence
from jackpots.errors import InstanceWrongState
from jackpots.models import Draw, Instance, InstanceLink, Pot, Prize
from jackpots.rules.recurrence import run_after
from jackpots.services.instances import first_closing, lock_instance, open_locked
from jackpots.services.terms import build_columns, build_pots, build_prizes, read_terms
from jackpots.services.transfers import transfer_between_pots
from operators.models import Operator

#: Links that move this often under one opening mean somebody is editing in a loop.
_ATTEMPTS_MAX = 5

#: Kept in the audit trail with what nobody asked for.
_CALENDAR_ENDS = "The calendar has no time for a next run."
#: What has ended keeps its links as history.
_ENDED = (InstanceStatus.CLOSED, InstanceStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """What is linked to an instance and may still contribute, and what it is linked to."""

    sources: tuple[UUID, ...]
    targets: tuple[UUID, ...]


def open_next_run(*, instance_id: UUID, actor: Actor, now: datetime) -> Instance:
    """
    Open the next run of a recurring raffle that has been drawn, and return it.

    It has the same terms and links, and what was not given of the pots; its opt-ins only
    if the raffle carries them. Runs whose time has passed already are left out. A run has
    one next run: called again, or at once by several, returns the one that stands. Where
    the calendar has no time for a next one, the series ends, and its last run is returned.

    :raises InstanceWrongState: if the raffle has not been drawn, or is not recurring.
    :raises ResourceBusy: if an instance is in use; nothing was changed.
    """
    for _attempt in range(_ATTEMPTS_MAX):
        neighbours = _neighbours(instance_id)
        opened = _open_next_run(instance_id, neighbours=neighbours, actor=actor, now=now)
        if opened is not None:
            return opened
    raise ResourceBusy("The links of the raffle are being changed. Try again.")


@transaction.atomic(durable=True)
def end_series(
    *, operator: Operator, instance_id: UUID, reason: str, actor: Actor, now: datetime
) -> Instance:
    """
    Let the run be the last one: it is drawn when somebody asks for it, and none follows.

    :raises NotFound: if the operator has no such instance.
    :raises InstanceWrongState: if it is not recurring, or not active or closing.
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    instance = lock_instance(operator=operator, instance_id=instance_id)
    if not instance.is_raffle or not instance.recurrence:
        raise InstanceWrongState(
            "The instance is no recurring raffle: it has no series to end.",
            instance_status=instance.status,
        )
    if instance.status not in (InstanceStatus.ACTIVE, InstanceStatus.CLOSING):
        raise InstanceWrongState(
            f"The instance is {instance.get_status_display().lower()}: "
            "only a series that goes on can be ended.",
            instance_status=instance.status,
        )
    _end_series(instance, reason=reason, actor=actor, now=now)
    return instance


def _end_series(instance: Instance, *, reason: str, actor: Actor, now: datetime) -> None:
    was = instance.recurrence
    instance.recurrence = ""
    instance.revision += 1
    instance.save(update_fields=["recurrence", "revision"])
    audit.record_action(
        operator=instance.operator,
        actor=actor,
        action="jackpot.series.ended",
        subject=instance,
        before={"recurrence": was},
        after={"recurrence": None},
        reason=reason,
        now=now,
    )


@transaction.atomic(durable=True)
def _open_next_run(
    instance_id: UUID, *, neighbours: _Neighbours, actor: Actor, now: datetime
) -> Instance | None:
    """Open the next run, or return None if the links have changed since they were read."""
    for source_id in _in_lock_order(neighbours.sources):
        locks.lock_exclusively(AdvisoryLock.INSTANCE, source_id)
    # The targets too: one of them may be opening its own next run, and takes our links along.
    involved = {instance_id, *neighbours.sources, *neighbours.targets}
    rows = locks.lock_many(Instance.objects.filter(pk__in=involved).select_related("operator"))
    locked = {row.pk: row for row in rows}
    previous = locked[instance_id]
    standing = Instance.objects.filter(previous=previous).first()
    if standing is not None:
        return standing
    if previous.status != InstanceStatus.DRAWN or not previous.recurrence:
        raise InstanceWrongState(
            "Only a recurring raffle that has been drawn has a next run.",
            instance_status=previous.status,
        )
    if _neighbours(instance_id) != neighbours:
        return None

    next_run = _find_next_run(previous, now=now)
    if next_run is None:
        _end_series(previous, reason=_CALENDAR_ENDS, actor=actor, now=now)
        return previous
    opened = _write_run(previous, next_run, now=now)
    _roll_over(previous, opened, now=now)
    sources = [locked[source_id] for source_id in neighbours.sources]
    _carry_links(previous, opened, sources=sources, actor=actor, now=now)
    failpoint("runs.after_links")
    carried_count = _carry_opt_ins(previous, opened, now=now) if previous.carry_opt_ins else 0
    _announce(opened, carried_count=carried_count, actor=actor, now=now)
    return opened


def _neighbours(instance_id: UUID) -> _Neighbours:
    links = InstanceLink.objects.filter(Q(source=instance_id) | Q(target=instance_id))
    pairs = links.exclude(~Q(source=instance_id), source__status__in=_ENDED)
    found = pairs.order_by("source_id", "position").values_list("source_id", "target_id")
    return _Neighbours(
        sources=tuple(source for source, target in found if target == instance_id),
        targets=tuple(target for source, target in found if source == instance_id),
    )


def _in_lock_order(instance_ids: Sequence[UUID]) -> list[UUID]:
    """Return the ids in the order in which contributions take their advisory locks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM unnest(%s::uuid[]) AS id ORDER BY hashtext(id::text), id",
            [list(instance_ids)],
        )
        return [row[0] for row in cursor.fetchall()]


def _find_next_run(previous: Instance, *, now: datetime) -> dict[str, Any] | None:
    """Return which run is the next one and when it is open, if the calendar has one."""
    assert previous.activated_at is not None, "what has been drawn has been active"
    closed_at = first_closing(instance=previous, now=previous.activated_at)
    anchor = previous.series_closes_at or closed_at
    found = run_after(
        anchor,
        Recurrence(previous.recurrence),
        run_number=previous.run_number,
        now=now,
        timezone=previous.timezone,
    )
    if found is None:
        return None
    run_number, closes_at = found
    return {
        "run_number": run_number,
        "series_closes_at": anchor,
        "opens_at": closed_at,
        "closes_at": closes_at,
    }


def _write_run(previous: Instance, next_run: Mapping[str, Any], *, now: datetime) -> Instance:
    terms = read_terms(instance=previous)
    columns = {**build_columns(terms=terms), "previous": previous, **next_run}
    opened = Instance(operator=previous.operator, created_at=now, **columns)
    opened.save(force_insert=True)
    Pot.objects.bulk_create(build_pots(instance=opened, terms=terms))
    Prize.objects.bulk_create(build_prizes(instance=opened, terms=terms))
    open_locked(instance=opened, now=now)
    return opened


def _roll_over(previous: Instance, opened: Instance, *, now: datetime) -> None:
    """Move what is left of each pot, and its reserve, into the same pot of the next run."""
    pots = zip(previous.pots.order_by("position"), opened.pots.order_by("position"), strict=True)
    for old, new in pots:
        left, reserve = EXACT.add(old.opening, old.folded), old.reserve
        amount = EXACT.add(left, reserve)
        if not amount:
            continue
        transfer_between_pots(
            operator=previous.operator, source=old, target=new, amount=amount, now=now
        )
        new.opening = EXACT.add(new.opening, left)
        new.reserve = EXACT.add(new.reserve, reserve)
        new.save(update_fields=["opening", "reserve"])
        old.opening = old.folded = old.reserve = Decimal(0)
        old.save(update_fields=["opening", "folded", "reserve"])


def _carry_links(
    previous: Instance,
    opened: Instance,
    *,
    sources: Sequence[Instance],
    actor: Actor,
    now: datetime,
) -> None:
    InstanceLink.objects.bulk_create(
        InstanceLink(
            operator_id=opened.operator_id,
            source=opened,
            target_id=link.target_id,
            position=link.position,
        )
        for link in previous.links.order_by("position")
    )
    InstanceLink.objects.filter(target=previous, source__in=sources).update(target=opened)
    for source in sources:
        source.revision += 1
        source.save(update_fields=["revision"])
        audit.record_action(
            operator=opened.operator,
            actor=actor,
            action="jackpot.links.carried",
            subject=source,
            before={"linked_instance": str(previous.pk)},
            after={"linked_instance": str(opened.pk)},
            now=now,
        )


def _carry_opt_ins(previous: Instance, opened: Instance, *, now: datetime) -> int:
    """Opt in to the next run whoever is opted in to the one before; return how many are."""
    # In the database: there may be as many as there are players.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO jackpots_optin (operator_id, instance_id, player_id, opted_in_at)
            SELECT operator_id, %s, player_id, %s FROM jackpots_optin
            WHERE instance_id = %s AND opted_out_at IS NULL
            """,
            [opened.pk, now, previous.pk],
        )
        return int(cursor.rowcount)


def _announce(opened: Instance, *, carried_count: int, actor: Actor, now: datetime) -> None:
    run = describe_run(instance=opened)
    audit.record_action(
        operator=opened.operator,
        actor=actor,
        action="jackpot.instance.opened",
        subject=opened,
        after={**run, "status": opened.status, "opt_ins_carried": carried_count},
        now=now,
    )
    outbox.publish(
        operator=opened.operator,
        topic="jackpot.instance.opened",
        subject=opened,
        payload=run,
        now=now,
    )


def describe_run(*, instance: Instance) -> dict[str, Any]:
    """Return what others hear of a run that has opened."""
    draw = Draw.objects.get(instance=instance)
    assert instance.opens_at is not None, "a run opens when the one before closes"
    assert instance.closes_at is not None, "a run of a series closes"
    return {
        "id": str(instance.pk),
        "previous_id": str(instance.previous_id),
        "run_number": instance.run_number,
        "name": instance.name,
        "currency": instance.currency,
        "recurrence": str(instance.recurrence),
        "timezone": instance.timezone,
        "opens_at": format_instant(instance.opens_at),
        "closes_at": format_instant(instance.closes_at),
        "draw_id": str(draw.pk),
        "commitment": draw.commitment,
    }
