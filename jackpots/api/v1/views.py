"""Contributions over HTTP, version 1: one instance, links ignored."""

from typing import ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from core.api.express import ExpressView
from core.api.idempotency import replay_headers, required_key
from core.api.problem_schema import problems
from core.api.responses import json_response
from jackpots.api.serializers import (
    ContributeSerializer,
    ContributionSerializer,
    read_wager,
    represent_contribution,
)
from jackpots.services.contributions import contribute
from operators.enums import Scope
from operators.requests import calling_operator


class ContributionView(ExpressView):
    """Contribute to one instance."""

    scopes: ClassVar = {"POST": Scope.PLAY}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="v1_contribute",
        request=ContributeSerializer,
        responses={201: ContributionSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, instance_id: UUID) -> HttpResponse:
        """Contribute to one instance. Links are ignored: version 2 follows them."""
        key = required_key(request)
        contributed = contribute(
            operator=calling_operator(request),
            instance_id=instance_id,
            wager=read_wager(request.data),
            follow_links=False,
            key=key,
            now=timezone.now(),
        )
        return json_response(
            represent_contribution(contributed.answer),
            status=201,
            headers=replay_headers(contributed.is_replay),
        )
