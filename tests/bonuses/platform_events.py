"""What a platform says, for the tests of what comes of it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from bonuses.models import BonusGrant, PlatformEvent
from bonuses.services import state_sync
from bonuses.services.state_sync import PlatformEventBody, SyncResult

TS = datetime(2026, 3, 28, 12, 30, tzinfo=UTC)


def event_of(named: UUID | None, kind: str = "credited", **kwargs: Any) -> PlatformEventBody:
    kwargs.setdefault("event_id", f"evt-{uuid4()}")
    if kind == "wagered":
        kwargs = {"wagered_amount_subunit": 1000, "weighted_progress_subunit": 50, **kwargs}
    return PlatformEventBody(
        **{"type": f"bonus.{kind}", "ts": TS, "digest": "d" * 64, "grant_id": named, **kwargs}
    )


def apply(grant: Any, event: PlatformEventBody, *, now: datetime = TS) -> SyncResult:
    return state_sync.apply_platform_event(
        operator=grant.operator, adapter_slug=grant.adapter_slug, event=event, now=now
    )


def stored(grant: BonusGrant) -> BonusGrant:
    return BonusGrant.objects.get(pk=grant.pk)


def row_of(event: PlatformEventBody) -> PlatformEvent:
    return PlatformEvent.objects.get(event_id=event.event_id)
