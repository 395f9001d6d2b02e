"""Simulations over HTTP."""

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.problem_schema import problems
from core.api.serializers import parsed
from core.api.views import WindfallView
from operators.enums import Scope
from operators.requests import calling_operator
from simulations.representations.answers import SimulationSerializer, represent_simulation
from simulations.representations.asking import simulate_as_asked
from simulations.representations.bodies import SimulateSerializer


class SimulationView(WindfallView):
    """What terms are likely to cost."""

    # Whoever sets terms may simulate them. A key that only reads goes into screens that are
    # polled, and a simulation keeps a core busy for a second.
    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(
        operation_id="simulations_create",
        request=SimulateSerializer,
        responses={200: SimulationSerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request) -> Response:
        """
        Simulate players who are given a bonus or a promo: what it costs, and who completes.

        Nothing is stored and nobody is given anything, so no Idempotency-Key is needed: the
        same body has the same answer. The terms are those of `template_id` or `promo_id`,
        switched on or not, or are sent as `bonus` or `promo`.
        """
        simulation = simulate_as_asked(
            operator=calling_operator(request),
            asked=parsed(SimulateSerializer, request.data),
            now=timezone.now(),
        )
        return Response(represent_simulation(simulation))
