"""Boosts over HTTP: house money for a pot, asked for with one key and put in with another."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from django_filters import rest_framework as filters  # type: ignore[import-untyped]
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.actors import ActorKind
from core.api.idempotency import respond_once
from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.serializers import (
    BodySerializer,
    CurrencyField,
    InstantField,
    MoneyField,
    TextField,
    parsed,
)
from core.api.views import WindfallView
from core.instants import format_instant
from core.money import format_amount
from jackpots.enums import BoostStatus
from jackpots.models import Boost
from jackpots.services.boosts import apply_boost, reject_boost, request_boost
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator


class RequestBoostSerializer(BodySerializer[Any]):
    """How much, in the instance's currency, and why."""

    amount = MoneyField()
    reason = TextField(max_length=500)


class ApplyBoostSerializer(BodySerializer[Any]):
    """A word on the decision; it is kept."""

    reason = TextField(required=False, max_length=500)


class RejectBoostSerializer(BodySerializer[Any]):
    """Why; it is kept."""

    reason = TextField(max_length=500)


class BoostActorSerializer(serializers.Serializer[Any]):
    """Who asked for a boost, or decided about it."""

    kind = serializers.ChoiceField(choices=ActorKind.choices)
    ref = serializers.CharField()


class BoostSerializer(serializers.Serializer[Any]):
    """A request for house money in a pot, and what became of it."""

    id = serializers.UUIDField()
    instance_id = serializers.UUIDField()
    pot = serializers.CharField()
    amount = MoneyField()
    currency = CurrencyField()
    reason = serializers.CharField()
    status = serializers.ChoiceField(choices=BoostStatus.choices)
    requested_by = BoostActorSerializer()
    requested_at = InstantField()
    expires_at = InstantField(help_text="Exclusive: from then on it can only be rejected.")
    decided_by = BoostActorSerializer(allow_null=True)
    decided_at = InstantField(allow_null=True)
    decision_reason = serializers.CharField(allow_null=True)


class BoostFilter(filters.FilterSet):  # type: ignore[misc]
    """Which boosts to list."""

    instance_id = filters.UUIDFilter(field_name="pot__instance_id")
    pot = filters.CharFilter(field_name="pot__name", max_length=64)
    status = filters.ChoiceFilter(choices=BoostStatus.choices)


class BoostListView(WindfallView, generics.GenericAPIView[Boost]):
    """The boosts of an operator's pots."""

    scopes: ClassVar = {"GET": Scope.READ}
    serializer_class = BoostSerializer
    pagination_class = NewestIdFirst
    filterset_class = BoostFilter
    queryset = Boost.objects.none()

    @extend_schema(
        operation_id="jackpot_boosts_list",
        responses={(200, "application/json"): BoostSerializer(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List boosts, newest first."""
        boosts = Boost.objects.for_operator(calling_operator(request))
        found = self.filter_queryset(boosts.select_related("pot__instance"))
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response([represent_boost(boost) for boost in page])


class BoostRequestView(WindfallView):
    """Ask for a boost."""

    scopes: ClassVar = {"POST": Scope.MANAGE}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="jackpot_boosts_request",
        request=RequestBoostSerializer,
        responses={201: BoostSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, instance_id: UUID, pot_name: str) -> Response:
        """
        Ask for house money in a pot of an active instance.

        Nothing moves until another key, or a member of staff, applies it; that must be
        within seven days.
        """
        body = parsed(RequestBoostSerializer, request.data)
        operator, now = calling_operator(request), timezone.now()

        def command() -> tuple[int, Any]:
            boost = request_boost(
                operator=operator,
                instance_id=instance_id,
                pot_name=pot_name,
                **body,
                actor=calling_actor(request),
                now=now,
            )
            return 201, represent_boost(boost)

        return respond_once(request, operator=operator, now=now, command=command)


class BoostApplicationView(WindfallView):
    """Apply a boost."""

    scopes: ClassVar = {"POST": Scope.MANAGE}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="jackpot_boosts_apply",
        request=ApplyBoostSerializer,
        responses={200: BoostSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, boost_id: UUID) -> Response:
        """
        Put the money into the pot, with another key than the one that asked for it.

        What passes the pot's ceiling, or the amount it must hit by, shows as its reserve.
        """
        body = parsed(ApplyBoostSerializer, request.data)
        return _decide(request, apply_boost, boost_id, reason=body.get("reason", ""))


class BoostRejectionView(WindfallView):
    """Reject a boost."""

    scopes: ClassVar = {"POST": Scope.MANAGE}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="jackpot_boosts_reject",
        request=RejectBoostSerializer,
        responses={200: BoostSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, boost_id: UUID) -> Response:
        """Refuse to put the money in; the key that asked for it so withdraws the request."""
        body = parsed(RejectBoostSerializer, request.data)
        return _decide(request, reject_boost, boost_id, reason=body["reason"])


def represent_boost(boost: Boost) -> dict[str, Any]:
    """Return a boost, its pot and instance fetched, as BoostSerializer describes it."""
    currency = boost.pot.instance.currency
    is_decided = boost.decided_at is not None
    return {
        "id": str(boost.pk),
        "instance_id": str(boost.pot.instance_id),
        "pot": boost.pot.name,
        "amount": format_amount(boost.amount, currency),
        "currency": currency,
        "reason": boost.reason,
        "status": str(boost.status),
        "requested_by": {"kind": boost.requested_by_kind, "ref": boost.requested_by_ref},
        "requested_at": format_instant(boost.requested_at),
        "expires_at": format_instant(boost.expires_at),
        "decided_by": {"kind": boost.decided_by_kind, "ref": boost.decided_by_ref}
        if is_decided
        else None,
        "decided_at": None if boost.decided_at is None else format_instant(boost.decided_at),
        "decision_reason": boost.decision_reason or None,
    }


def _decide(
    request: Request, service: Callable[..., Boost], boost_id: UUID, *, reason: str
) -> Response:
    operator, now = calling_operator(request), timezone.now()

    def command() -> tuple[int, Any]:
        boost = service(
            operator=operator,
            boost_id=boost_id,
            reason=reason,
            actor=calling_actor(request),
            now=now,
        )
        return 200, represent_boost(boost)

    return respond_once(request, operator=operator, now=now, command=command)
