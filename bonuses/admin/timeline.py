"""Everything that happened to a grant: decisions, money, bets, and what its platform said."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Count, Max, Min, Sum
from django.utils.dateparse import parse_datetime

from bonuses.admin.issuances import SAID as ISSUANCES_SAID
from bonuses.models import BonusGrant, PlatformEvent, WagerEvent
from core.admin.display import amount_text, instant_text, url_of
from core.admin.timeline import AFTER_DECISIONS, TimelineEvent, decisions_about
from wallets.selectors import list_transfers

SAID = {
    **ISSUANCES_SAID,
    "bonus.grant.issued": "Issued",
    "bonus.grant.activated": "Credited: it is active",
    "bonus.grant.completed": "Completed: the requirement was wagered",
    "bonus.grant.forfeited": "Forfeited",
    "bonus.grant.expired": "Expired",
    "bonus.grant.cancelled": "Cancelled",
}
_MOVES = {
    "credit": "Credited to the bonus money",
    "release": "Released to the main balance",
    "excess": "Held back above the win cap",
    "clawback": "Taken back",
}
_EVENTS_MAX = 100


def timeline_of(grant: BonusGrant) -> Iterator[TimelineEvent]:
    """Yield what happened to the grant and to the issuance that it came of."""
    for subject_type, key in (
        ("bonuses.bonusissuance", grant.issuance_id),
        ("bonuses.bonusgrant", grant.pk),
    ):
        yield from decisions_about(
            subject_type,
            [key],
            said=SAID,
            describe=lambda after: detail_of(after, grant.bonus_currency),
        )
    yield from _transfers(grant)
    yield from _platform_events(grant)
    yield from _bets(grant)


def _transfers(grant: BonusGrant) -> Iterator[TimelineEvent]:
    said = {f"bonus:{grant.pk}:{move}": words for move, words in _MOVES.items()}
    for transfer in list_transfers(operator=grant.operator, references=said):
        yield TimelineEvent(
            at=transfer.posted_at,
            order=AFTER_DECISIONS + transfer.pk,
            what=said[transfer.reference],
            amount=amount_text(transfer.amount, transfer.currency),
            url=url_of("wallets.transfer", transfer.pk),
        )


def _platform_events(grant: BonusGrant) -> Iterator[TimelineEvent]:
    events = PlatformEvent.objects.filter(grant=grant).order_by("pk")[:_EVENTS_MAX]
    for event in events:
        yield TimelineEvent(
            at=event.received_at,
            order=event.pk,
            what=f"The platform said {event.type}",
            detail=event.get_outcome_display(),
            who=f"Platform: {event.adapter_slug}",
            url=url_of("bonuses.platformevent", event.pk),
        )


def _bets(grant: BonusGrant) -> Iterator[TimelineEvent]:
    """Yield all bets as one event: a grant may have thousands."""
    figures = WagerEvent.objects.filter(grant=grant).aggregate(
        count=Count("pk"),
        first=Min("created_at"),
        last=Max("created_at"),
        wagered=Sum("wagered_amount"),
        weighted=Sum("weighted_amount"),
    )
    count = figures["count"]
    if not count:
        return
    wagered = amount_text(figures["wagered"], grant.bonus_currency)
    weighted = amount_text(figures["weighted"], grant.bonus_currency)
    since = "" if count == 1 else f", since {instant_text(figures['first'])} UTC"
    yield TimelineEvent(
        at=figures["last"],
        # The bet that completes a grant comes before its completion.
        order=0,
        what=f"{count:,} bet{'' if count == 1 else 's'} advanced the wagering",
        detail=f"{wagered} staked, {weighted} counted{since}",
    )


def detail_of(after: dict[str, Any], currency: str) -> str:
    """Return the amounts of an entry about a grant, and when it was by the platform, for people."""
    told = [
        ("bonus", after.get("bonus_amount"), after.get("bonus_currency") or currency),
        ("to wager", after.get("wagering_required"), currency),
        ("released", after.get("released_amount"), currency),
        ("above the cap", after.get("excess_amount"), currency),
        ("taken back", after.get("clawback_amount"), currency),
        ("stake", after.get("stake"), currency),
    ]
    parts = [
        f"{name} {amount_text(amount, unit)}"
        for name, value, unit in told
        if (amount := _amount(value))
    ]
    at = after.get("platform_at")
    if isinstance(at, str) and (instant := parse_datetime(at)) is not None:
        parts.append(f"by the platform's clock {instant_text(instant)} UTC")
    return ", ".join(parts)


def _amount(value: Any) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None
