"""Promised contributions over HTTP: the 202, and what became of it."""

from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import replay_headers, required_key
from core.api.problem_schema import ProblemSerializer, problems
from core.api.problems import problem_of
from core.api.serializers import InstantField, parsed
from core.api.views import WindfallView
from core.errors import DomainError
from core.instants import format_instant
from jackpots.api.serializers import (
    ContributeSerializer,
    LegSerializer,
    represent_leg,
    represent_linked_contribution,
    wager_of,
)
from jackpots.enums import RequestStatus
from jackpots.models import ContributionRequest
from jackpots.services.requests import (
    get_contribution_request,
    is_promise,
    promise_contribution,
)
from operators.enums import Scope
from operators.requests import calling_operator

_PREFERENCE = "respond-async"


class PromisedContributionSerializer(serializers.Serializer[Any]):
    """A contribution that will be applied, whatever happens meanwhile."""

    request_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=[RequestStatus.PENDING])


class ContributionRequestSerializer(serializers.Serializer[Any]):
    """What became of a promised contribution."""

    request_id = serializers.UUIDField()
    instance_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=RequestStatus.choices)
    results = LegSerializer(many=True, allow_null=True)
    error = ProblemSerializer(
        allow_null=True, help_text="Of one that failed: what a call without Prefer would hear."
    )
    received_at = InstantField()
    finished_at = InstantField(allow_null=True)


def prefers_async(request: Request) -> bool:
    """Tell whether the caller would rather be promised the effect than wait for it (RFC 7240)."""
    preferences = request.META.get("HTTP_PREFER", "").split(",")
    return any(each.partition(";")[0].strip().lower() == _PREFERENCE for each in preferences)


def respond_async(request: Request, instance_id: UUID) -> Response:
    """Promise the contribution that the request asks for: 202, and where to ask after it."""
    key = required_key(request)
    promised = promise_contribution(
        operator=calling_operator(request),
        instance_id=instance_id,
        wager=wager_of(parsed(ContributeSerializer, request.data)),
        key=key,
        now=timezone.now(),
    )
    return respond_stored(promised.answer, is_replay=promised.is_replay)


def respond_stored(answer: dict[str, Any], *, is_replay: bool) -> Response:
    """
    Answer with what is stored under a key: a promise, or what a contribution did.

    One key has one first answer, however the repetition asks for it (API.md, idempotency).
    """
    headers = replay_headers(is_replay)
    if not is_promise(answer=answer):
        return Response(represent_linked_contribution(answer), status=201, headers=headers)
    location = reverse("contribution-request", kwargs={"request_id": answer["request_id"]})
    return Response(
        {"request_id": answer["request_id"], "status": RequestStatus.PENDING},
        status=202,
        headers={**headers, "Location": location, "Preference-Applied": _PREFERENCE},
    )


class ContributionRequestView(WindfallView):
    """A promised contribution."""

    scopes: ClassVar = {"GET": Scope.READ}

    @extend_schema(
        operation_id="jackpot_contribution_requests_retrieve",
        responses={200: ContributionRequestSerializer, **problems(404)},
    )
    def get(self, request: Request, request_id: UUID) -> Response:
        """
        Return what became of a contribution that was promised with a 202.

        `done` has the `results` that a call without Prefer would have heard, `failed` its
        problem document as `error`. A failed one is not tried again: send it anew, under
        another Idempotency-Key.
        """
        found = get_contribution_request(operator=calling_operator(request), request_id=request_id)
        return Response(_represent(found))


def _represent(found: ContributionRequest) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "request_id": str(found.pk),
        "instance_id": str(found.instance_id),
        "status": found.status,
        "results": None,
        "error": None,
        "received_at": format_instant(found.received_at),
        "finished_at": None,
    }
    if found.finished_at is not None:
        shown["finished_at"] = format_instant(found.finished_at)
    if found.answer is not None:
        shown["results"] = represent_linked_contribution(found.answer)["results"]
    if found.error is not None:
        shown["error"] = _problem(found.error, instance_id=found.instance_id)
    return shown


def _problem(stored: dict[str, Any], *, instance_id: UUID) -> dict[str, Any]:
    """Return the problem document that the call itself would have been answered."""
    facts = {name: stored[name] for name in ("code", "title", "status")}
    members = dict(stored["members"])
    if "results" in members:
        members["results"] = [represent_leg(leg) for leg in members["results"]]
    refusal = type("StoredRefusal", (DomainError,), facts)(stored["detail"], **members)
    path = reverse("v2-contributions", kwargs={"instance_id": instance_id})
    return problem_of(refusal, path=path)
