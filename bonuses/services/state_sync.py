"""
The one way in which a platform's word changes a grant, whoever brought it.

An event's row, its effect and its outcome are one transaction, so an event that was not
answered may always be sent again. Rows are taken in this order: event, issuance, grant; the
issuance only if there is no grant yet.

Events count in the order of their receipt, and at the instant at which they are applied: that
is the grant's. ``ts`` is the platform's claim of when it happened: it is kept with the event and
in the audit trail (``platform_at``), and decides nothing.
"""

import json
import logging
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from django.db import transaction

from bonuses.enums import EventOutcome, IssuanceStatus, PlatformEventType
from bonuses.errors import EventIdReused, InvalidEvent
from bonuses.models import BonusGrant, BonusIssuance, PlatformEvent
from bonuses.services import endings
from bonuses.services.wager_events import add_wager_events
from core import audit, locks, money
from core.actors import Actor, ActorKind
from core.errors import NotFound
from core.failpoints import failpoint
from core.instants import format_instant
from core.money import AMOUNT_LIMIT, EXACT
from core.prepared import prepared_cursor
from core.rows import RowOf
from core.writes import Writes, write_together
from operators.models import Operator
from players.models import Player

logger = logging.getLogger(__name__)

#: More than any bet, in the minor unit of any currency; a column holds a hundred of them.
SUBUNITS_MAX = 10**18

_REMEMBER = """
    INSERT INTO bonuses_platformevent (
        operator_id, adapter_slug, event_id, type, digest, payload, outcome, received_at,
        new_status
    )
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, '')
    ON CONFLICT DO NOTHING
    RETURNING id
"""

# Slug and operator both: an event reaches its own adapter's grants only, and never one whose
# money our own ledger holds. Both names are unique.
_GRANT = """
    SELECT {columns}
    FROM bonuses_bonusgrant
    JOIN operators_operator ON operators_operator.id = bonuses_bonusgrant.operator_id
    JOIN players_player ON players_player.id = bonuses_bonusgrant.player_id
    WHERE bonuses_bonusgrant.operator_id = %s AND bonuses_bonusgrant.adapter_slug = %s
        AND NOT bonuses_bonusgrant.is_internal AND {named}
"""
_GRANT_ROW, _OPERATOR_ROW, _PLAYER_ROW = RowOf(BonusGrant), RowOf(Operator), RowOf(Player)
_COLUMNS = ", ".join(row.columns for row in (_GRANT_ROW, _OPERATOR_ROW, _PLAYER_ROW))


@dataclass(frozen=True, slots=True)
class PlatformEventBody:
    """
    One event, in our types. It names its bonus by our id, the platform's, or both.

    ``digest`` is the SHA-256 of what arrived: the same ``event_id`` with another one is
    another event. ``type`` is as it came, since it may be one that we do not know. ``ts`` is when
    it happened by the platform's clock, null if it did not say.
    """

    event_id: str
    type: str
    ts: datetime | None
    digest: str
    grant_id: UUID | None = None
    platform_bonus_id: str | None = None
    wagered_amount_subunit: int | None = None
    weighted_progress_subunit: int | None = None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what is stored until the grant is there."""
        stored = {name: value for name, value in asdict(self).items() if value is not None}
        if self.ts is not None:
            stored["ts"] = format_instant(self.ts)
        if self.grant_id is not None:
            stored["grant_id"] = str(self.grant_id)
        return stored

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the event that was stored."""
        ts, grant_id = stored.get("ts"), stored.get("grant_id")
        return cls(
            **{
                **stored,
                "ts": None if ts is None else datetime.fromisoformat(ts),
                "grant_id": None if grant_id is None else UUID(grant_id),
            }
        )


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What came of an event: ``new_status`` is the grant's, null while there is no grant."""

    applied: bool
    new_status: str | None
    reason: str | None


@transaction.atomic(durable=True)
def apply_platform_event(
    *, operator: Operator, adapter_slug: str, event: PlatformEventBody, now: datetime
) -> SyncResult:
    """
    Apply an event of a platform to its grant, once; say again what came of it if repeated.

    An event of a type we do not know, or for a grant that has ended, is recorded without an
    effect. One whose grant is still being issued is parked: apply_parked_events() applies it.
    Only an event that names ``grant_id`` can be parked: before there is a grant nothing tells
    which issuance a platform's own id belongs to, and the event is refused like any unknown
    one. What is refused is not remembered, so that sending it again is decided afresh.

    :raises InvalidEvent: if it says something that cannot be.
    :raises EventIdReused: if its id belongs to an event with another body.
    :raises NotFound: if the adapter has no such grant, and is not issuing it.
    :raises ResourceBusy: if the grant is in use; nothing was changed.
    """
    _check_amounts(event)
    row = _remember(operator, adapter_slug, event, now=now)
    if row is None:
        return _repeat(adapter_slug, event)
    failpoint("state_sync.after_dedupe")
    grant = _lock_grant(operator, adapter_slug, event)
    if event.type not in PlatformEvent.KNOWN:
        return _settle(row, EventOutcome.UNSUPPORTED_EVENT, grant=grant)
    if grant is None:
        # Whoever writes the grant holds the issuance: from here on it is there, or it will
        # find the parked event.
        pending = locks.lock_many(_pending_issuances(operator, adapter_slug, event))
        if pending:
            row.issuance = pending[0]
            return _settle(row, EventOutcome.PARKED, grant=None)
        grant = _lock_grant(operator, adapter_slug, event)
    if grant is None:
        raise _no_such_bonus()
    return _decide(row, grant, event, now=now)


