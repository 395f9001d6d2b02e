"""JSON in, without the traps: every input that could not be stored is a clear 4xx here."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import IO, Any

import msgspec
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

#: A body above this is refused (API.md, errors).
BODY_BYTES_MAX = 1024 * 1024
#: Nothing in the contract nests deeper than a handful of levels.
DEPTH_MAX = 16
INTEGER_DIGITS_MAX = 30

_PLAIN_INTEGER_MAX = 10**18

_decode = msgspec.json.Decoder().decode


class BodyTooLarge(APIException):
    """The body is larger than the endpoint takes."""

    status_code = 413
    default_code = "body_too_large"
    default_detail = "The body is larger than this endpoint takes."


class StrictJSONParser(BaseParser):
    """
    Parse JSON (UTF-8) and refuse what PostgreSQL or a careful reader could not take.

    Refused with 400: duplicate keys, NUL, lone surrogates, NaN and Infinity, numbers
    beyond the range of a float, absurdly long integers, deep nesting. Bodies above
    BODY_BYTES_MAX are refused with 413.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(BODY_BYTES_MAX + 1)
        if len(body) > BODY_BYTES_MAX:
            raise BodyTooLarge(f"The body is larger than {BODY_BYTES_MAX} bytes.")
        return parse_json(body)


def parse_json(body: bytes) -> Any:
    """
    Return the value of a JSON document.

    A plain document, as nearly all are, is taken by a quick parser; the strict one judges the
    others, and says what is wrong with them.

    :raises ParseError: if it is not JSON, or holds something listed at StrictJSONParser.
    """
    try:
        return _parse_plainly(body)
    except (_NotPlainError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return parse_strictly(body)


class _NotPlainError(Exception):
    """A document that is not plain; it may be perfectly good."""


def _parse_plainly(body: bytes) -> Any:
    if b"\\" in body:
        raise _NotPlainError
    value = _decode(body)
    # Every name has a colon of its own, so if there are no more colons than names (and in
    # texts), no name came twice. Without escapes texts stand in the body as they are.
    surplus = body.count(b":") - _count_names(value, depth=0)
    if surplus and surplus != _count_colons(value):
        raise _NotPlainError
    return value


def _count_names(value: Any, *, depth: int) -> int:
    """Return how many names the objects in a plain value have."""
    if depth >= DEPTH_MAX:
        raise _NotPlainError
    kind = type(value)
    if kind is dict:
        count, inner = len(value), value.values()
    elif kind is list:
        count, inner = 0, value
    elif (
        (kind is int and -_PLAIN_INTEGER_MAX < value < _PLAIN_INTEGER_MAX)
        or kind is str
        or kind is bool
        or value is None
    ):
        return 0
    else:
        raise _NotPlainError
    for each in inner:
        if type(each) is not str:
            count += _count_names(each, depth=depth + 1)
    return count


def _count_colons(value: Any) -> int:
    """Return how many colons are in the texts of a plain value, names among them."""
    if isinstance(value, str):
        return value.count(":")
    if isinstance(value, dict):
        return sum(map(_count_colons, value)) + sum(map(_count_colons, value.values()))
    return sum(map(_count_colons, value)) if isinstance(value, list) else 0


def parse_strictly(body: bytes) -> Any:
    """
    Return the value of a JSON document, looked at closely.

    :raises ParseError: if it is not JSON, or holds something listed at StrictJSONParser.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_finite,
            parse_int=_integer,
            parse_constant=_constant,
        )
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8.") from None
    except RecursionError:
        raise ParseError("The body is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise ParseError(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None
    # Only an escape can make a character that is refused: a raw one is no JSON, or no UTF-8.
    _check(value, depth=0, holds_escapes=b"\\u" in body)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ParseError("An object of the body has the same key twice.")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ParseError("A number of the body is out of range.")
    return number


def _integer(text: str) -> int:
    if len(text) > INTEGER_DIGITS_MAX:
        raise ParseError("A number of the body is out of range.")
    return int(text)


def _constant(text: str) -> Any:
    raise ParseError(f"{text} is not JSON.")


def _check(value: Any, *, depth: int, holds_escapes: bool) -> None:
    if depth > DEPTH_MAX:
        raise ParseError("The body is nested too deeply.")
    if isinstance(value, str):
        if holds_escapes:
            _check_text(value)
    elif isinstance(value, dict):
        if holds_escapes:
            for name in value:
                _check_text(name)
        _check_all(value.values(), depth=depth + 1, holds_escapes=holds_escapes)
    elif isinstance(value, list):
        _check_all(value, depth=depth + 1, holds_escapes=holds_escapes)


def _check_all(values: Iterable[Any], *, depth: int, holds_escapes: bool) -> None:
    for value in values:
        # Most values are texts, and mostly there is nothing to look for in them.
        if holds_escapes or not isinstance(value, str) or depth > DEPTH_MAX:
            _check(value, depth=depth, holds_escapes=holds_escapes)


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise ParseError("The body holds a NUL character.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ParseError("The body holds half of a surrogate pair.")
