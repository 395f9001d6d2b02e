"""What the platform answers, before it goes over the wire."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.sandbox.payouts import Payout
from adapters.sandbox.state import Bonus

JSON = "application/json"


@dataclass(frozen=True)
class Answer:
    """A status and a body: what is not bytes goes out as JSON. ``about`` is what it tells of."""

    status: int
    body: Any
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    about: Bonus | Payout | None = None

    def as_bytes(self) -> bytes:
        """Return the body as it goes over the wire."""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, indent=2).encode() + b"\n"


class Refused(Exception):
    """The platform refuses a request: a status, and a code to branch on."""

    def __init__(self, status: int, code: str, message: str, **members: Any) -> None:
        super().__init__(message)
        self.answer = Answer(status, {"code": code, "message": message, **members})


def parse_object(body: bytes) -> dict[str, Any]:
    """
    Return the JSON object in ``body``; no body is an empty one.

    :raises Refused: if it is something else.
    """
    try:
        parsed = json.loads(body) if body.strip() else {}
    except ValueError as error:
        raise Refused(400, "INVALID_REQUEST", f"The body is not JSON: {error}.") from error
    if not isinstance(parsed, dict):
        raise Refused(400, "INVALID_REQUEST", "The body is not a JSON object.")
    return parsed


def take_integer(body: Mapping[str, Any], name: str, *, default: int | None = None) -> int:
    """
    Return a member that is a positive integer.

    :raises Refused: if it is something else, or missing without a default.
    """
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Refused(422, "INVALID_REQUEST", f"{name} must be an integer above zero.")
    return value


def take_text(body: Mapping[str, Any], name: str, *, default: str | None = None) -> str:
    """
    Return a member that is a text with something in it.

    :raises Refused: if it is something else, or missing without a default.
    """
    value = body.get(name, default)
    if not isinstance(value, str) or not value:
        raise Refused(422, "INVALID_REQUEST", f"{name} must be a text.")
    return value