@transaction.atomic(savepoint=False)
def apply_parked_events(*, grant: BonusGrant, now: datetime) -> int:
    """
    Apply what the platform said of a grant before it was there; return how much had effect.

    Joins the transaction that writes the grant, which holds its issuance. In the order of
    receipt; ``grant`` is brought up to date in memory too.
    """
    parked = PlatformEvent.objects.filter(
        issuance_id=grant.issuance_id, outcome=EventOutcome.PARKED
    ).order_by("pk")
    applied_count = 0
    for row in parked:
        event = PlatformEventBody.from_json(row.payload)
        try:
            if event.platform_bonus_id not in (None, grant.platform_bonus_id):
                raise _no_such_bonus()
            applied_count += _decide(row, grant, event, now=now).applied
        except (InvalidEvent, NotFound) as refusal:
            # It was answered long ago, and the grant must be written: it stays parked, where
            # staff see it, and reconciliation asks the platform.
            logger.error("parked event %s cannot be applied: %s", row.pk, refusal.detail)
    return applied_count


def _repeat(adapter_slug: str, event: PlatformEventBody) -> SyncResult:
    """Say what came of an event whose id is known."""
    row = PlatformEvent.objects.select_related("grant").get(
        adapter_slug=adapter_slug, event_id=event.event_id
    )
    if row.digest != event.digest:
        raise EventIdReused("The event id belongs to an event with another body.")
    status = None if row.grant is None else str(row.grant.status)
    return SyncResult(applied=False, new_status=status, reason="duplicate")


def _lock_grant(
    operator: Operator, adapter_slug: str, event: PlatformEventBody
) -> BonusGrant | None:
    names = {"id": event.grant_id, "platform_bonus_id": event.platform_bonus_id}
    given = {column: value for column, value in names.items() if value is not None}
    if not given:
        return None
    named = " AND ".join(f"bonuses_bonusgrant.{column} = %s" for column in given)
    rows = locks.lock_rows(
        _GRANT.format(columns=_COLUMNS, named=named),
        [operator.pk, adapter_slug, *given.values()],
        table="bonuses_bonusgrant",
    )
    if not rows:
        return None
    [row] = rows
    values = iter(row)
    grant = _GRANT_ROW.take(values)
    grant.operator, grant.player = _OPERATOR_ROW.take(values), _PLAYER_ROW.take(values)
    return grant


def _pending_issuances(operator: Operator, adapter_slug: str, event: PlatformEventBody) -> Any:
    issuances = BonusIssuance.objects.for_operator(operator)
    if event.grant_id is None:
        return issuances.none()
    return issuances.filter(
        adapter_slug=adapter_slug,
        is_internal=False,
        grant_id=event.grant_id,
        status=IssuanceStatus.PENDING,
    )


def _no_such_bonus() -> NotFound:
    return NotFound("There is no such bonus grant.")


def _remember(
    operator: Operator, adapter_slug: str, event: PlatformEventBody, *, now: datetime
) -> PlatformEvent | None:
    """
    Write the event's row, or return None if somebody else has.

    A delivery of the same event that is under way is waited for: if it fails, the row is ours.
    """
    row = PlatformEvent(
        operator=operator,
        adapter_slug=adapter_slug,
        event_id=event.event_id,
        type=event.type,
        digest=event.digest,
        payload=event.to_json(),
        # Until it is settled, further down in this transaction; nobody sees it before.
        outcome=EventOutcome.UNSUPPORTED_EVENT,
        received_at=now,
    )
    cursor = prepared_cursor()
    cursor.execute(
        _REMEMBER,
        [
            *(operator.pk, row.adapter_slug, row.event_id, row.type, row.digest),
            *(json.dumps(row.payload), row.outcome, now),
        ],
    )
    written = cursor.fetchone()
    if written is None:
        return None
    (row.pk,) = written
    row._state.adding = False
    return row


