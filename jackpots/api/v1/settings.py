"""How an operator runs jackpots, over HTTP."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.problem_schema import problems
from core.api.serializers import BodySerializer, MoneyField, parsed
from core.api.views import WindfallView
from core.money import format_amount
from jackpots.models import JackpotSettings
from jackpots.selectors import get_jackpot_settings
from jackpots.services.settings import put_jackpot_settings
from operators.enums import Scope
from operators.models import Operator
from operators.requests import calling_actor, calling_operator


class PutJackpotSettingsSerializer(BodySerializer[Any]):
    """How jackpots are run, for wins found from now on."""

    win_approval_above = MoneyField(
        allow_null=True,
        help_text="In the base currency: wins above it wait for approval. Null: none do. Of pots"
        " that staff drop, the approval limit of bonuses by hand holds as well.",
    )


class JackpotSettingsSerializer(serializers.Serializer[Any]):
    """How jackpots are run."""

    win_approval_above = MoneyField(allow_null=True, help_text="10000 until it is set.")


class JackpotSettingsView(WindfallView):
    """How the operator runs jackpots."""

    scopes: ClassVar = {"GET": Scope.READ, "PUT": Scope.MANAGE}

    @extend_schema(
        operation_id="jackpot_settings_retrieve",
        responses={200: JackpotSettingsSerializer, **problems()},
    )
    def get(self, request: Request) -> Response:
        """Return the settings in force for wins found from now on."""
        operator = calling_operator(request)
        return Response(_represent(get_jackpot_settings(operator=operator), operator))

    @extend_schema(
        operation_id="jackpot_settings_put",
        request=PutJackpotSettingsSerializer,
        responses={200: JackpotSettingsSerializer, **problems(400)},
    )
    def put(self, request: Request) -> Response:
        """Set the amount, in the base currency, above which wins wait for a second person."""
        operator = calling_operator(request)
        found = put_jackpot_settings(
            operator=operator,
            **parsed(PutJackpotSettingsSerializer, request.data),
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(_represent(found, operator))


def _represent(settings: JackpotSettings, operator: Operator) -> dict[str, Any]:
    above = settings.win_approval_above
    return {
        "win_approval_above": None
        if above is None
        else format_amount(above, operator.base_currency)
    }
