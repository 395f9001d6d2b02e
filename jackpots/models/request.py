"""Contributions that were promised with a 202, and are applied by a worker."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from core.models import id_floor, new_id
from core.querysets import OperatorQuerySet
from jackpots.enums import RequestStatus


class ContributionRequestQuerySet(OperatorQuerySet["ContributionRequest"]):
    def pending(self) -> Self:
        """Requests that have not been applied yet."""
        return self.filter(status=RequestStatus.PENDING)

    def due(self, *, now: datetime) -> Self:
        """Requests to apply (again) now."""
        return self.pending().filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=now))

    def ended_before(self, instant: datetime) -> Self:
        """Requests made before ``instant`` that have been applied, or refused."""
        # Ids grow with time, and are the order in which old ones are found.
        return self.filter(pk__lt=id_floor(instant)).exclude(status=RequestStatus.PENDING)


class ContributionRequest(models.Model):
    """
    One contribution request that was answered 202: written before the answer, applied once.

    ``id`` is the request_id of the contributions that it leads to. ``answer`` is the stored
    answer of a request that is done, ``error`` the problem document of one that failed.
    One that has ended goes after CONTRIBUTION_REQUEST_DAYS; the keys of promise and effect,
    which make it happen once, are kept for ever (core.idempotency).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    instance_id = models.UUIDField()
    wager = models.JSONField(help_text="The body as it was validated; amounts are strings.")
    status = models.CharField(
        max_length=8, choices=RequestStatus.choices, default=RequestStatus.PENDING
    )
    answer = models.JSONField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    received_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(
        default=0, help_text="How often it could not be applied, through no fault of its own."
    )
    next_attempt_at = models.DateTimeField(
        null=True, blank=True, help_text="Not before; null: at once."
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(ContributionRequestQuerySet)()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="contribution_request_state_has_its_facts",
                condition=Q(status=RequestStatus.PENDING, answer=None, error=None, finished_at=None)
                | Q(
                    status=RequestStatus.DONE,
                    answer__isnull=False,
                    error=None,
                    finished_at__isnull=False,
                )
                | Q(
                    status=RequestStatus.FAILED,
                    answer=None,
                    error__isnull=False,
                    finished_at__isnull=False,
                ),
            )
        ]
        indexes: ClassVar = [
            models.Index(
                name="contribution_request_pending",
                fields=["id"],
                condition=Q(status=RequestStatus.PENDING),
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)
