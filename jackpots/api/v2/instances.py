"""Instances over HTTP: parse, make one call, render."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from core.actors import Actor
from core.api.problem_schema import problems
from core.api.serializers import parsed
from core.api.views import WindfallView
from jackpots.api.v2.bodies import (
    CreateInstanceSerializer,
    MoveInstanceSerializer,
    UpdateInstanceSerializer,
)
from jackpots.api.v2.serializers import InstanceSerializer, represent_instance
from jackpots.models import Instance
from jackpots.selectors import get_instance, read_meters
from jackpots.services import draws, instances, runs
from jackpots.services.terms import InstanceTerms
from operators.enums import Scope
from operators.models import Operator
from operators.requests import calling_actor, calling_operator

#: Kept with a pause when the caller gives no reason: a pause always shows one.
DEFAULT_PAUSE_REASON = "Paused over the API"

_MOVE_SCHEMA: dict[str, Any] = {
    "request": MoveInstanceSerializer,
    "responses": {200: InstanceSerializer, **problems(400, 404, 409)},
}


class InstanceListView(WindfallView, generics.GenericAPIView[Instance]):
    """The instances of an operator."""

    scopes: ClassVar = {"GET": Scope.READ, "POST": Scope.MANAGE}
    serializer_class = InstanceSerializer
    filterset_fields: ClassVar = ["kind", "status", "currency"]
    queryset = Instance.objects.none()

    @extend_schema(
        operation_id="jackpot_instances_list",
        # With its media type, 200 is seen first, and what it lists decides about the filters.
        responses={(200, "application/json"): InstanceSerializer(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List instances with their meters, newest first."""
        found = Instance.objects.for_operator(calling_operator(request)).select_related(
            "raffle_draw", "next"
        )
        page = self.paginate_queryset(self.filter_queryset(found)) or []
        return self.get_paginated_response(_represent(page, now=timezone.now()))

    @extend_schema(
        operation_id="jackpot_instances_create",
        request=CreateInstanceSerializer,
        responses={201: InstanceSerializer, **problems(400)},
        filters=False,
    )
    def post(self, request: Request) -> Response:
        """Create a draft."""
        now = timezone.now()
        instance = instances.create_instance(
            operator=calling_operator(request),
            terms=InstanceTerms(**parsed(CreateInstanceSerializer, request.data)),
            actor=calling_actor(request),
            now=now,
        )
        return Response(_represent([instance], now=now)[0], status=201)


class InstanceView(WindfallView):
    """One instance."""

    scopes: ClassVar = {"GET": Scope.READ, "PATCH": Scope.MANAGE}

    @extend_schema(
        operation_id="jackpot_instances_retrieve",
        responses={200: InstanceSerializer, **problems(404)},
    )
    def get(self, request: Request, instance_id: UUID) -> Response:
        """Read an instance with its meters."""
        instance = get_instance(operator=calling_operator(request), instance_id=instance_id)
        return Response(_represent([instance], now=timezone.now())[0])

    @extend_schema(
        operation_id="jackpot_instances_update",
        request=UpdateInstanceSerializer,
        responses={200: InstanceSerializer, **problems(400, 404, 409)},
    )
    def patch(self, request: Request, instance_id: UUID) -> Response:
        """
        Change the terms of a draft.

        Members given replace those stored, `pots` and `prizes` as a whole; the result is
        checked as if it had been created so.
        """
        now = timezone.now()
        instance = instances.update_instance(
            operator=calling_operator(request),
            instance_id=instance_id,
            changes=parsed(UpdateInstanceSerializer, request.data),
            actor=calling_actor(request),
            now=now,
        )
        return Response(_represent([instance], now=now)[0])


class InstanceActivationView(WindfallView):
    """Activate an instance."""

    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(operation_id="jackpot_instances_activate", **_MOVE_SCHEMA)
    def post(self, request: Request, instance_id: UUID) -> Response:
        """Open a draft for contributions; its terms are fixed from then on."""
        return _move(request, instance_id, instances.activate_instance)


class InstancePauseView(WindfallView):
    """Pause an instance."""

    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(operation_id="jackpot_instances_pause", **_MOVE_SCHEMA)
    def post(self, request: Request, instance_id: UUID) -> Response:
        """Let nothing accrue to an active instance until it is resumed."""
        return _move(
            request, instance_id, instances.pause_instance, default_reason=DEFAULT_PAUSE_REASON
        )


class InstanceResumptionView(WindfallView):
    """Resume an instance."""

    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(operation_id="jackpot_instances_resume", **_MOVE_SCHEMA)
    def post(self, request: Request, instance_id: UUID) -> Response:
        """End a pause."""
        return _move(request, instance_id, instances.resume_instance)


class InstanceClosingView(WindfallView):
    """Close an instance."""

    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(operation_id="jackpot_instances_close", **_MOVE_SCHEMA)
    def post(self, request: Request, instance_id: UUID) -> Response:
        """Take no more contributions; an instance that has closed stays closed."""
        return _move(request, instance_id, instances.close_instance)


class InstanceDrawView(WindfallView):
    """Draw a raffle."""

    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(operation_id="jackpot_instances_draw", **_MOVE_SCHEMA)
    def post(self, request: Request, instance_id: UUID) -> Response:
        """
        Draw the winners of a raffle; an active one is closed first.

        The winners are in its draw (`…/draws`). A recurring raffle's next run is open then.
        """
        return _move(request, instance_id, draws.draw_instance)


class InstanceSeriesEndView(WindfallView):
    """End the series of a recurring raffle."""

    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(operation_id="jackpot_instances_end_series", **_MOVE_SCHEMA)
    def post(self, request: Request, instance_id: UUID) -> Response:
        """Let this run be the last: it is drawn when asked for, and none follows."""
        return _move(request, instance_id, runs.end_series)


class InstanceCancellationView(WindfallView):
    """Cancel an instance."""

    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(operation_id="jackpot_instances_cancel", **_MOVE_SCHEMA)
    def post(self, request: Request, instance_id: UUID) -> Response:
        """Give up a draft."""
        return _move(request, instance_id, instances.cancel_instance)


class MoveService(Protocol):
    """A service that moves one instance."""

    def __call__(
        self, *, operator: Operator, instance_id: UUID, reason: str, actor: Actor, now: datetime
    ) -> Instance: ...


def _move(
    request: Request, instance_id: UUID, service: MoveService, *, default_reason: str = ""
) -> Response:
    now = timezone.now()
    body = parsed(MoveInstanceSerializer, request.data)
    instance = service(
        operator=calling_operator(request),
        instance_id=instance_id,
        reason=body.get("reason", default_reason),
        actor=calling_actor(request),
        now=now,
    )
    return Response(_represent([instance], now=now)[0])


def _represent(found: Iterable[Instance], *, now: datetime) -> list[dict[str, Any]]:
    """Return instances as they are shown, in the same number of statements however many."""
    shown = list(found)
    prefetch_related_objects(shown, "pots", "prizes", "raffle_draw", "next")
    meters = read_meters(instance_ids=[instance.pk for instance in shown])
    return [
        represent_instance(instance, meters=meters[instance.pk], as_of=now) for instance in shown
    ]
