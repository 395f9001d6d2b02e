"""Builds requests and limits, without running the services under test."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import factory

from approvals.enums import ApprovalStatus
from approvals.models import Approval, ApprovalSettings
from approvals.rules import fingerprint_of
from core.actors import ActorKind
from core.models import new_id
from tests.factories.operators import OperatorFactory

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class ApprovalSettingsFactory(factory.django.DjangoModelFactory[ApprovalSettings]):
    """An operator's limits, as they are without a row."""

    class Meta:
        model = ApprovalSettings

    operator = factory.SubFactory(OperatorFactory)


class ApprovalFactory(factory.django.DjangoModelFactory[Approval]):
    """
    A request by staff number 7 to take 600 dollars, which waits for three days.

    Give ``subject``, a row, for one that is about something; ``decided`` for one that has
    been applied or rejected, by staff number 8 an hour later.
    """

    class Meta:
        model = Approval
        exclude = ("subject",)
        skip_postgeneration_save = True

    operator = factory.SubFactory(OperatorFactory)
    subject: Any = None
    kind = "clawback"
    subject_type = factory.LazyAttribute(
        lambda asked: asked.subject._meta.label_lower if asked.subject else "promos.userpromo"
    )
    subject_id = factory.LazyAttribute(
        lambda asked: str(asked.subject.pk if asked.subject else new_id())
    )
    payload = factory.LazyFunction(
        lambda: {"code": "WELCOME100", "player_id": "ada", "amount": "600.00", "currency": "USD"}
    )
    fingerprint = factory.LazyAttribute(
        lambda asked: fingerprint_of(
            kind=asked.kind,
            operator_id=asked.operator.pk,
            subject_type=asked.subject_type,
            subject_id=asked.subject_id,
            payload=asked.payload,
        )
    )
    summary = factory.LazyFunction(lambda: ["Cancel WELCOME100 of ada and take 600.00 USD"])
    amount = Decimal(600)
    currency = "USD"
    reason = "Played with two accounts"
    requested_by_kind = ActorKind.STAFF
    requested_by_ref = "7"
    requested_at = LONG_AGO
    expires_at = factory.LazyAttribute(lambda asked: asked.requested_at + timedelta(hours=72))

    @factory.post_generation
    def decided(self: Any, create: bool, status: ApprovalStatus | None, **_kwargs: Any) -> None:
        # A request begins as one (trigger): what was decided was asked for before.
        if status is None:
            return
        decide: Callable[..., Any] = Approval.objects.filter(pk=self.pk).update
        decide(
            status=status,
            decided_by_kind=ActorKind.STAFF,
            decided_by_ref="8",
            decided_at=self.requested_at + timedelta(hours=1),
            decision_reason="Agreed",
            outcome="It was done." if status == ApprovalStatus.APPLIED else "",
        )
