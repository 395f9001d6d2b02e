"""Manual drops over HTTP: the operator names the player who wins a pot."""

from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import respond_once
from core.api.problem_schema import problems
from core.api.serializers import BodySerializer, ReferenceField, TextField, parsed
from core.api.views import WindfallView
from jackpots.api.v2.wins import WinSerializer
from jackpots.representations import represent_win
from jackpots.services.drops import drop_pot
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator


class DropPotSerializer(BodySerializer[Any]):
    """Who wins, and why; the reason is kept in the audit trail."""

    player_id = ReferenceField()
    reason = TextField(required=False, max_length=200)


class PotDropView(WindfallView):
    """Drop a pot."""

    scopes: ClassVar = {"POST": Scope.MANAGE}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="jackpot_pots_drop",
        request=DropPotSerializer,
        responses={201: WinSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, instance_id: UUID, pot_name: str) -> Response:
        """
        Let a pot whose drop is `manual` be won by a player; it begins again with its seed.

        The player wins what the pot holds. A contribution that is under way at this instant
        is not waited for: it is the first of the next cycle. Above the operator's threshold
        the win waits for approval with another key, or by staff.
        """
        body = parsed(DropPotSerializer, request.data)
        operator, now = calling_operator(request), timezone.now()

        def command() -> tuple[int, Any]:
            win = drop_pot(
                operator=operator,
                instance_id=instance_id,
                pot_name=pot_name,
                player_reference=body["player_id"],
                reason=body.get("reason", ""),
                actor=calling_actor(request),
                now=now,
            )
            return 201, represent_win(win)

        return respond_once(request, operator=operator, now=now, command=command)
