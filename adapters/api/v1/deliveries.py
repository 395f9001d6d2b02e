"""Deliveries of webhooks over HTTP."""

from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from django_filters import rest_framework as filters  # type: ignore[import-untyped]
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from adapters.api.v1.webhook_serializers import (
    DeliverySerializer,
    ReplayDeliverySerializer,
    represent_delivery,
)
from adapters.enums import DeliveryStatus
from adapters.models import WebhookDelivery
from adapters.selectors import list_deliveries
from adapters.services import deliveries
from adapters.webhooks.topics import TEST_TOPIC, TOPICS
from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.serializers import parsed
from core.api.views import WindfallView
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator


class DeliveryFilter(filters.FilterSet):  # type: ignore[misc]
    """By endpoint, by topic, and by how far they are."""

    endpoint_id = filters.UUIDFilter(field_name="endpoint_id")
    topic = filters.ChoiceFilter(choices=[(name, name) for name in (*TOPICS, TEST_TOPIC)])
    status = filters.ChoiceFilter(choices=DeliveryStatus.choices)

    class Meta:
        model = WebhookDelivery
        fields: ClassVar[list[Any]] = []


class DeliveryListView(WindfallView, generics.GenericAPIView[WebhookDelivery]):
    """What was sent to the endpoints of an operator, and what is on its way."""

    scopes: ClassVar = {"GET": Scope.READ}
    serializer_class = DeliverySerializer
    pagination_class = NewestIdFirst
    filterset_class = DeliveryFilter
    queryset = WebhookDelivery.objects.none()

    @extend_schema(
        operation_id="webhook_deliveries_list",
        responses={(200, "application/json"): DeliverySerializer(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List the deliveries, newest first."""
        found = list_deliveries(operator=calling_operator(request))
        page = self.paginate_queryset(self.filter_queryset(found)) or []
        return self.get_paginated_response([represent_delivery(delivery) for delivery in page])


class DeliveryReplayView(WindfallView):
    """Send a message again."""

    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(
        operation_id="webhook_deliveries_replay",
        request=ReplayDeliverySerializer,
        responses={202: DeliverySerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request, delivery_id: UUID) -> Response:
        """Send a delivered or failed message again, under the same `webhook-id`."""
        delivery = deliveries.replay_delivery(
            operator=calling_operator(request),
            delivery_id=delivery_id,
            **parsed(ReplayDeliverySerializer, request.data),
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(represent_delivery(delivery), status=202)
