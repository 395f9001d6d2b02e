"""Batches of contributions over HTTP."""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from core.api.express import ExpressView
from core.api.idempotency import checked_key, fingerprint
from core.api.problem_schema import FieldErrorSerializer, problems
from core.api.problems import refusal_of
from core.api.responses import raw_json_response
from core.api.serializers import BodySerializer, parsed
from core.errors import DomainError, InvalidRequest
from core.idempotency import IdempotencyKey
from jackpots.api.serializers import (
    PLAIN_FIELDS,
    ContributeSerializer,
    LegSerializer,
    plain_wager,
    represent_leg,
    wager_of,
)
from jackpots.api.v2.templates import MARK, template_of
from jackpots.services.batches import (
    ITEMS_MAX,
    AsDecided,
    BatchItem,
    Decision,
    Outcome,
    contribute_batch,
)
from jackpots.services.contributions import results_of
from operators.enums import Scope
from operators.requests import calling_operator

_MEMBERS = PLAIN_FIELDS | {"idempotency_key", "instance_id"}
_UUID_LENGTH = 36
_encode = msgspec.json.Encoder().encode


class BatchContributionSerializer(ContributeSerializer):
    """A contribution of a batch, under a key of its own."""

    idempotency_key = serializers.CharField(
        max_length=255, help_text="As the Idempotency-Key header of a contribution by itself."
    )
    instance_id = serializers.UUIDField()


class BatchSerializer(BodySerializer[None]):
    """Contributions to send together; one that is malformed fails alone."""

    contributions = serializers.ListField(
        child=BatchContributionSerializer(), min_length=1, max_length=ITEMS_MAX
    )


class _EnvelopeSerializer(BodySerializer[None]):
    contributions = serializers.ListField()


class BatchErrorSerializer(serializers.Serializer[Any]):
    """Why one contribution of a batch failed: what it would have heard by itself."""

    code = serializers.CharField()
    detail = serializers.CharField()
    errors = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment]


class BatchResultSerializer(serializers.Serializer[Any]):
    """What became of one contribution of a batch."""

    idempotency_key = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=["accepted", "failed", "replayed"])
    results = LegSerializer(many=True, allow_null=True)
    error = BatchErrorSerializer(allow_null=True)


class BatchResultsSerializer(serializers.Serializer[Any]):
    """What became of each contribution of a batch, in their order."""

    results = BatchResultSerializer(many=True)


class BatchView(ExpressView):
    """Contribute many times at once."""

    scopes: ClassVar = {"POST": Scope.PLAY}

    @extend_schema(
        operation_id="v2_contribute_batch",
        request=BatchSerializer,
        responses={200: BatchResultsSerializer, **problems(400)},
    )
    def post(self, request: Request) -> HttpResponse:
        """
        Contribute up to 1000 times, each as by itself: links are followed.

        No Idempotency-Key header is needed: every contribution names its own key, from the
        same space as the header's. A batch that was sent before is answered by replays.
        """
        bodies = _contributions_of(request.data)
        read = [_read_item(body, path=request.path) for body in bodies]
        outcomes = iter(
            contribute_batch(
                operator=calling_operator(request),
                items=[item for item in read if isinstance(item, BatchItem)],
                now=timezone.now(),
            )
        )
        templates: dict[Decision, str] = {}
        results = [
            _represent(body, item if isinstance(item, DomainError) else next(outcomes), templates)
            for body, item in zip(bodies, read, strict=True)
        ]
        return raw_json_response(f'{{"results":[{",".join(results)}]}}')


def _contributions_of(data: Any) -> list[Any]:
    # Items are judged one by one, so the serializer sees the envelope without them.
    envelope = {name: [] for name in data} if isinstance(data, dict) else data
    parsed(_EnvelopeSerializer, envelope)
    bodies = data["contributions"]
    if not isinstance(bodies, list):
        raise InvalidRequest.for_field("contributions", "It must be a list.")
    if not 1 <= len(bodies) <= ITEMS_MAX:
        raise InvalidRequest.for_field("contributions", f"Send 1 to {ITEMS_MAX} at a time.")
    return bodies


def _read_item(body: Any, *, path: str) -> BatchItem | DomainError:
    """Return the item that a body describes, or the refusal of a malformed one."""
    try:
        if not isinstance(body, dict):
            raise InvalidRequest("A contribution must be a JSON object.")
        item = _plain_item(body, path=path) or _checked_item(body, path=path)
    except ValidationError as error:
        return refusal_of(error)
    except DomainError as refusal:
        return refusal
    return item


def _plain_item(body: dict[str, Any], *, path: str) -> BatchItem | None:
    """Return the item of a plain body, as nearly all are, or None if it needs a closer look."""
    key, instance_id = body.get("idempotency_key"), body.get("instance_id")
    if type(key) is not str or type(instance_id) is not str or len(instance_id) != _UUID_LENGTH:
        return None
    wager = plain_wager(body, members=_MEMBERS)
    if wager is None:
        return None
    try:
        return BatchItem(_key_of(body, key, path=path), _uuid_of(instance_id), wager)
    except ValueError:
        return None


# Most items of a batch are for few instances.
_uuid_of = lru_cache(maxsize=1000)(UUID)


def _checked_item(body: dict[str, Any], *, path: str) -> BatchItem:
    valid = parsed(BatchContributionSerializer, body)
    key = _key_of(body, valid["idempotency_key"], path=path)
    return BatchItem(key, valid["instance_id"], wager_of(valid))


def _key_of(body: dict[str, Any], key: str, *, path: str) -> IdempotencyKey:
    return IdempotencyKey(checked_key(key), fingerprint("POST", path, body))


def _represent(body: Any, outcome: Outcome, templates: dict[Decision, str]) -> str:
    """Return the JSON of what became of an item."""
    key = body.get("idempotency_key") if isinstance(body, dict) else None
    key = key if isinstance(key, str) else None
    if isinstance(outcome, AsDecided):
        decision = outcome.decision
        if decision not in templates:
            templates[decision] = _template(decision)
        return templates[decision] % (_encode(key).decode(), *outcome.contribution_ids)
    result: dict[str, Any] = {
        "idempotency_key": key,
        "status": "failed",
        "results": None,
        "error": None,
    }
    if isinstance(outcome, DomainError):
        result["error"] = {"code": outcome.code, "detail": outcome.detail}
        if "errors" in outcome.members:
            result["error"]["errors"] = outcome.members["errors"]
    else:
        result["status"] = "replayed" if outcome.is_replay else "accepted"
        result["results"] = _represent_legs(outcome.answer["results"])
    return _encode(result).decode()


def _template(decision: Decision) -> str:
    """Return the result of items that went as decided, to be filled in with key and ids."""
    legs = [replace(leg, id=MARK) for leg in decision.legs]
    results = template_of(_represent_legs(results_of(legs=legs)))
    return f'{{"idempotency_key":%s,"status":"accepted","results":{results},"error":null}}'


def _represent_legs(legs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [represent_leg(leg) for leg in legs]
