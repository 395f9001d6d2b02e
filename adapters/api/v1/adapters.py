"""Adapters over HTTP."""

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from adapters.api.v1.serializers import (
    AdapterSerializer,
    AdapterSlugField,
    PutAdapterSerializer,
)
from adapters.models import AdapterConfig
from adapters.representations import represent_adapter
from adapters.selectors import get_adapter_config, list_adapter_configs
from adapters.services import configs
from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.serializers import parsed, parsed_path
from core.api.views import WindfallView
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator


class AdapterListView(WindfallView, generics.GenericAPIView[AdapterConfig]):
    """The adapters of an operator."""

    scopes: ClassVar = {"GET": Scope.READ}
    serializer_class = AdapterSerializer
    pagination_class = NewestIdFirst
    filterset_fields: ClassVar = ["kind", "is_default"]
    queryset = AdapterConfig.objects.none()

    @extend_schema(
        operation_id="adapters_list",
        responses={(200, "application/json"): AdapterSerializer(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List the adapters, newest first. Every operator has an internal one."""
        found = list_adapter_configs(operator=calling_operator(request))
        page = self.paginate_queryset(self.filter_queryset(found)) or []
        return self.get_paginated_response([represent_adapter(config) for config in page])


class AdapterView(WindfallView):
    """One adapter."""

    scopes: ClassVar = {"GET": Scope.READ, "PUT": Scope.MANAGE}

    @extend_schema(
        operation_id="adapters_retrieve", responses={200: AdapterSerializer, **problems(404)}
    )
    def get(self, request: Request, adapter_slug: str) -> Response:
        """Return the adapter with that slug; never its secret."""
        config = get_adapter_config(operator=calling_operator(request), slug=adapter_slug)
        return Response(represent_adapter(config))

    @extend_schema(
        operation_id="adapters_put",
        request=PutAdapterSerializer,
        responses={201: AdapterSerializer, 200: AdapterSerializer, **problems(400, 409)},
    )
    def put(self, request: Request, adapter_slug: str) -> Response:
        """
        Add the adapter (201), or change it (200).

        A new `http` adapter needs `base_url` and `secret`; later they may be left out. A new
        secret leaves the old one valid for 24 hours. `is_default: true` takes the default
        from the adapter that had it; `false` on the default hands it to the internal one.
        A slug is unique across operators, and `-internal` at its end is reserved.
        """
        body = parsed(PutAdapterSerializer, request.data)
        put = configs.put_adapter(
            operator=calling_operator(request),
            slug=parsed_path("slug", AdapterSlugField(), adapter_slug),
            kind=body.pop("kind"),
            details=body,  # type: ignore[arg-type]
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(represent_adapter(put.config), status=201 if put.is_new else 200)
