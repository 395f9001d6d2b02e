"""Contributions over HTTP, version 2: links are followed."""

from dataclasses import replace
from functools import lru_cache
from typing import ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from core.api.express import ExpressView
from core.api.idempotency import required_key
from core.api.problem_schema import problems
from core.api.responses import json_response, raw_json_response
from core.errors import DomainError
from jackpots.api.serializers import (
    ContributeSerializer,
    LinkedContributionSerializer,
    read_wager,
    represent_leg,
    represent_linked_contribution,
)
from jackpots.api.v2.requests import (
    PromisedContributionSerializer,
    prefers_async,
    respond_async,
    respond_stored,
)
from jackpots.api.v2.templates import MARK, template_of
from jackpots.services.contributions import Accepted, contribute, results_of
from jackpots.services.decisions import Decision
from operators.enums import Scope
from operators.requests import calling_operator


class LinkedContributionView(ExpressView):
    """Contribute to an instance and to those directly linked to it."""

    scopes: ClassVar = {"POST": Scope.PLAY}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="v2_contribute",
        request=ContributeSerializer,
        parameters=[
            OpenApiParameter(
                "Prefer",
                location="header",
                description="`respond-async`: be promised the effect (202) instead.",
            )
        ],
        responses={
            201: LinkedContributionSerializer,
            202: PromisedContributionSerializer,
            **problems(400, 404, 409, 422),
        },
    )
    def post(self, request: Request, instance_id: UUID) -> HttpResponse:
        """
        Contribute to an instance and to every instance directly linked to it.

        Only the links of this instance are followed, one hop. A linked leg that fails
        never fails the request. If the main leg fails, nothing is written, and the
        problem document carries `results` (the main leg) and `not_attempted`.

        With `Prefer: respond-async` the answer is 202 and a `Location` to ask: what was
        answered so is applied exactly once, at the terms of that instant. One
        Idempotency-Key has one first answer, whether it is repeated with Prefer or without.
        """
        if prefers_async(request):
            return respond_async(request, instance_id)
        key = required_key(request)
        try:
            contributed = contribute(
                operator=calling_operator(request),
                instance_id=instance_id,
                wager=read_wager(request.data),
                follow_links=True,
                key=key,
                now=timezone.now(),
            )
        except DomainError as refusal:
            if "results" in refusal.members:
                results = [represent_leg(leg) for leg in refusal.members["results"]]
                refusal.members["results"] = results
            raise
        if contributed.is_replay:
            # The key may be that of a promise.
            return respond_stored(contributed.answer, is_replay=True)
        if isinstance(contributed, Accepted):
            ids = (contributed.request_id, *contributed.leg_ids)
            return raw_json_response(_template(contributed.decision) % ids, status=201)
        return json_response(represent_linked_contribution(contributed.answer), status=201)


@lru_cache(maxsize=1000)
def _template(decision: Decision) -> str:
    """Return the answer to requests that went as decided, to be filled in with their ids."""
    legs = [replace(leg, id=MARK) for leg in decision.legs]
    return template_of(
        represent_linked_contribution({"request_id": MARK, "results": results_of(legs=legs)})
    )
