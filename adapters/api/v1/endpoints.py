"""Webhook endpoints over HTTP."""

from typing import ClassVar
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from adapters.api.v1.webhook_serializers import (
    CreateEndpointSerializer,
    DeliverySerializer,
    EndpointSecretSerializer,
    EndpointSerializer,
    RotateSecretSerializer,
    TestEndpointSerializer,
    UpdateEndpointSerializer,
    represent_delivery,
    represent_endpoint,
)
from adapters.models import WebhookEndpoint
from adapters.selectors import get_endpoint, list_endpoints
from adapters.services import endpoints, relaying
from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.serializers import parsed
from core.api.views import WindfallView
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator


class EndpointListView(WindfallView, generics.GenericAPIView[WebhookEndpoint]):
    """The webhook endpoints of an operator."""

    scopes: ClassVar = {"GET": Scope.READ, "POST": Scope.MANAGE}
    serializer_class = EndpointSerializer
    pagination_class = NewestIdFirst
    filterset_fields: ClassVar = ["is_active"]
    queryset = WebhookEndpoint.objects.none()

    @extend_schema(
        operation_id="webhook_endpoints_list",
        responses={(200, "application/json"): EndpointSerializer(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List the endpoints, newest first, those that are switched off too."""
        found = list_endpoints(operator=calling_operator(request))
        page = self.paginate_queryset(self.filter_queryset(found)) or []
        return self.get_paginated_response([represent_endpoint(endpoint) for endpoint in page])

    @extend_schema(
        operation_id="webhook_endpoints_create",
        request=CreateEndpointSerializer,
        responses={201: EndpointSecretSerializer, **problems(400)},
        filters=False,
    )
    def post(self, request: Request) -> Response:
        """Make an endpoint. Its secret is in this answer and in no other."""
        made = endpoints.create_endpoint(
            operator=calling_operator(request),
            **parsed(CreateEndpointSerializer, request.data),
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response({**represent_endpoint(made.endpoint), "secret": made.secret}, status=201)


class EndpointView(WindfallView):
    """One webhook endpoint."""

    scopes: ClassVar = {"GET": Scope.READ, "PATCH": Scope.MANAGE, "DELETE": Scope.MANAGE}

    @extend_schema(
        operation_id="webhook_endpoints_retrieve",
        responses={200: EndpointSerializer, **problems(404)},
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Return the endpoint; never its secret."""
        endpoint = get_endpoint(operator=calling_operator(request), endpoint_id=endpoint_id)
        return Response(represent_endpoint(endpoint))

    @extend_schema(
        operation_id="webhook_endpoints_update",
        request=UpdateEndpointSerializer,
        responses={200: EndpointSerializer, **problems(400, 404)},
    )
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        """Change the endpoint, or switch it off and on."""
        endpoint = endpoints.update_endpoint(
            operator=calling_operator(request),
            endpoint_id=endpoint_id,
            changes=parsed(UpdateEndpointSerializer, request.data),
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(represent_endpoint(endpoint))

    @extend_schema(operation_id="webhook_endpoints_delete", responses={204: None, **problems(404)})
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        """Switch the endpoint off. It is kept, with the log of what it was sent."""
        endpoints.disable_endpoint(
            operator=calling_operator(request),
            endpoint_id=endpoint_id,
            reason="Deleted through the API.",
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(status=204)


class EndpointSecretView(WindfallView):
    """Give an endpoint a new secret."""

    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(
        operation_id="webhook_endpoints_rotate_secret",
        request=RotateSecretSerializer,
        responses={200: EndpointSecretSerializer, **problems(400, 404)},
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """
        Give the endpoint a new secret, which is in this answer and in no other.

        For 24 hours messages carry two signatures, one with each secret: change yours then.
        """
        made = endpoints.rotate_endpoint_secret(
            operator=calling_operator(request),
            endpoint_id=endpoint_id,
            **parsed(RotateSecretSerializer, request.data),
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response({**represent_endpoint(made.endpoint), "secret": made.secret})


class EndpointTestView(WindfallView):
    """Send an endpoint a test message."""

    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(
        operation_id="webhook_endpoints_test",
        request=TestEndpointSerializer,
        responses={202: DeliverySerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Send a `webhook.test` message, whatever topics the endpoint wants; see its delivery."""
        parsed(TestEndpointSerializer, request.data)
        delivery = relaying.send_test_message(
            operator=calling_operator(request),
            endpoint_id=endpoint_id,
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(represent_delivery(delivery), status=202)
