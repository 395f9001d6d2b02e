"""Bonus templates over HTTP."""

from typing import ClassVar
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from bonuses.api.v1.template_serializers import (
    BonusTemplateSerializer,
    CreateBonusTemplateSerializer,
    UpdateBonusTemplateSerializer,
    represent_template,
)
from bonuses.models import BonusTemplate
from bonuses.selectors import get_template, list_templates
from bonuses.services import templates
from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.serializers import parsed
from core.api.views import WindfallView
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator


class BonusTemplateListView(WindfallView, generics.GenericAPIView[BonusTemplate]):
    """The bonus templates of an operator."""

    scopes: ClassVar = {"GET": Scope.READ, "POST": Scope.MANAGE}
    serializer_class = BonusTemplateSerializer
    pagination_class = NewestIdFirst
    filterset_fields: ClassVar = ["type", "is_active"]
    queryset = BonusTemplate.objects.none()

    @extend_schema(
        operation_id="bonus_templates_list",
        # With its media type, 200 is seen first, and what it lists decides about the filters.
        responses={(200, "application/json"): BonusTemplateSerializer(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List the templates, newest first."""
        found = list_templates(operator=calling_operator(request))
        page = self.paginate_queryset(self.filter_queryset(found)) or []
        return self.get_paginated_response([represent_template(template) for template in page])

    @extend_schema(
        operation_id="bonus_templates_create",
        request=CreateBonusTemplateSerializer,
        responses={201: BonusTemplateSerializer, **problems(400, 422)},
        filters=False,
    )
    def post(self, request: Request) -> Response:
        """
        Make a template; bonuses may be issued from it at once unless `is_active` is false.

        A config that cannot be is 422 `BONUS_CONFIG_INVALID` with every field in `errors`. So is
        any amount above 1,000,000,000,000, also all free spins together, `max_bet` and
        `max_win_cap`, and a bonus that times the multiplier comes to 100,000,000,000,000.
        """
        terms = parsed(CreateBonusTemplateSerializer, request.data)
        template = templates.create_template(
            operator=calling_operator(request),
            bonus_type=terms.pop("type"),
            terms=terms,
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(represent_template(template), status=201)


class BonusTemplateView(WindfallView):
    """One bonus template."""

    scopes: ClassVar = {"GET": Scope.READ, "PATCH": Scope.MANAGE}

    @extend_schema(
        operation_id="bonus_templates_retrieve",
        responses={200: BonusTemplateSerializer, **problems(404)},
    )
    def get(self, request: Request, template_id: UUID) -> Response:
        """Return the template."""
        template = get_template(operator=calling_operator(request), template_id=template_id)
        return Response(represent_template(template))

    @extend_schema(
        operation_id="bonus_templates_update",
        request=UpdateBonusTemplateSerializer,
        responses={200: BonusTemplateSerializer, **problems(400, 404, 422)},
    )
    def patch(self, request: Request, template_id: UUID) -> Response:
        """Change terms of the template for grants from now on; the type stays."""
        template = templates.update_template(
            operator=calling_operator(request),
            template_id=template_id,
            changes=parsed(UpdateBonusTemplateSerializer, request.data),
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(represent_template(template))
