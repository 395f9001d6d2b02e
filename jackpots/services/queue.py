"""What of jackpots waits for a second person, for the one queue of all of it."""

from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Concat

from approvals.ports import QueueSource
from approvals.selectors import queue_rows, text
from jackpots.enums import BoostStatus, WinStatus
from jackpots.models import Boost, Win


def _boosts() -> QuerySet[Any]:
    return queue_rows(
        Boost.objects.all(),
        source="boost",
        about=_sentence("pot__name", text(" of "), "pot__instance__name"),
        currency="pot__instance__currency",
    )


def _wins() -> QuerySet[Any]:
    return queue_rows(
        Win.objects.all(),
        source="win",
        about=_sentence(
            "player__reference", text(", pot "), "pot__name", text(" of "), "instance__name"
        ),
        asked_at="found_at",
        asked_by="initiated_by",
        expires_at=None,
    )


def _sentence(*parts: Any) -> Concat:
    return Concat(*parts, output_field=TextField())


BOOSTS = QueueSource(
    name="boost",
    title="Boost",
    model_label="jackpots.boost",
    view_permission="jackpots.view_boost",
    decide_permission="jackpots.approve_boost",
    rows=_boosts,
    is_waiting=Q(status=BoostStatus.REQUESTED),
    is_decided=Q(decided_at__isnull=False),
    asked_field="requested_at",
    decided_field="decided_at",
    expires_field="expires_at",
    words={
        BoostStatus.REQUESTED: "Waiting",
        BoostStatus.APPLIED: "Applied",
        BoostStatus.REJECTED: "Rejected",
    },
    verbs=(("Apply", "apply"), ("Reject", "reject")),
)

#: Below the threshold nobody decides a win, so those are never here.
WINS = QueueSource(
    name="win",
    title="Win",
    model_label="jackpots.win",
    view_permission="jackpots.view_win",
    decide_permission="jackpots.approve_win",
    rows=_wins,
    is_waiting=Q(status=WinStatus.AWAITING_APPROVAL),
    is_decided=Q(decided_at__isnull=False),
    asked_field="found_at",
    decided_field="decided_at",
    words={
        WinStatus.AWAITING_APPROVAL: "Waiting",
        WinStatus.PAYABLE: "Approved",
        WinStatus.PAID: "Approved and paid",
        WinStatus.REJECTED: "Rejected",
    },
    verbs=(("Approve", "approve"), ("Reject", "reject")),
)
