"""A platform's event in our types: the one place that knows its words (docs/platform-events.md)."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rest_framework.exceptions import ParseError

from bonuses.enums import PlatformEventType
from bonuses.errors import InvalidEvent
from bonuses.services.state_sync import PlatformEventBody
from core.api.parsers import parse_json

EVENT_ID_LENGTH_MAX = 255
TYPE_LENGTH_MAX = 64
PLATFORM_ID_LENGTH_MAX = 200
#: A longer reason is cut: it is a platform's prose, and no reason to lose the event.
REASON_LENGTH_MAX = 500

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def parse_event(body: bytes) -> PlatformEventBody:
    """
    Return the event that ``body`` says.

    Of a type that we do not know only the envelope is read: what its data means is not ours
    to say, and so neither is what would be wrong with it.

    :raises InvalidEvent: if it is not JSON, or not an event as the contract describes it.
    """
    try:
        event = parse_json(body)
    except ParseError as error:
        raise InvalidEvent(str(error.detail)) from None
    if not isinstance(event, dict):
        raise InvalidEvent("The body is not an object.")
    kind = _text(event, "event", length_max=TYPE_LENGTH_MAX)
    is_known = kind in PlatformEventType.values
    data = event.get("data")
    if not isinstance(data, dict):
        if is_known:
            raise InvalidEvent("data is not an object.")
        data = {}
    return PlatformEventBody(
        event_id=_text(event, "event_id", length_max=EVENT_ID_LENGTH_MAX),
        type=kind,
        ts=_instant(event.get("ts")),
        digest=hashlib.sha256(body).hexdigest(),
        **(_effect(data) if is_known else _bonus_if_named(data)),
    )


def _effect(data: Mapping[str, Any]) -> dict[str, Any]:
    named = {"grant_id": _grant_id(data), "platform_bonus_id": _platform_bonus_id(data)}
    if named == {"grant_id": None, "platform_bonus_id": None}:
        raise InvalidEvent("data names neither grant_id nor platform_bonus_id.")
    reason = data.get("reason")
    if reason is not None and not isinstance(reason, str):
        raise InvalidEvent("reason is not text.")
    return {
        **named,
        "wagered_amount_subunit": _integer(data, "wagered_amount_subunit"),
        "weighted_progress_subunit": _integer(data, "weighted_progress_subunit"),
        "reason": (reason or "")[:REASON_LENGTH_MAX],
    }


def _bonus_if_named(data: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"grant_id": _grant_id(data), "platform_bonus_id": _platform_bonus_id(data)}
    except InvalidEvent:
        return {}


def _grant_id(data: Mapping[str, Any]) -> UUID | None:
    value = data.get("grant_id")
    if value is None:
        return None
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise InvalidEvent("grant_id is not a UUID.")
    return UUID(value)


def _platform_bonus_id(data: Mapping[str, Any]) -> str | None:
    if data.get("platform_bonus_id") is None:
        return None
    return _text(data, "platform_bonus_id", length_max=PLATFORM_ID_LENGTH_MAX)


def _text(source: Mapping[str, Any], name: str, *, length_max: int) -> str:
    value = source.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= length_max or not value.isprintable():
        raise InvalidEvent(f"{name} is not 1 to {length_max} printable characters.")
    return value


def _integer(data: Mapping[str, Any], name: str) -> int | None:
    value = data.get(name)
    # True is an int to Python, and 1.0 might have been 1.5: neither is an amount.
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise InvalidEvent(f"{name} is not an integer.")
    return value


def _instant(value: Any) -> datetime:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise InvalidEvent("ts is not an RFC 3339 instant.")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidEvent("ts is not an instant that exists.") from None
