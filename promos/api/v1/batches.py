"""Batches of single-use codes over HTTP."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import respond_once
from core.api.problem_schema import problems
from core.api.serializers import parsed
from core.api.views import WindfallView
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator
from promos.api.v1.serializers import (
    BatchSerializer,
    CreateBatchSerializer,
    DisableBatchSerializer,
    represent_batch,
)
from promos.errors import PromoBatchNotReady
from promos.representations import iterate_csv_lines
from promos.selectors import count_claimed_codes, get_batch
from promos.services import batches


class BatchCreationView(WindfallView):
    """Ask for single-use codes."""

    scopes: ClassVar = {"POST": Scope.MANAGE}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="promo_batches_create",
        request=CreateBatchSerializer,
        responses={202: BatchSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, promo_id: UUID) -> Response:
        """Ask for a batch of single-use codes that share the promo's terms; a worker makes it."""
        body = parsed(CreateBatchSerializer, request.data)
        caller, now = calling_operator(request), timezone.now()

        def create() -> tuple[int, Any]:
            batch = batches.create_batch(
                operator=caller, promo_id=promo_id, **body, actor=calling_actor(request), now=now
            )
            return 202, represent_batch(batch, claimed_count=0)

        return respond_once(request, operator=caller, now=now, command=create)


class BatchView(WindfallView):
    """One batch."""

    scopes: ClassVar = {"GET": Scope.READ}

    @extend_schema(
        operation_id="promo_batches_retrieve", responses={200: BatchSerializer, **problems(404)}
    )
    def get(self, request: Request, batch_id: UUID) -> Response:
        """Return the batch, with how many of its codes are made and how many are claimed."""
        batch = get_batch(operator=calling_operator(request), batch_id=batch_id)
        return Response(represent_batch(batch, claimed_count=count_claimed_codes(batch=batch)))


class BatchDisablingView(WindfallView):
    """Disable a batch."""

    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(
        operation_id="promo_batches_disable",
        request=DisableBatchSerializer,
        responses={200: BatchSerializer, **problems(400, 404)},
    )
    def post(self, request: Request, batch_id: UUID) -> Response:
        """Disable the batch for ever; claims made through its codes stay."""
        body = parsed(DisableBatchSerializer, request.data)
        batch = batches.disable_batch(
            operator=calling_operator(request),
            batch_id=batch_id,
            reason=body.get("reason", ""),
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(represent_batch(batch, claimed_count=count_claimed_codes(batch=batch)))


class BatchCodesView(WindfallView):
    """The codes of a batch, as a file."""

    # Codes are worth money: reading them is managing.
    scopes: ClassVar = {"GET": Scope.MANAGE}

    @extend_schema(
        operation_id="promo_batches_codes",
        responses={
            (200, "text/csv"): OpenApiResponse(
                OpenApiTypes.STR, description="code, claimed_at, player_id"
            ),
            **problems(404, 409),
        },
    )
    def get(self, request: Request, batch_id: UUID) -> StreamingHttpResponse:
        """
        Download every code of the batch, streamed. 409 until all of them are made.

        A cell that a spreadsheet program would take for a formula begins with an apostrophe.
        """
        batch = get_batch(operator=calling_operator(request), batch_id=batch_id)
        if batch.finished_at is None:
            raise PromoBatchNotReady("The codes are not all made.", made_count=batch.made_count)
        return StreamingHttpResponse(
            iterate_csv_lines(batch=batch),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="codes-{batch.pk}.csv"'},
        )
