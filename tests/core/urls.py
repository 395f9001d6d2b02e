"""Routes that answer in every way an endpoint can, for the tests of what callers then hear."""

from typing import Any, ClassVar

import psycopg
from django.core.exceptions import PermissionDenied
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404
from django.urls import path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import audit
from core.api.idempotency import respond_once
from core.api.serializers import BodySerializer, TextField, parsed
from core.api.views import WindfallView
from core.errors import DomainError
from core.models import AuditEntry
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator


class DoorClosed(DomainError):
    """The door is closed."""

    code = "DOOR_CLOSED"
    title = "Door closed"
    retry_after_s = 7


class Line(BodySerializer[None]):
    text = TextField(max_length=3)


class Letter(BodySerializer[None]):
    lines = Line(many=True)

    def validate(self, body: dict[str, Any]) -> dict[str, Any]:
        raise serializers.ValidationError("Nobody writes letters.")


def failed(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


FAILURES: dict[str, Exception] = {
    "bug": RuntimeError("the password is hunter2"),
    "closed": DoorClosed("It is.", until="noon", code="SHADOWED", status=200),
    "absent": Http404("SELECT secret"),
    "forbidden": PermissionDenied("the reason is secret"),
    "lock": failed(OperationalError("x"), psycopg.errors.LockNotAvailable("x")),
    "deadlock": failed(OperationalError("x"), psycopg.errors.DeadlockDetected("x")),
    "serialization": failed(OperationalError("x"), psycopg.errors.SerializationFailure("x")),
    "slow": failed(OperationalError("x"), psycopg.errors.QueryCanceled("x")),
    "shutdown": failed(OperationalError("x"), psycopg.errors.AdminShutdown("x")),
    "gone": failed(OperationalError("x"), psycopg.OperationalError("x")),
    "interface": InterfaceError("connection already closed"),
    "data": failed(DataError("x"), psycopg.errors.NumericValueOutOfRange("x")),
}


class FailingView(WindfallView):
    """Fails in the way that is asked for."""

    scopes: ClassVar = {"GET": Scope.READ, "POST": Scope.PLAY}

    def get(self, request: Request, failure: str) -> Response:
        raise FAILURES[failure]

    def post(self, request: Request, failure: str) -> Response:
        return Response(parsed(Letter, request.data))


class CommandView(WindfallView):
    """A command that leaves one audit entry and answers with its number, or is refused."""

    scopes: ClassVar = {"POST": Scope.PLAY}

    def post(self, request: Request) -> Response:
        operator, now = calling_operator(request), timezone.now()

        def command() -> tuple[int, Any]:
            entry = audit.record_action(
                operator=operator,
                actor=calling_actor(request),
                action="test.acted",
                subject=AuditEntry(),
                now=now,
            )
            if "refuse" in request.data:
                raise DoorClosed("It is.")
            return 202, {"number": entry.pk, "body": request.data}

        return respond_once(request, operator=operator, now=now, command=command)


urlpatterns = [
    path("failures/<str:failure>", FailingView.as_view()),
    path("commands", CommandView.as_view()),
    path("commands/again", CommandView.as_view()),
]

handler404 = "core.api.problems.not_found_page"
handler500 = "core.api.problems.server_error_page"
