"""Grants and issuances over HTTP: giving, reading, cancelling, forfeiting."""

import json
from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters  # type: ignore[import-untyped]
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from bonuses.api.v1.grant_serializers import (
    BonusGrantSerializer,
    BonusIssuanceSerializer,
    EndGrantSerializer,
    IssueBonusSerializer,
)
from bonuses.enums import BonusType, GrantStatus, IssuanceStatus
from bonuses.models import BonusGrant, BonusIssuance
from bonuses.representations import represent_issuance
from bonuses.selectors import get_grant, get_issuance, list_grants
from bonuses.services import closing, issuing
from bonuses.services.announcements import describe_grant
from bonuses.services.requests import BonusRequest
from core.api.idempotency import replay_headers, required_key, respond_once
from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.serializers import parsed
from core.api.views import WindfallView
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator
from players.rules import can_be_reference, canonical_reference


class GrantFilter(filters.FilterSet):  # type: ignore[misc]
    """Which grants to list."""

    player_id = filters.CharFilter(method="of_player")
    template_id = filters.UUIDFilter(field_name="template_id")
    status = filters.ChoiceFilter(choices=GrantStatus.choices)
    type = filters.ChoiceFilter(choices=BonusType.choices)

    def of_player(
        self, queryset: "QuerySet[BonusGrant]", name: str, value: str
    ) -> "QuerySet[BonusGrant]":
        """Keep the grants of the player with that id, or none."""
        reference = canonical_reference(value)
        if not can_be_reference(reference):
            return queryset.none()
        return queryset.filter(player__reference=reference)


class GrantListView(WindfallView, generics.GenericAPIView[BonusGrant]):
    """The bonuses of an operator's players."""

    scopes: ClassVar = {"GET": Scope.READ, "POST": Scope.MANAGE}
    idempotent_methods = ("POST",)
    serializer_class = BonusGrantSerializer
    pagination_class = NewestIdFirst
    filterset_class = GrantFilter
    queryset = BonusGrant.objects.none()

    @extend_schema(
        operation_id="bonus_grants_list",
        responses={(200, "application/json"): BonusGrantSerializer(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List grants, newest first."""
        found = list_grants(operator=calling_operator(request))
        page = self.paginate_queryset(self.filter_queryset(found)) or []
        return self.get_paginated_response([describe_grant(grant=grant) for grant in page])

    @extend_schema(
        operation_id="bonus_grants_issue",
        request=IssueBonusSerializer,
        responses={
            201: BonusGrantSerializer,
            202: BonusIssuanceSerializer,
            **problems(400, 404, 409, 422, 502, 503),
        },
        filters=False,
    )
    def post(self, request: Request) -> Response:
        """
        Give a player a bonus through the operator's default adapter.

        201 is the grant. With `await_deposit` it is 202 and an issuance: the player's next
        qualifying deposit issues it. `ADAPTER_REJECTED` is final, with `platform_code`. After
        `ADAPTER_UNAVAILABLE` the bonus is tried again by itself: its `issuance_id` tells how
        far it is, and the same Idempotency-Key answers from it, never a second bonus. Once that
        issuance was given up the key hears `BONUS_ISSUANCE_CLOSED`.
        """
        body = parsed(IssueBonusSerializer, request.data)
        operator, key = calling_operator(request), required_key(request)
        issued = issuing.issue_bonus(
            operator=operator,
            request=BonusRequest(
                template_id=body["template_id"],
                player_reference=body["player_id"],
                idempotency_key=key.value,
                deposit_amount=body.get("deposit_amount"),
                is_offer=body.get("await_deposit", False),
                granted_by=body.get("granted_by", {}),
                references=body.get("references", {}),
            ),
            key=key,
            actor=calling_actor(request),
            clock=timezone.now,
        )
        # A replay hears what was answered first, whatever has become of the grant since.
        answer = issuing.remember_answer(
            issuance_id=issued.issuance.pk, answer=json.dumps(_answer_of(issued.issuance))
        )
        status, shown = json.loads(answer)
        return Response(shown, status=status, headers=replay_headers(issued.is_replay))


def _answer_of(issuance: BonusIssuance) -> tuple[int, Any]:
    if issuance.status == IssuanceStatus.SUCCEEDED:
        grant = get_grant(operator=issuance.operator, grant_id=issuance.grant_id)
        return 201, describe_grant(grant=grant)
    return 202, represent_issuance(issuance)


class GrantView(WindfallView):
    """One grant."""

    scopes: ClassVar = {"GET": Scope.READ}

    @extend_schema(
        operation_id="bonus_grants_retrieve",
        responses={200: BonusGrantSerializer, **problems(404)},
    )
    def get(self, request: Request, grant_id: UUID) -> Response:
        """Return the grant, with its wagering as it is now."""
        grant = get_grant(operator=calling_operator(request), grant_id=grant_id)
        return Response(describe_grant(grant=grant))


class GrantCancellationView(WindfallView):
    """Cancel a grant."""

    scopes: ClassVar = {"POST": Scope.MANAGE}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="bonus_grants_cancel",
        request=EndGrantSerializer,
        responses={200: BonusGrantSerializer, **problems(400, 404, 409, 422, 502, 503)},
    )
    def post(self, request: Request, grant_id: UUID) -> Response:
        """
        Cancel an active grant: its bonus money goes back to the house.

        A platform's bonus is cancelled there first; if the platform refuses or does not
        answer, nothing is changed here.
        """
        return _end(request, grant_id, closing.cancel_grant)


class GrantForfeitureView(WindfallView):
    """Forfeit a grant."""

    scopes: ClassVar = {"POST": Scope.MANAGE}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="bonus_grants_forfeit",
        request=EndGrantSerializer,
        responses={200: BonusGrantSerializer, **problems(400, 404, 409, 422, 502, 503)},
    )
    def post(self, request: Request, grant_id: UUID) -> Response:
        """Forfeit an active grant, for fraud for example: as cancelling, by another name."""
        return _end(request, grant_id, closing.forfeit_grant)


def _end(request: Request, grant_id: UUID, service: Callable[..., BonusGrant]) -> Response:
    body = parsed(EndGrantSerializer, request.data)
    operator, now = calling_operator(request), timezone.now()

    def tell_platform() -> None:
        closing.tell_platform_of_end(operator=operator, grant_id=grant_id, reason=body["reason"])

    def end() -> tuple[int, Any]:
        grant = service(
            operator=operator,
            grant_id=grant_id,
            reason=body["reason"],
            actor=calling_actor(request),
            # Not the instant of the request: a platform may have taken seconds to answer.
            now=timezone.now(),
        )
        return 200, describe_grant(grant=grant)

    return respond_once(request, operator=operator, now=now, command=end, prepare=tell_platform)


class IssuanceView(WindfallView):
    """One issuance."""

    scopes: ClassVar = {"GET": Scope.READ}

    @extend_schema(
        operation_id="bonus_issuances_retrieve",
        responses={200: BonusIssuanceSerializer, **problems(404)},
    )
    def get(self, request: Request, issuance_id: UUID) -> Response:
        """Return how far the issuing is: attempts, when the next one comes, and why."""
        issuance = get_issuance(operator=calling_operator(request), issuance_id=issuance_id)
        return Response(represent_issuance(issuance))
