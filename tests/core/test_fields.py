"""What a field of the wire takes, and the long list of what it refuses."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from core.api.serializers import (
    BodySerializer,
    CountField,
    CurrencyField,
    DecimalStringField,
    FlagField,
    InstantField,
    MoneyField,
    ReferenceField,
    TextField,
    TimezoneField,
    parsed_path,
)
from core.errors import CurrencyUnknown

NO_AMOUNTS: list[Any] = [
    # not a string
    *[10, 0, -1, 0.1 + 0.2, 1e400, True, False, None, [], ["1"], {}, {"amount": "1"}],
    # signs, exponents, words
    *["-1", "-0", "+1", "1e5", "1E5", "1e309", "1e400", "1e-400", "NaN", "sNaN", "nan"],
    *["Infinity", "-Infinity", "inf", "0x10", "0b1", "1/2", "1%"],
    # what Decimal() or a number field would take
    *["1_000", " 1", "1 ", " 1 ", "\t1", "1\n", "1\u00a0", "1,5", "1.000,00", "1'000", "\u0661"],
    *["\uff11\uff12.\uff15", "1\uff0e5", "\u00bd", "1\u200b", "\u202e1"],
    # shapes
    *["", ".", ".5", "5.", "1.2.3", "--1", "1-", "a", "1a", "EUR 1", "\u20ac1", "1\x00", "\x00"],
    # too long
    *["1.000000001", "0.0000000000", "1" * 21, "0" * 21, "1" * 5_001, "0." + "1" * 5_000],
]


@pytest.mark.parametrize("value", NO_AMOUNTS, ids=lambda value: repr(value)[:24])
def test_what_is_no_amount_is_refused(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        MoneyField().run_validation(value)


@pytest.mark.parametrize(
    "text",
    ["0", "00", "0.0", "0.00000000", "007", "10.00", "0.00000001", "9" * 20 + "." + "9" * 8],
)
def test_an_amount_is_taken_to_the_last_digit(text: str) -> None:
    assert MoneyField().run_validation(text) == Decimal(text)


@given(st.text(alphabet="0123456789.,-+eE_ nNaAiIfF\uff11\u0661\u00bd", max_size=32))
def test_what_is_taken_is_a_number_that_can_be_stored(text: str) -> None:
    try:
        value = MoneyField().run_validation(text)
    except serializers.ValidationError:
        return

    # As wide as numeric(28, 8), and not a digit wider.
    assert value.is_finite()
    assert 0 <= value < Decimal(10) ** 20
    assert value == round(value, 8) == Decimal(text)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["9" * 20 + "." + "9" * 8, "0.00000001", "007.10"])
def test_the_database_keeps_every_digit_that_the_field_takes(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::numeric(28, 8)", [MoneyField().run_validation(text)])
        (stored,) = cursor.fetchone()

    assert stored == Decimal(text)


@pytest.mark.parametrize(
    ("text", "code"), [("0", "too_small"), ("0.1", None), ("1", None), ("1.1", "too_large")]
)
def test_a_bounded_decimal_keeps_its_bounds(text: str, code: str | None) -> None:
    field = DecimalStringField(decimals=1, digits=2, above=Decimal(0), up_to=Decimal(1))

    if code is None:
        assert field.run_validation(text) == Decimal(text)
    else:
        with pytest.raises(serializers.ValidationError) as refusal:
            field.run_validation(text)
        assert refusal.value.get_codes() == [code]


@pytest.mark.parametrize("text", ["100", "0.01"])
def test_a_decimal_has_no_more_digits_than_its_field(text: str) -> None:
    with pytest.raises(serializers.ValidationError):
        DecimalStringField(decimals=1, digits=2).run_validation(text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-29T01:00:00Z", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-03-29T03:00:00+02:00", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-03-28T20:30:00-04:30", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-03-29T01:00:00.000001Z", datetime(2026, 3, 29, 1, 0, 0, 1, tzinfo=UTC)),
        ("2026-03-29T01:00:00.123456789Z", datetime(2026, 3, 29, 1, 0, 0, 123456, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_an_instant_is_taken_in_any_offset_and_kept_in_utc(text: str, instant: datetime) -> None:
    value = InstantField().run_validation(text)

    assert value == instant
    assert value.utcoffset() == instant.utcoffset()


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-29T01:00:00",
        "2026-03-29",
        "2026-03-29Z",
        "01:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-03-29T24:00:01Z",
        "2026-03-29T01:00:60Z",
        "2026-03-29T01:00:00+24:00",
        "2026-03-29T01:00:00+0200",
        "2026-W13-7T01:00:00Z",
        "20260329T010000Z",
        "2026-03-29T01Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "\uff12026-03-29T01:00:00Z",
        " 2026-03-29T01:00:00Z",
        "2026-03-29T01:00:00Z\n",
        "now",
        "",
        1774746000,
        True,
        None,
        [],
        {},
    ],
    ids=repr,
)
def test_what_is_no_instant_is_refused(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        InstantField().run_validation(value)


def test_an_instant_is_written_with_z() -> None:
    assert InstantField().to_representation(datetime(2026, 3, 29, 1, tzinfo=UTC)) == (
        "2026-03-29T01:00:00Z"
    )


@pytest.mark.parametrize("value", ["a", " a ", "Zoe\u0308", "\u7389", "\U0001f600", "a b"])
def test_text_is_kept_in_its_composed_form(value: str) -> None:
    assert TextField().run_validation(value) == value.replace("e\u0308", "\u00eb")


@pytest.mark.parametrize(
    "value",
    ["", "a\x00", "a\nb", "\t", "\x1b[31m", "\u202etxt.exe", "\u200b", "\ud800", "\u2028", "\ufeff",
     "\u00a0", 1, True, None, [], {}],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_printable_text_is_refused(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        TextField().run_validation(value)


def test_the_length_of_text_is_that_of_its_composed_form() -> None:
    # U+FB1D is one character that composes to two.
    assert TextField(max_length=1).run_validation("e\u0308") == "\u00eb"
    with pytest.raises(serializers.ValidationError):
        TextField(max_length=1).run_validation("\ufb1d")


@pytest.mark.parametrize("value", ["", "x" * 65, "a/b", "/", ".", "..", "a\x00b", 7])
def test_what_cannot_stand_in_a_path_is_no_reference(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        ReferenceField().run_validation(value)


@pytest.mark.parametrize("value", ["1", 1.0, 1e3, True, False, None, -1, 2**31, [], {}, "x"])
def test_what_is_no_count_is_refused(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        CountField().run_validation(value)


@pytest.mark.parametrize("value", [0, 1, 2**31 - 1])
def test_a_count_is_a_json_integer(value: int) -> None:
    assert CountField().run_validation(value) == value


@pytest.mark.parametrize("value", ["true", "false", "yes", "", 0, 1, None, [], {}])
def test_what_merely_looks_like_a_flag_is_refused(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        FlagField().run_validation(value)


def test_a_flag_is_true_or_false() -> None:
    assert [FlagField().run_validation(value) for value in (True, False)] == [True, False]


@pytest.mark.parametrize("value", [978, None, [], {}, True])
def test_a_currency_is_a_string(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        CurrencyField().run_validation(value)


@pytest.mark.parametrize("value", ["", "eur", "EUX", "EUR\x00", "E" * 10_000])
def test_an_unknown_currency_has_a_name_of_its_own(value: str) -> None:
    with pytest.raises(CurrencyUnknown) as refusal:
        CurrencyField().run_validation(value)

    assert len(refusal.value.detail) < 100


@pytest.mark.parametrize(
    "value",
    [
        "Mars/Olympus",
        "europe/berlin",
        "../../etc/passwd",
        "",
        1,
        # Those of the machine that runs, and of no place.
        "localtime",
        "posixrules",
        "Factory",
    ],
)
def test_what_is_no_time_zone_is_refused(value: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        TimezoneField().run_validation(value)


def test_a_time_zone_is_taken_by_its_name() -> None:
    assert TimezoneField().run_validation("Europe/Berlin") == "Europe/Berlin"


class Inner(BodySerializer[None]):
    name = TextField()


class Outer(BodySerializer[None]):
    inner = Inner()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"inner": {"name": "a"}, "extra": 1}, ["extra"]),
        ({"inner": {"name": "a", "extra": 1}}, ["inner", "extra"]),
        ({"inner": {"name": "a", "__class__": 1}}, ["inner", "__class__"]),
    ],
)
def test_an_unknown_member_is_refused_at_every_depth(body: dict, path: list[str]) -> None:
    serializer = Outer(data=body)

    assert serializer.is_valid() is False
    found: Any = serializer.errors
    for name in path:
        found = found[name]
    assert found[0].code == "unknown"


def test_a_wrong_part_of_a_path_is_named() -> None:
    with pytest.raises(serializers.ValidationError) as refusal:
        parsed_path("player_id", ReferenceField(), "x" * 65)

    assert list(refusal.value.get_codes()) == ["player_id"]
    assert parsed_path("player_id", ReferenceField(), "anna") == "anna"
