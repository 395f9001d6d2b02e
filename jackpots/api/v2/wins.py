"""Wins over HTTP: found by themselves, decided by a second person where they are large."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters  # type: ignore[import-untyped]
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.actors import ActorKind
from core.api.idempotency import respond_once
from core.api.pagination import NewestFirst
from core.api.problem_schema import problems
from core.api.serializers import (
    BodySerializer,
    CurrencyField,
    DecimalStringField,
    InstantField,
    MoneyField,
    TextField,
    parsed,
)
from core.api.views import WindfallView
from jackpots.enums import WinCause, WinStatus
from jackpots.models import Win
from jackpots.representations import represent_win
from jackpots.services.wins import REASON_LENGTH_MAX, approve_win, reject_win
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator
from players.rules import can_be_reference, canonical_reference


class ApproveWinSerializer(BodySerializer[Any]):
    """A word on the decision; it is kept."""

    reason = TextField(required=False, max_length=REASON_LENGTH_MAX)


class RejectWinSerializer(BodySerializer[Any]):
    """Why; it is kept."""

    reason = TextField(max_length=REASON_LENGTH_MAX)


class WinActorSerializer(serializers.Serializer[Any]):
    """Who made a pot drop, or decided about a win."""

    kind = serializers.ChoiceField(choices=ActorKind.choices)
    ref = serializers.CharField()


class WinSerializer(serializers.Serializer[Any]):
    """What a pot or a raffle gave a player, on its way to them."""

    id = serializers.UUIDField()
    instance_id = serializers.UUIDField()
    pot_id = serializers.IntegerField()
    pot = serializers.CharField()
    cycle = serializers.IntegerField(help_text="Of the pot: from one win to the next.")
    cause = serializers.ChoiceField(choices=WinCause.choices)
    contribution_id = serializers.UUIDField(allow_null=True)
    draw_id = serializers.UUIDField(allow_null=True)
    draw_position = serializers.IntegerField(allow_null=True)
    prize = serializers.CharField(allow_null=True)
    player_id = serializers.CharField()
    amount = MoneyField(help_text="In the instance's currency.")
    currency = CurrencyField()
    status = serializers.ChoiceField(choices=WinStatus.choices)
    trigger = MoneyField(allow_null=True, help_text="The hidden amount, revealed.")
    trigger_nonce = serializers.CharField(allow_null=True)
    commitment = serializers.CharField(
        allow_null=True,
        help_text="What was published of it: SHA-256 of `pot_id:cycle:trigger:trigger_nonce`.",
    )
    initiated_by = WinActorSerializer()
    found_at = InstantField()
    decided_by = WinActorSerializer(allow_null=True)
    decided_at = InstantField(allow_null=True)
    decision_reason = serializers.CharField(allow_null=True)
    payout_amount = MoneyField(allow_null=True, help_text="In the player's currency.")
    payout_currency = CurrencyField(allow_null=True)
    payout_rate = DecimalStringField(allow_null=True)
    payout_rate_at = InstantField(allow_null=True)
    adapter_slug = serializers.CharField(
        allow_null=True, help_text="Through which it is paid; null: nobody was asked yet."
    )
    platform_payout_id = serializers.CharField(allow_null=True)
    attempts = serializers.IntegerField()
    next_attempt_at = InstantField(allow_null=True)
    last_error = serializers.CharField(
        allow_null=True, help_text="Why the last attempt to pay failed."
    )
    paid_at = InstantField(allow_null=True)


class WinsNewestFirst(NewestFirst):
    """Newest first; ids of wins that follow from a contribution's are in no order of time."""

    ordering = ("-found_at", "-pk")
    # All wins of one draw have one instant, and a cursor counts among equals.
    offset_cutoff = 100_000


class WinFilter(filters.FilterSet):  # type: ignore[misc]
    """Which wins to list."""

    instance_id = filters.UUIDFilter(field_name="instance_id")
    player_id = filters.CharFilter(method="of_player")
    status = filters.ChoiceFilter(choices=WinStatus.choices)

    def of_player(self, queryset: "QuerySet[Win]", name: str, value: str) -> "QuerySet[Win]":
        """Keep the wins of the player with that id, or none."""
        reference = canonical_reference(value)
        if not can_be_reference(reference):
            return queryset.none()
        return queryset.filter(player__reference=reference)


class WinListView(WindfallView, generics.GenericAPIView[Win]):
    """The wins of an operator's players."""

    scopes: ClassVar = {"GET": Scope.READ}
    serializer_class = WinSerializer
    pagination_class = WinsNewestFirst
    filterset_class = WinFilter
    queryset = Win.objects.none()

    @extend_schema(
        operation_id="jackpot_wins_list",
        responses={(200, "application/json"): WinSerializer(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List wins, newest first."""
        wins = Win.objects.for_operator(calling_operator(request))
        found = self.filter_queryset(wins.select_related("pot", "prize", "player"))
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response([represent_win(win) for win in page])


class WinApprovalView(WindfallView):
    """Approve a win."""

    scopes: ClassVar = {"POST": Scope.MANAGE}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="jackpot_wins_approve",
        request=ApproveWinSerializer,
        responses={200: WinSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, win_id: UUID) -> Response:
        """
        Let a win that is above the operator's threshold be paid.

        A key that made the pot drop hears `SECOND_PERSON_REQUIRED`: another one decides.
        """
        body = parsed(ApproveWinSerializer, request.data)
        return _decide(request, approve_win, win_id, reason=body.get("reason", ""))


class WinRejectionView(WindfallView):
    """Reject a win."""

    scopes: ClassVar = {"POST": Scope.MANAGE}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="jackpot_wins_reject",
        request=RejectWinSerializer,
        responses={200: WinSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, win_id: UUID) -> Response:
        """Refuse to pay a win that is above the threshold: it goes into the pot's reserve."""
        body = parsed(RejectWinSerializer, request.data)
        return _decide(request, reject_win, win_id, reason=body["reason"])


def _decide(
    request: Request, service: Callable[..., Win], win_id: UUID, *, reason: str
) -> Response:
    operator, now = calling_operator(request), timezone.now()

    def command() -> tuple[int, Any]:
        win = service(
            operator=operator,
            win_id=win_id,
            reason=reason,
            actor=calling_actor(request),
            now=now,
        )
        return 200, represent_win(win)

    return respond_once(request, operator=operator, now=now, command=command)
