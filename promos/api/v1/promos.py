"""Promos and their games over HTTP."""

from typing import ClassVar
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.serializers import parsed
from core.api.views import WindfallView
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator
from promos.api.v1.serializers import (
    CreatePromoSerializer,
    PromoGamesSerializer,
    PromoSerializer,
    PromoSettingsSerializer,
    PutPromoSettingsSerializer,
    ReplaceGamesSerializer,
    UpdatePromoSerializer,
    represent_games,
    represent_promo,
)
from promos.models import Promo
from promos.selectors import get_promo, get_promo_settings, list_promo_games, list_promos
from promos.services import catalogue, settings


class PromoListView(WindfallView, generics.GenericAPIView[Promo]):
    """The promos of an operator."""

    scopes: ClassVar = {"GET": Scope.READ, "POST": Scope.MANAGE}
    serializer_class = PromoSerializer
    pagination_class = NewestIdFirst
    filterset_fields: ClassVar = ["type", "is_active"]
    queryset = Promo.objects.none()

    @extend_schema(
        operation_id="promos_list",
        # With its media type, 200 is seen first, and what it lists decides about the filters.
        responses={(200, "application/json"): PromoSerializer(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List the promos that are not archived, newest first."""
        found = list_promos(operator=calling_operator(request))
        page = self.paginate_queryset(self.filter_queryset(found)) or []
        return self.get_paginated_response([represent_promo(promo) for promo in page])

    @extend_schema(
        operation_id="promos_create",
        request=CreatePromoSerializer,
        responses={201: PromoSerializer, **problems(400, 409)},
        filters=False,
    )
    def post(self, request: Request) -> Response:
        """
        Make a promo, INSTANT or DEPOSIT, with the fields of its type and no others.

        It may be claimed at once unless `is_active` is false or `starts_at` is to come. A
        DEPOSIT promo allows no games until `PUT …/games` lists some.
        """
        terms = parsed(CreatePromoSerializer, request.data)
        promo = catalogue.create_promo(
            operator=calling_operator(request),
            promo_type=terms.pop("type"),
            terms=terms,
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(represent_promo(promo), status=201)


class PromoView(WindfallView):
    """One promo."""

    scopes: ClassVar = {"GET": Scope.READ, "PATCH": Scope.MANAGE, "DELETE": Scope.MANAGE}

    @extend_schema(
        operation_id="promos_retrieve", responses={200: PromoSerializer, **problems(404)}
    )
    def get(self, request: Request, promo_id: UUID) -> Response:
        """Return the promo, archived or not."""
        promo = get_promo(operator=calling_operator(request), promo_id=promo_id)
        return Response(represent_promo(promo))

    @extend_schema(
        operation_id="promos_update",
        request=UpdatePromoSerializer,
        responses={200: PromoSerializer, **problems(400, 404, 409)},
    )
    def patch(self, request: Request, promo_id: UUID) -> Response:
        """Change terms of the promo for claims from now on; the type stays."""
        promo = catalogue.update_promo(
            operator=calling_operator(request),
            promo_id=promo_id,
            changes=parsed(UpdatePromoSerializer, request.data),
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(represent_promo(promo))

    @extend_schema(operation_id="promos_delete", responses={204: None, **problems(404)})
    def delete(self, request: Request, promo_id: UUID) -> Response:
        """Delete the promo; one that somebody has claimed is archived. Claims run on."""
        catalogue.archive_or_delete_promo(
            operator=calling_operator(request),
            promo_id=promo_id,
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(status=204)


class PromoGamesView(WindfallView):
    """The games that may be bet while a promo is active."""

    scopes: ClassVar = {"GET": Scope.READ, "PUT": Scope.MANAGE}
    # Thousands of games are one body.
    body_bytes_max = 1024 * 1024

    @extend_schema(
        operation_id="promo_games_retrieve", responses={200: PromoGamesSerializer, **problems(404)}
    )
    def get(self, request: Request, promo_id: UUID) -> Response:
        """Return the promo's list of games, in the order in which it was sent."""
        promo = get_promo(operator=calling_operator(request), promo_id=promo_id)
        return Response(represent_games(list_promo_games(promo=promo)))

    @extend_schema(
        operation_id="promo_games_replace",
        request=ReplaceGamesSerializer,
        responses={200: PromoGamesSerializer, **problems(400, 404, 409)},
    )
    def put(self, request: Request, promo_id: UUID) -> Response:
        """Replace the list, for claims from now on."""
        rows = catalogue.replace_games(
            operator=calling_operator(request),
            promo_id=promo_id,
            games=parsed(ReplaceGamesSerializer, request.data)["games"],
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(represent_games(rows))


class PromoSettingsView(WindfallView):
    """How the operator runs promos."""

    scopes: ClassVar = {"GET": Scope.READ, "PUT": Scope.MANAGE}

    @extend_schema(
        operation_id="promo_settings_retrieve",
        responses={200: PromoSettingsSerializer, **problems()},
    )
    def get(self, request: Request) -> Response:
        """Return the settings in force for new claims."""
        found = get_promo_settings(operator=calling_operator(request))
        return Response(PromoSettingsSerializer(found).data)

    @extend_schema(
        operation_id="promo_settings_put",
        request=PutPromoSettingsSerializer,
        responses={200: PromoSettingsSerializer, **problems(400)},
    )
    def put(self, request: Request) -> Response:
        """Set how long a claim waits for its deposit, and whether it binds bets meanwhile."""
        found = settings.put_promo_settings(
            operator=calling_operator(request),
            **parsed(PutPromoSettingsSerializer, request.data),
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(PromoSettingsSerializer(found).data)
