"""The Idempotency-Key header: required, well-formed, and tied to one request."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from core import idempotency
from core.errors import IdempotencyKeyRequired, InvalidRequest
from core.idempotency import IdempotencyKey, Keeping

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_ONLY_TEXTS = {str}
# Spaces are allowed inside a key, not around it.
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


def required_key(request: Request) -> IdempotencyKey:
    """
    Return the key of a command, with the fingerprint of its request.

    The fingerprint covers method, path and the parsed body: the same command with other
    white space is the same command.

    :raises IdempotencyKeyRequired: if the header is missing.
    :raises InvalidRequest: if it is not 1 to 255 printable ASCII characters.
    """
    value = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if value is None:
        raise IdempotencyKeyRequired(
            f"Send an {HEADER} header, a fresh one for every command, and repeat it on retries."
        )
    return IdempotencyKey(
        value=checked_key(value),
        fingerprint=fingerprint(str(request.method), request.path, request.data),
    )


def checked_key(value: str) -> str:
    """
    Return ``value`` if it can be a key.

    :raises InvalidRequest: if it is not 1 to 255 printable ASCII characters.
    """
    if not _KEY.fullmatch(value):
        raise InvalidRequest(f"The {HEADER} must be 1 to 255 printable ASCII characters.")
    return value


def fingerprint(method: str, path: str, body: Any) -> str:
    """Return the SHA-256, in hex, of what makes two requests the same."""
    return hashlib.sha256(_canonical_bytes(method, path, body)).hexdigest()


def _canonical_bytes(method: str, path: str, body: Any) -> bytes:
    # Of nothing but ASCII texts both encoders make the same bytes, except for DEL.
    if type(body) is dict and set(map(type, body.values())) == _ONLY_TEXTS:
        quickly = _encode_sorted([method, path, body])
        if quickly.isascii() and b"\x7f" not in quickly:
            return quickly
    return _canonical([method, path, body]).encode()


def respond_once(
    request: Request,
    *,
    operator: Any,
    now: datetime,
    command: Callable[[], tuple[int, Any]],
    prepare: Callable[[], None] | None = None,
) -> Response:
    """
    Answer with what ``command`` returns (status, body), once per key.

    ``command`` calls one joining service; it runs in the transaction in which the answer
    is stored. A replay has the same status and body, and says so in a header. ``prepare``
    runs before it and outside any transaction (a platform is asked), but not for a replay.
    """
    key = required_key(request)
    if prepare is not None and idempotency.find_answer(operator=operator, key=key) is None:
        prepare()

    def answer() -> str:
        return _answer_of(*command())

    answered = idempotency.answer_once(operator=operator, key=key, now=now, command=answer)
    status, body = json.loads(answered.answer)
    return Response(body, status=status, headers=replay_headers(answered.is_replay))


def keeping(request: Request, status: int, represent: Callable[[Any], Any]) -> Keeping:
    """Return how a command stores its own answer: ``represent`` makes the body of its result."""
    return Keeping(
        key=required_key(request), answer_of=lambda result: _answer_of(status, represent(result))
    )


def _answer_of(status: int, body: Any) -> str:
    return json.dumps([status, body], cls=JSONEncoder)


def replay_headers(is_replay: bool) -> dict[str, str]:  # noqa: FBT001
    """Return the header that marks a replayed answer, if it is one."""
    return {REPLAYED_HEADER: "true"} if is_replay else {}