def _decide(
    row: PlatformEvent, grant: BonusGrant, event: PlatformEventBody, *, now: datetime
) -> SyncResult:
    """Apply the event to a grant, which this transaction holds, unless that has ended."""
    if not grant.is_active:
        return _settle(row, EventOutcome.TERMINAL_IMMUTABLE, grant=grant)
    with write_together() as writes:
        _apply(grant, event, writes=writes, now=now)
        failpoint("state_sync.after_effect")
        row.applied_at = now
        return _note(row, EventOutcome.APPLIED, grant=grant, writes=writes)


def _settle(row: PlatformEvent, outcome: EventOutcome, *, grant: BonusGrant | None) -> SyncResult:
    with write_together() as writes:
        return _note(row, outcome, grant=grant, writes=writes)


def _note(
    row: PlatformEvent, outcome: EventOutcome, *, grant: BonusGrant | None, writes: Writes
) -> SyncResult:
    row.outcome = outcome
    row.grant = grant
    row.new_status = "" if grant is None else str(grant.status)
    writes.add(
        "UPDATE bonuses_platformevent SET outcome = %s, grant_id = %s, issuance_id = %s,"
        " new_status = %s, applied_at = %s WHERE id = %s",
        [outcome, row.grant_id, row.issuance_id, row.new_status, row.applied_at, row.pk],
    )
    is_applied = outcome == EventOutcome.APPLIED
    return SyncResult(
        applied=is_applied,
        new_status=row.new_status or None,
        reason=None if is_applied else str(outcome),
    )


def _apply(grant: BonusGrant, event: PlatformEventBody, *, writes: Writes, now: datetime) -> None:
    if event.type == PlatformEventType.CREDITED:
        _activate(grant, event, now=now)
    elif event.type == PlatformEventType.WAGERED:
        _advance(grant, event, writes=writes, now=now)
    else:
        _end(grant, event, now=now)


def _activate(grant: BonusGrant, event: PlatformEventBody, *, now: datetime) -> None:
    """Note when the bonus was credited; one that needs no wagering is then complete."""
    if grant.activated_at is not None:
        return
    grant.activated_at = now
    grant.save(update_fields=["activated_at"])
    after = {"activated_at": format_instant(now)}
    if event.ts is not None:
        after["platform_at"] = format_instant(event.ts)
    audit.record_action(
        operator=grant.operator,
        actor=_platform_of(grant),
        action="bonus.grant.activated",
        subject=grant,
        before={"activated_at": None},
        after=after,
        now=now,
    )
    if grant.wagering_required == 0:
        endings.complete_grant(
            grant=grant, actor=_platform_of(grant), now=now, platform_at=event.ts
        )


def _advance(grant: BonusGrant, event: PlatformEventBody, *, writes: Writes, now: datetime) -> None:
    """
    Add to the wagering. The requirement met ends nothing here: that is the platform's to say.

    The row is append-only and names its event, so it needs no further entry in the trail.
    """
    wagered = _amount(event.wagered_amount_subunit, grant)
    weighted = _amount(event.weighted_progress_subunit, grant)
    if max(grant.total_wagered + wagered, grant.wagering_progress + weighted) >= AMOUNT_LIMIT:
        raise InvalidEvent("The grant's wagering would be more than can be stored.")
    add_wager_events(
        brought=[(grant, weighted)],
        source=f"event:{event.event_id}",
        wagered=wagered,
        writes=writes,
        now=now,
    )


def _end(grant: BonusGrant, event: PlatformEventBody, *, now: datetime) -> None:
    actor = _platform_of(grant)
    match event.type:
        case PlatformEventType.COMPLETED:
            endings.complete_grant(grant=grant, actor=actor, now=now, platform_at=event.ts)
        case PlatformEventType.EXPIRED:
            endings.expire_grant(grant=grant, actor=actor, now=now, platform_at=event.ts)
        case PlatformEventType.CANCELLED:
            endings.cancel_grant_locked(
                grant=grant, reason=event.reason, actor=actor, now=now, platform_at=event.ts
            )
        case PlatformEventType.FORFEITED:
            endings.forfeit_grant_locked(
                grant=grant, reason=event.reason, actor=actor, now=now, platform_at=event.ts
            )
        case other:
            raise AssertionError(f"{other} has no effect")


def _platform_of(grant: BonusGrant) -> Actor:
    return Actor(kind=ActorKind.PLATFORM, ref=grant.adapter_slug)


def _check_amounts(event: PlatformEventBody) -> None:
    for name in ("wagered_amount_subunit", "weighted_progress_subunit"):
        subunits: int | None = getattr(event, name)
        if subunits is None:
            if event.type == PlatformEventType.WAGERED:
                raise InvalidEvent(f"{event.type} needs {name}.")
        elif not 0 <= subunits <= SUBUNITS_MAX:
            raise InvalidEvent(f"{name} is not an amount.")


def _amount(subunits: int | None, grant: BonusGrant) -> Decimal:
    assert subunits is not None, "checked before"
    return EXACT.multiply(Decimal(subunits), money.get_currency(grant.bonus_currency).minor_unit)
