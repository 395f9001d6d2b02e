"""Bodies and fields of the wire contract (API.md, conventions)."""

import re
import unicodedata
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ParseError

from core.errors import CurrencyUnknown
from core.instants import format_instant
from core.money import AMOUNT_DECIMALS, currencies
from core.zones import zone_names

T = TypeVar("T")

# RFC 3339: of ISO 8601 neither week dates nor basic forms, and an offset always.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


class BodySerializer(serializers.Serializer[T]):
    """A request body: an object whose every member is known. Unknown ones are refused."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError(
                    {name: ["This field is not known here."] for name in unknown}, code="unknown"
                )
        return super().to_internal_value(data)


def parsed(serializer_class: type[BodySerializer[Any]], data: Any, **kwargs: Any) -> dict[str, Any]:
    """
    Return the validated members of a body.

    :raises ValidationError: with one entry per invalid field.
    """
    serializer = serializer_class(data=data, **kwargs)
    if not isinstance(data, dict):
        raise ParseError("The body must be a JSON object.")
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def parsed_path(name: str, field: serializers.Field[Any, Any, Any, Any], value: str) -> Any:
    """
    Return the validated part ``name`` of the path.

    :raises ValidationError: that names the part, if it is not what ``field`` takes.
    """
    try:
        return field.run_validation(value)
    except serializers.ValidationError as error:
        raise serializers.ValidationError({name: error.detail}) from None


@extend_schema_field({"type": "string", "pattern": r"^\d{1,20}(\.\d{1,8})?$", "example": "10.00"})
class DecimalStringField(serializers.Field[Decimal, Any, str, Any]):
    """
    A non-negative decimal as a string of ASCII digits: never a JSON number.

    ``above`` and ``up_to`` bound it; ``decimals`` is the most it may have.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "not_a_string": 'Send it as a decimal string such as "10.00", not as a number.',
        "malformed": 'Send plain digits such as "10.00", with at most {decimals} decimals.',
        "too_small": "It must be above {above}.",
        "too_large": "It must not be above {up_to}.",
    }

    def __init__(
        self,
        *,
        decimals: int = AMOUNT_DECIMALS,
        digits: int = 20,
        above: Decimal | None = None,
        up_to: Decimal | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.decimals = decimals
        self.above = above
        self.up_to = up_to
        self.pattern = re.compile(rf"[0-9]{{1,{digits}}}(?:\.[0-9]{{1,{decimals}}})?")

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str):
            self.fail("not_a_string")
        if not self.pattern.fullmatch(data):
            self.fail("malformed", decimals=self.decimals)
        value = Decimal(data)
        if self.above is not None and value <= self.above:
            self.fail("too_small", above=self.above)
        if self.up_to is not None and value > self.up_to:
            self.fail("too_large", up_to=self.up_to)
        return value

    def to_representation(self, value: Decimal) -> str:
        return f"{value:f}"


class MoneyField(DecimalStringField):
    """An amount of money, from 0; its currency is a field beside it."""


@extend_schema_field({"type": "string", "pattern": "^[A-Z0-9]{3,8}$", "example": "EUR"})
class CurrencyField(serializers.Field[str, Any, str, Any]):
    """A currency code of the registry; an unknown one is CURRENCY_UNKNOWN."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "not_a_string": "Send a currency code such as EUR."
    }

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_a_string")
        if data not in currencies():
            raise CurrencyUnknown(f"There is no currency {data[:16]!r}.")
        return data

    def to_representation(self, value: str) -> str:
        return value


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantField(serializers.Field[datetime, Any, str, Any]):
    """An RFC 3339 instant; a local time without an offset is refused. Rendered in UTC with Z."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "malformed": "Send an RFC 3339 instant such as 2026-03-01T12:00:00Z."
    }

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str) or not _INSTANT.fullmatch(data):
            self.fail("malformed")
        try:
            value = parse_datetime(data)
        except ValueError:
            value = None
        if value is None:
            self.fail("malformed")
        try:
            return value.astimezone(ZoneInfo("UTC"))
        except OverflowError:
            self.fail("malformed")

    def to_representation(self, value: datetime) -> str:
        return format_instant(value)


class TextField(serializers.CharField):
    """Printable text, not trimmed, in the one form (NFC) in which equal texts are equal."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "unprintable": "It holds characters that cannot be printed."
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trim_whitespace", False)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text = super().to_internal_value(unicodedata.normalize("NFC", data))
        if not text.isprintable():
            self.fail("unprintable")
        return text


class ReferenceField(TextField):
    """An operator's own id of a thing: 1 to 64 printable characters, without a slash."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "slash": "It must not hold a slash: it is a part of paths."
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 64)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if "/" in text or text in (".", ".."):
            self.fail("slash")
        return text


class TimezoneField(TextField):
    """The name of an IANA time zone."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "unknown": "Send an IANA time zone such as Europe/Berlin."
    }

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if name not in zone_names():
            self.fail("unknown")
        return name


class CountField(serializers.IntegerField):
    """A whole number as a JSON integer: no string, no float, no boolean."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("min_value", 0)
        kwargs.setdefault("max_value", 2_147_483_647)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """A JSON true or false, and nothing that merely looks like one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data
