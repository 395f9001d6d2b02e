"""What operators were told of a player, for the timeline on the player's page."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from adapters.enums import DeliveryStatus
from adapters.models import WebhookDelivery
from bonuses.selectors import list_grants
from core.admin.display import url_of
from core.admin.history import SUBJECTS_MAX, HistoryEvent, Window, history_of
from core.admin.timeline import AFTER_DECISIONS, TimelineEvent
from jackpots.standing import list_newest_win_ids
from players.models import Player
from promos.selectors import list_user_promos


@history_of(
    "players.player",
    kind="webhooks",
    title="Webhooks",
    order=60,
    permission="adapters.view_webhookdelivery",
)
def webhook_events(request: HttpRequest, player: Player, window: Window) -> Iterator[HistoryEvent]:
    """Yield the messages about the player's claims, grants and wins, and whether they arrived."""
    operator = player.operator
    claims = list_user_promos(operator=operator).filter(player=player, **window.up_to("claimed_at"))
    grants = list_grants(operator=operator).filter(player=player, **window.up_to("granted_at"))
    wins = list_newest_win_ids(player=player, until=window.until, count=SUBJECTS_MAX)
    about = (
        _about("promos.userpromo", _newest(claims))
        | _about("bonuses.bonusgrant", _newest(grants))
        | _about("jackpots.win", wins)
    )
    found = WebhookDelivery.objects.filter(about, **window.up_to("created_at"))
    for delivery in found.select_related("endpoint").order_by("-created_at", "-pk")[: window.size]:
        yield HistoryEvent(
            TimelineEvent(
                at=delivery.created_at,
                # Told after the decision, and after the money that it moved.
                order=2 * AFTER_DECISIONS,
                what=f"Told to an endpoint: {delivery.topic}",
                detail=_outcome_of(delivery),
                who="Webhook",
                url=url_of("adapters.webhookdelivery", delivery.pk),
            )
        )


def _newest(rows: QuerySet[Any]) -> list[Any]:
    return list(rows.order_by("-pk").values_list("pk", flat=True)[:SUBJECTS_MAX])


def _about(subject_type: str, ids: list[Any]) -> Q:
    return Q(message__subject_type=subject_type, message__subject_id__in=[str(pk) for pk in ids])


def _outcome_of(delivery: WebhookDelivery) -> str:
    status = DeliveryStatus(delivery.status)
    failed = status != DeliveryStatus.DELIVERED and delivery.last_error
    return f"{status.label}: {delivery.last_error}" if failed else status.label
