"""core.api.parsers.parse_json: JSON without the traps."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from core.api.parsers import DEPTH_MAX, INTEGER_DIGITS_MAX, parse_json, parse_strictly

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.binary())
def test_any_bytes_are_a_value_or_refused(body: bytes) -> None:
    try:
        value = parse_json(body)
    except ParseError:
        return

    # What is taken is what Python's own, more generous parser reads.
    assert value == json.loads(body)


#: What a body is made of; put together at random it is often JSON, and seldom quite.
PIECES = [
    *(b"{", b"}", b"[", b"]", b",", b":", b'"a"', b'"a":', b'"a":1', b'{"a":1,"a":1}', b'"b:"'),
    *(b'"a":"::"', b'"\\u003a"', b'"\\u0000"', b"\x00", b'"\x01"', b'"\xff"', b'"\xed\xa0\x80"'),
    *(b"1e400", b"1.0", b"-0", b"9" * 31, b"NaN", b"null", b" ", b"\n", b"\xef\xbb\xbf", b"[" * 16),
    *(b'{"a":' * 15, b"]" * 16, b"}" * 15, b'"\xc3\xa9"', b'"\x7f"', b"01", b"true", b"'"),
]


@given(
    st.lists(st.sampled_from(PIECES)).map(b"".join)
    | documents.map(lambda it: json.dumps(it).encode())
)
def test_the_quick_parser_takes_and_refuses_what_the_strict_one_does(body: bytes) -> None:
    assert outcome(parse_json, body) == outcome(parse_strictly, body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"1","a":"1"}',
        b'{"a":"1", "a" : "1:2", "b":"::"}',
        b'{"a":{"b":":"},"a":":"}',
        b'[{"a":":","a":""}]',
        b'{"a":1,"\\u0061":2,"b":"\\u003a"}',
    ],
)
def test_no_name_comes_twice(body: bytes) -> None:
    with pytest.raises(ParseError, match="twice"):
        parse_json(body)


@pytest.mark.parametrize("around", [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("inner", [b'"text"', b"1", b"[]"])
def test_depth_is_counted_alike(around: tuple[bytes, bytes], inner: bytes) -> None:
    for depth in range(DEPTH_MAX - 1, DEPTH_MAX + 2):
        body = around[0] * depth + inner + around[1] * depth
        assert outcome(parse_json, body) == outcome(parse_strictly, body)


def outcome(parse: Callable[[bytes], Any], body: bytes) -> str:
    """Return what a parser makes of a body, types and all, or says against it."""
    try:
        return repr(parse(body))
    except ParseError as refusal:
        return f"refused: {refusal}"


@given(documents)
def test_what_can_be_stored_is_taken_unchanged_and_the_rest_refused(document: Any) -> None:
    body = json.dumps(document).encode()

    if is_storable(document):
        assert parse_json(body) == document
    else:
        with pytest.raises(ParseError):
            parse_json(body)


def is_storable(value: Any) -> bool:
    match value:
        case bool() | None:
            return True
        case int():
            return len(str(value)) <= INTEGER_DIGITS_MAX
        case float():
            return math.isfinite(value)
        case str():
            return "\x00" not in value and not any("\ud800" <= each <= "\udfff" for each in value)
        case list():
            return all(map(is_storable, value))
        case _:
            return all(map(is_storable, [*value, *value.values()]))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["\ud83d\ude00", "\x01", "\x7f", "\ufffe", "\U0010ffff", "\u0000"[:0], "\\u0000"]
)
def test_the_database_takes_what_the_parser_takes(text: str) -> None:
    body = json.dumps({"text": text}).encode()
    value = parse_json(body)

    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb ->> 'text'", [json.dumps(value)])
        (stored,) = cursor.fetchone()

    assert stored == value["text"]


@pytest.mark.parametrize(
    ("depth", "is_taken"), [(DEPTH_MAX, True), (DEPTH_MAX + 1, False), (100_000, False)]
)
def test_nesting_ends_somewhere(depth: int, is_taken: bool) -> None:
    body = b"[" * depth + b"1" + b"]" * depth

    if is_taken:
        assert parse_json(body) != []
    else:
        with pytest.raises(ParseError, match="nested too deeply"):
            parse_json(body)


@pytest.mark.parametrize(
    ("digits", "is_taken"),
    [(INTEGER_DIGITS_MAX, True), (INTEGER_DIGITS_MAX + 1, False), (5_001, False)],
)
def test_integers_end_somewhere(digits: int, is_taken: bool) -> None:
    body = b"9" * digits

    if is_taken:
        assert parse_json(body) == 10**digits - 1
    else:
        with pytest.raises(ParseError, match="out of range"):
            parse_json(body)


@pytest.mark.parametrize("body", [b"1e309", b"-1e309", b"1" * 400 + b".5", b"1e400"])
def test_numbers_end_somewhere(body: bytes) -> None:
    with pytest.raises(ParseError, match="out of range"):
        parse_json(body)


@pytest.mark.parametrize(
    "body", [b'{"a": 1, "a": 1}', b'[{"b": {"a": 1, "a": 2}}]', b'{"a": 1, "\\u0061": 2}']
)
def test_a_name_stands_once_in_an_object(body: bytes) -> None:
    with pytest.raises(ParseError, match="same key twice"):
        parse_json(body)


def test_what_is_wrong_is_said_with_its_place() -> None:
    with pytest.raises(ParseError, match=r"line 2, column 6"):
        parse_json(b'{"a":\n "b" "c"}')
