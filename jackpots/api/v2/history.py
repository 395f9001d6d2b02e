"""Contributions over HTTP, once they are made: the list, and each of them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet, prefetch_related_objects
from django_filters import rest_framework as filters  # type: ignore[import-untyped]
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.serializers import CurrencyField, InstantField, MoneyField, ReferenceField
from core.api.views import WindfallView
from core.errors import NotFound
from core.instants import format_instant
from core.money import format_amount
from jackpots import errors
from jackpots.api.serializers import LegErrorSerializer, PotAmountSerializer, TicketsSerializer
from jackpots.api.v2.rollbacks import RefundSerializer, represent_debit, represent_parts
from jackpots.enums import Outcome, Role
from jackpots.models import Contribution, RollbackLoss
from operators.enums import Scope
from operators.models import Operator
from operators.requests import calling_operator
from players.rules import can_be_reference, canonical_reference

ROLLED_BACK = "rolled_back"
_STATUSES = [
    (Outcome.ACCEPTED.value, "Accepted"),
    (Outcome.FAILED.value, "Failed"),
    (ROLLED_BACK, "Rolled back"),
]


class ContributionRecordSerializer(serializers.Serializer[Any]):
    """One leg of a request, as it was made, and whether it was rolled back."""

    contribution_id = serializers.UUIDField()
    request_id = serializers.UUIDField()
    instance_id = serializers.UUIDField()
    role = serializers.ChoiceField(choices=Role.choices)
    player_id = ReferenceField()
    status = serializers.ChoiceField(choices=_STATUSES)
    base_wager = MoneyField()
    base_currency = CurrencyField()
    amount = MoneyField()
    currency = CurrencyField()
    pots = PotAmountSerializer(many=True)
    paid = RefundSerializer(allow_null=True, help_text="By the player, where players pay.")
    tickets = TicketsSerializer(allow_null=True)
    gameround_id = serializers.CharField(allow_null=True)
    metadata = serializers.DictField(allow_null=True, help_text="Kept with the main leg.")
    error = LegErrorSerializer(allow_null=True)
    created_at = InstantField()
    rolled_back_at = InstantField(allow_null=True)
    house_loss = MoneyField(
        allow_null=True,
        help_text="Rolled back: what had been won by then, as far as it is known.",
    )


class ContributionFilter(filters.FilterSet):  # type: ignore[misc]
    """Which contributions to list."""

    instance_id = filters.UUIDFilter(field_name="instance_id")
    player_id = filters.CharFilter(method="of_player")
    status = filters.ChoiceFilter(choices=_STATUSES, method="of_status")

    def of_player(
        self, queryset: "QuerySet[Contribution]", name: str, value: str
    ) -> "QuerySet[Contribution]":
        """Keep the contributions of the player with that id, or none."""
        reference = canonical_reference(value)
        if not can_be_reference(reference):
            return queryset.none()
        return queryset.filter(player__reference=reference)

    def of_status(
        self, queryset: "QuerySet[Contribution]", name: str, value: str
    ) -> "QuerySet[Contribution]":
        """Keep what stands, what failed, or what was rolled back."""
        if value == ROLLED_BACK:
            # Said twice, so that the index of what was rolled back is of use.
            return queryset.filter(
                reversal__status=Outcome.REVERSAL, reversal__operator=F("operator")
            )
        if value == Outcome.ACCEPTED:
            # Not `reversal=None`: the planner would think that hardly any row is left.
            reversals = Contribution.objects.filter(reverses=OuterRef("pk"))
            queryset = queryset.filter(~Exists(reversals))
        return queryset.filter(status=value)


class ContributionListView(WindfallView, generics.GenericAPIView[Contribution]):
    """The contributions of an operator's players."""

    scopes: ClassVar = {"GET": Scope.READ}
    serializer_class = ContributionRecordSerializer
    pagination_class = NewestIdFirst
    filterset_class = ContributionFilter
    queryset = Contribution.objects.none()

    @extend_schema(
        operation_id="jackpot_contributions_list",
        responses={
            (200, "application/json"): ContributionRecordSerializer(many=True),
            **problems(400),
        },
    )
    def get(self, request: Request) -> Response:
        """List contributions leg by leg, newest first; legs that failed, too."""
        found = _made_for(calling_operator(request))
        page = self.paginate_queryset(self.filter_queryset(found)) or []
        return self.get_paginated_response(_represent(page))


class ContributionRecordView(WindfallView):
    """One contribution."""

    scopes: ClassVar = {"GET": Scope.READ}

    @extend_schema(
        operation_id="jackpot_contributions_retrieve",
        responses={200: ContributionRecordSerializer, **problems(404)},
    )
    def get(self, request: Request, contribution_id: UUID) -> Response:
        """Return one leg of a request."""
        found = _made_for(calling_operator(request)).filter(pk=contribution_id).first()
        if found is None:
            raise NotFound("There is no such contribution.")
        return Response(_represent([found])[0])


def _made_for(operator: Operator) -> "QuerySet[Contribution]":
    return (
        Contribution.objects.for_operator(operator)
        .exclude(status=Outcome.REVERSAL)
        .select_related("player", "reversal", "instance")
    )


def _represent(page: Sequence[Contribution]) -> list[dict[str, Any]]:
    """Return contributions as they are shown, in the same number of statements however many."""
    prefetch_related_objects([leg.instance for leg in page], "pots")
    reversals = [leg.reversal.pk for leg in page if hasattr(leg, "reversal")]
    losses: dict[UUID, Decimal] = {}
    for reversal_id, amount in RollbackLoss.objects.filter(reversal__in=reversals).values_list(
        "reversal_id", "amount"
    ):
        losses[reversal_id] = losses.get(reversal_id, Decimal(0)) + amount
    return [_represent_record(leg, losses=losses) for leg in page]


def _represent_record(leg: Contribution, *, losses: dict[UUID, Decimal]) -> dict[str, Any]:
    reversal = getattr(leg, "reversal", None)
    loss = None if reversal is None else losses.get(reversal.pk)
    return {
        "contribution_id": str(leg.pk),
        "request_id": str(leg.request_id),
        "instance_id": str(leg.instance_id),
        "role": leg.role,
        "player_id": leg.player.reference,
        "status": leg.status if reversal is None else ROLLED_BACK,
        "base_wager": format_amount(leg.base_wager, leg.base_currency),
        "base_currency": leg.base_currency,
        "amount": format_amount(leg.amount, leg.currency),
        "currency": leg.currency,
        "pots": represent_parts(leg, instance=leg.instance),
        "paid": represent_debit(leg),
        "tickets": None
        if leg.tickets_total is None
        else {"earned": leg.tickets_earned, "total": leg.tickets_total},
        "gameround_id": leg.gameround_id or None,
        "metadata": leg.metadata,
        "error": None
        if not leg.error_code
        else {"code": leg.error_code, "detail": errors.refusal(leg.error_code).detail},
        "created_at": format_instant(leg.created_at),
        "rolled_back_at": None if reversal is None else format_instant(reversal.created_at),
        "house_loss": None if loss is None else format_amount(loss, leg.currency),
    }
