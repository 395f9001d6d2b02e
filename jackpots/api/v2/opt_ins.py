"""Opt-ins over HTTP. The path says everything; a body has nothing to add."""

from typing import ClassVar
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.problem_schema import problems
from core.api.serializers import parsed
from core.api.views import WindfallView
from jackpots.api.v2.bodies import GiveOptInSerializer
from jackpots.api.v2.serializers import OptInSerializer, represent_opt_in
from jackpots.services import opt_ins
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator


class OptInView(WindfallView):
    """A player's opt-in to an instance."""

    scopes: ClassVar = {"GET": Scope.READ, "PUT": Scope.PLAY, "DELETE": Scope.PLAY}

    @extend_schema(
        operation_id="jackpot_opt_ins_retrieve",
        responses={200: OptInSerializer, **problems(404)},
    )
    def get(self, request: Request, instance_id: UUID, player_id: str) -> Response:
        """Read the opt-in that stands; 404 if the player has not opted in, or has opted out."""
        opt_in = opt_ins.get_opt_in(
            operator=calling_operator(request),
            instance_id=instance_id,
            player_reference=player_id,
        )
        return Response(represent_opt_in(opt_in))

    @extend_schema(
        operation_id="jackpot_opt_ins_give",
        request=None,
        responses={201: OptInSerializer, 200: OptInSerializer, **problems(400, 404, 409)},
    )
    def put(self, request: Request, instance_id: UUID, player_id: str) -> Response:
        """Opt a player in: 201, or 200 with the opt-in that stands already."""
        parsed(GiveOptInSerializer, request.data)
        given = opt_ins.opt_in_player(
            operator=calling_operator(request),
            instance_id=instance_id,
            player_reference=player_id,
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(represent_opt_in(given.opt_in), status=201 if given.is_new else 200)

    @extend_schema(operation_id="jackpot_opt_ins_withdraw", responses={204: None, **problems(404)})
    def delete(self, request: Request, instance_id: UUID, player_id: str) -> Response:
        """Opt a player out; the history is kept, and having no opt-in is no error."""
        opt_ins.opt_out_player(
            operator=calling_operator(request),
            instance_id=instance_id,
            player_reference=player_id,
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(status=204)
