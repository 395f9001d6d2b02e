"""Exchange rates over HTTP."""

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from core import money
from core.api.problem_schema import problems
from core.api.serializers import parsed
from core.api.views import WindfallView
from core.querysets import OperatorQuerySet
from operators.api.v1.serializers import ExchangeRateSerializer, SetExchangeRateSerializer
from operators.enums import Scope
from operators.models import ExchangeRate
from operators.requests import calling_actor, calling_operator
from operators.services import rates


@extend_schema_view(
    get=extend_schema(responses={200: ExchangeRateSerializer(many=True), **problems(400)})
)
class ExchangeRateListView(WindfallView, generics.ListAPIView[ExchangeRate]):
    """The history of exchange rates, newest first."""

    scopes: ClassVar = {"GET": Scope.READ}
    serializer_class = ExchangeRateSerializer
    filterset_fields: ClassVar = ["currency"]
    queryset = ExchangeRate.objects.none()

    def get_queryset(self) -> OperatorQuerySet[ExchangeRate]:
        return ExchangeRate.objects.for_operator(calling_operator(self.request))


class ExchangeRateView(WindfallView):
    """The rate of one currency."""

    scopes: ClassVar = {"PUT": Scope.MANAGE}

    @extend_schema(
        request=SetExchangeRateSerializer,
        responses={201: ExchangeRateSerializer, **problems(400)},
    )
    def put(self, request: Request, currency: str) -> Response:
        """Add a rate to the history: US dollars for one unit of the currency."""
        body = parsed(SetExchangeRateSerializer, request.data)
        rate = rates.set_exchange_rate(
            operator=calling_operator(request),
            currency=money.get_currency(currency).code,
            usd_rate=body["usd_rate"],
            valid_from=body.get("valid_from"),
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(ExchangeRateSerializer(rate).data, status=201)
