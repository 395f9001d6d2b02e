"""The ticker: what all pots stand at, for many screens that ask again and again."""

import hashlib
import json
import logging
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.core.cache import cache
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from core.api.problem_schema import problems
from core.api.serializers import CurrencyField, InstantField, MoneyField
from core.api.views import WindfallView
from core.instants import format_instant
from core.money import format_amount
from jackpots.enums import InstanceStatus
from jackpots.models import Instance
from jackpots.selectors import read_meters
from operators.enums import Scope
from operators.models import Operator
from operators.requests import calling_operator

logger = logging.getLogger(__name__)

#: How long an answer is given again (API.md, jackpots).
FRESH_S = 1
#: How long a shared cache that failed is left alone: asking it again would hold up everybody.
_LEFT_ALONE_S = 5.0


@dataclass(frozen=True, slots=True)
class _Ticker:
    """An answer and its name: the same content has the same, whenever it was read."""

    body: str
    etag: str


@dataclass(slots=True)
class _Memory:
    """What this process remembers: answers while there is no shared cache, and until when."""

    left_alone_until: float = 0.0
    tickers: dict[int, tuple[_Ticker, float]] = field(default_factory=dict)


_memory = _Memory()


class TickerPotSerializer(serializers.Serializer[Any]):
    """What one pot stands at."""

    name = serializers.CharField()
    value = MoneyField()


class TickerInstanceSerializer(serializers.Serializer[Any]):
    """One active instance, its pots in their order."""

    instance_id = serializers.UUIDField()
    name = serializers.CharField()
    currency = CurrencyField()
    pots = TickerPotSerializer(many=True)


class TickerSerializer(serializers.Serializer[Any]):
    """Every active instance with its meters."""

    as_of = InstantField()
    instances = TickerInstanceSerializer(many=True)


class TickerView(WindfallView):
    """The meters of all active instances."""

    scopes: ClassVar = {"GET": Scope.READ}

    @extend_schema(
        operation_id="jackpot_ticker_retrieve",
        parameters=[
            OpenApiParameter(
                "If-None-Match", location="header", description="The ETag of the last answer."
            )
        ],
        responses={
            200: TickerSerializer,
            304: OpenApiResponse(description="Nothing has changed since that answer."),
            **problems(),
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """
        Return what the pots of all active instances stand at, oldest instance first.

        Meant to be polled: one answer serves an operator's screens for a second, and with
        `If-None-Match` an unchanged one is 304 without a body.
        """
        ticker = _fresh_ticker(calling_operator(request))
        response = HttpResponse(ticker.body, content_type="application/json")
        response["ETag"] = ticker.etag
        response["Cache-Control"] = f"private, max-age={FRESH_S}"
        response["Vary"] = "Authorization"
        answer = get_conditional_response(request._request, etag=ticker.etag, response=response)
        assert answer is not None, "without a precondition the response itself comes back"
        return answer


def forget_tickers() -> None:
    """Forget what this process remembers, as a fresh one would."""
    _memory.left_alone_until = 0.0
    _memory.tickers.clear()


def _fresh_ticker(operator: Operator) -> _Ticker:
    """Return the operator's ticker: the one of this second, or one that is read now."""
    found = _remembered(operator)
    if found is None:
        found = _read_ticker(operator)
        _remember(operator, found)
    return found


def _read_ticker(operator: Operator) -> _Ticker:
    now = timezone.now()
    active = list(
        Instance.objects.for_operator(operator)
        .filter(status=InstanceStatus.ACTIVE)
        .order_by("created_at", "pk")
        .values_list("pk", "name", "currency")
    )
    meters = read_meters(instance_ids=[instance_id for instance_id, _name, _currency in active])
    instances = [
        {
            "instance_id": str(instance_id),
            "name": name,
            "currency": currency,
            "pots": [
                {"name": pot.name, "value": format_amount(pot.value, currency)}
                for pot in meters[instance_id]
            ],
        }
        for instance_id, name, currency in active
    ]
    digest = hashlib.sha256(json.dumps(instances).encode()).hexdigest()
    body = json.dumps({"as_of": format_instant(now), "instances": instances})
    return _Ticker(body=body, etag=f'"{digest[:32]}"')


def _remembered(operator: Operator) -> _Ticker | None:
    if time.monotonic() >= _memory.left_alone_until:
        try:
            stored = cache.get(_key(operator))
        except Exception:
            # The client raises its own errors and the socket's; none may break a screen.
            logger.exception("the ticker's cache is away")
            _leave_alone()
        else:
            return None if stored is None else _Ticker(*stored)
    own = _memory.tickers.get(operator.pk)
    return own[0] if own is not None and time.monotonic() < own[1] else None


def _remember(operator: Operator, ticker: _Ticker) -> None:
    if time.monotonic() >= _memory.left_alone_until:
        try:
            cache.set(_key(operator), [ticker.body, ticker.etag], timeout=FRESH_S)
            return
        except Exception:
            # The client raises its own errors and the socket's; none may break a screen.
            logger.exception("the ticker's cache is away")
            _leave_alone()
    _memory.tickers[operator.pk] = (ticker, time.monotonic() + FRESH_S)


def _leave_alone() -> None:
    _memory.left_alone_until = time.monotonic() + _LEFT_ALONE_S


def _key(operator: Operator) -> str:
    return f"ticker:{operator.pk}"
