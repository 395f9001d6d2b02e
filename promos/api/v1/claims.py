"""Claims over HTTP: claiming, validating, reading, cancelling."""

from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters  # type: ignore[import-untyped]
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.express import ExpressView
from core.api.idempotency import keeping, respond_once
from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.serializers import parsed
from core.api.views import WindfallView
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator
from players.rules import can_be_reference, canonical_reference
from promos.api.v1.serializers import (
    CancelUserPromoSerializer,
    ClaimCodeSerializer,
    ClaimSerializer,
    UserPromoSerializer,
    ValidationAnswerSerializer,
)
from promos.enums import UserPromoStatus
from promos.models import UserPromo
from promos.representations import represent_user_promo
from promos.selectors import get_user_promo, list_user_promos
from promos.services import claims, endings
from promos.services.claims import ClaimTarget

_CLAIMED: dict[Any, Any] = {201: UserPromoSerializer, **problems(400, 404, 409, 422)}


class ClaimView(ExpressView):
    """Claim a promo by its id."""

    scopes: ClassVar = {"POST": Scope.PLAY}
    idempotent_methods = ("POST",)

    @extend_schema(operation_id="promos_claim", request=ClaimSerializer, responses=_CLAIMED)
    def post(self, request: Request, promo_id: UUID) -> Response:
        """Claim the promo for a player: an INSTANT one pays, a DEPOSIT one waits."""
        body = parsed(ClaimSerializer, request.data)
        return _claim(request, ClaimTarget(promo_id=promo_id), body["player_id"])


class ClaimCodeView(ExpressView):
    """Claim a promo by a code."""

    scopes: ClassVar = {"POST": Scope.PLAY}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="promos_claim_code", request=ClaimCodeSerializer, responses=_CLAIMED
    )
    def post(self, request: Request) -> Response:
        """Claim by the promo's own code, or by a single-use one, in whichever case."""
        body = parsed(ClaimCodeSerializer, request.data)
        return _claim(request, ClaimTarget(code=body["code"]), body["player_id"])


class ValidationView(WindfallView):
    """Ask before claiming."""

    scopes: ClassVar = {"POST": Scope.PLAY}

    @extend_schema(
        operation_id="promos_validate",
        request=ClaimCodeSerializer,
        responses={200: ValidationAnswerSerializer, **problems(400, 404)},
    )
    def post(self, request: Request) -> Response:
        """Tell whether the player could claim the code now, and every reason if not."""
        body = parsed(ClaimCodeSerializer, request.data)
        refusals = claims.validate_claim(
            operator=calling_operator(request),
            target=ClaimTarget(code=body["code"]),
            player_reference=body["player_id"],
            now=timezone.now(),
        )
        reasons = [{"code": refusal.code, "detail": refusal.detail} for refusal in refusals]
        return Response({"claimable": not reasons, "reasons": reasons})


class UserPromoFilter(filters.FilterSet):  # type: ignore[misc]
    """Which claims to list."""

    player_id = filters.CharFilter(method="of_player")
    promo_id = filters.UUIDFilter(field_name="promo_id")
    status = filters.ChoiceFilter(choices=UserPromoStatus.choices)

    def of_player(
        self, queryset: "QuerySet[UserPromo]", name: str, value: str
    ) -> "QuerySet[UserPromo]":
        """Keep the claims of the player with that id, or none."""
        reference = canonical_reference(value)
        if not can_be_reference(reference):
            return queryset.none()
        return queryset.filter(player__reference=reference)


class UserPromoListView(WindfallView, generics.GenericAPIView[UserPromo]):
    """The claims of an operator's players."""

    scopes: ClassVar = {"GET": Scope.READ}
    serializer_class = UserPromoSerializer
    pagination_class = NewestIdFirst
    filterset_class = UserPromoFilter
    queryset = UserPromo.objects.none()

    @extend_schema(
        operation_id="user_promos_list",
        responses={(200, "application/json"): UserPromoSerializer(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List claims, newest first."""
        found = list_user_promos(operator=calling_operator(request))
        page = self.paginate_queryset(self.filter_queryset(found)) or []
        return self.get_paginated_response([represent_user_promo(claim) for claim in page])


class UserPromoView(WindfallView):
    """One claim."""

    scopes: ClassVar = {"GET": Scope.READ}

    @extend_schema(
        operation_id="user_promos_retrieve", responses={200: UserPromoSerializer, **problems(404)}
    )
    def get(self, request: Request, user_promo_id: UUID) -> Response:
        """Return the claim, with its progress once it is activated."""
        user_promo = get_user_promo(operator=calling_operator(request), user_promo_id=user_promo_id)
        return Response(represent_user_promo(user_promo))


class UserPromoCancellationView(WindfallView):
    """Cancel a claim."""

    scopes: ClassVar = {"POST": Scope.PLAY}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="user_promos_cancel",
        request=CancelUserPromoSerializer,
        responses={200: UserPromoSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, user_promo_id: UUID) -> Response:
        """
        Cancel an open claim, and take its bonus back unless the target is met.

        `custom_decrease_amount` takes exactly that much instead, and needs a key with the
        scope `manage`. What the main balance does not cover is the `clawback_shortfall`.
        """
        body = parsed(CancelUserPromoSerializer, request.data)
        custom = body.get("custom_decrease_amount")
        if custom is not None and not _may_manage(request):
            raise PermissionDenied("A custom amount needs a key with the scope 'manage'.")
        caller, now = calling_operator(request), timezone.now()

        def cancel() -> tuple[int, Any]:
            user_promo = endings.cancel_user_promo(
                operator=caller,
                user_promo_id=user_promo_id,
                reason=body["reason"],
                custom_decrease_amount=custom,
                actor=calling_actor(request),
                now=now,
            )
            return 200, represent_user_promo(user_promo)

        return respond_once(request, operator=caller, now=now, command=cancel)


def _may_manage(request: Request) -> bool:
    scopes: list[str] = getattr(request.auth, "scopes", [])
    return Scope.MANAGE in scopes


def _claim(request: Request, target: ClaimTarget, player_reference: str) -> Response:
    caller, now = calling_operator(request), timezone.now()
    wish: dict[str, Any] = {
        "operator": caller,
        "target": target,
        "player_reference": player_reference,
        "actor": calling_actor(request),
        "now": now,
    }
    made = claims.claim_at_once(**wish, keeping=keeping(request, 201, represent_user_promo))
    if made is not None:
        return Response(represent_user_promo(made), status=201)

    def claim() -> tuple[int, Any]:
        return 201, represent_user_promo(claims.claim_promo(**wish))

    return respond_once(request, operator=caller, now=now, command=claim)
