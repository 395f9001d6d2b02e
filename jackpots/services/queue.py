"""What of jackpots waits for a second person, for the one queue of all of it."""

from typing import Any

from django.db.models import F, Q, QuerySet, TextField
from django.db.models.functions import Cast, Concat

from approvals.ports import QueueSource
from approvals.selectors import no_instant, text
from jackpots.enums import BoostStatus, WinStatus
from jackpots.models import Boost, Win


def _boosts() -> QuerySet[Any]:
    return Boost.objects.annotate(
        queue_source=text("boost"),
        queue_id=Cast("pk", TextField()),
        queue_operator_id=F("operator_id"),
        queue_operator=F("operator__name"),
        queue_kind=text("boost"),
        queue_about=Concat(
            "pot__name", text(" of "), "pot__instance__name", output_field=TextField()
        ),
        queue_amount=F("amount"),
        queue_currency=F("pot__instance__currency"),
        queue_asked_at=F("requested_at"),
        queue_asked_by_kind=F("requested_by_kind"),
        queue_asked_by_ref=F("requested_by_ref"),
        queue_expires_at=F("expires_at"),
        queue_status=F("status"),
        queue_decided_at=F("decided_at"),
        queue_decided_by_kind=F("decided_by_kind"),
        queue_decided_by_ref=F("decided_by_ref"),
    )


def _wins() -> QuerySet[Any]:
    return Win.objects.annotate(
        queue_source=text("win"),
        queue_id=Cast("pk", TextField()),
        queue_operator_id=F("operator_id"),
        queue_operator=F("operator__name"),
        queue_kind=text("win"),
        queue_about=Concat(
            "player__reference",
            text(", pot "),
            "pot__name",
            text(" of "),
            "instance__name",
            output_field=TextField(),
        ),
        queue_amount=F("amount"),
        queue_currency=F("currency"),
        queue_asked_at=F("found_at"),
        queue_asked_by_kind=F("initiated_by_kind"),
        queue_asked_by_ref=F("initiated_by_ref"),
        queue_expires_at=no_instant(),
        queue_status=F("status"),
        queue_decided_at=F("decided_at"),
        queue_decided_by_kind=F("decided_by_kind"),
        queue_decided_by_ref=F("decided_by_ref"),
    )


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
