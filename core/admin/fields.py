"""Fields of the forms that people fill in: strict where the API is strict."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import forms

from core.money import AMOUNT_DECIMALS, currencies, get_currency


class DecimalTextField(forms.CharField):
    """A decimal in plain digits, as the API takes it: no exponent, no sign, no separators."""

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
        self.widget.attrs.setdefault("inputmode", "decimal")
        self.widget.attrs.setdefault("autocomplete", "off")

    def clean(self, value: Any) -> Decimal | None:
        """Return the decimal; null for an empty field that may be empty."""
        text = super().clean(value)
        if text in self.empty_values:
            return None
        if not self.pattern.fullmatch(text):
            raise forms.ValidationError(
                f"Type plain digits such as 10.00, with at most {self.decimals} decimals."
            )
        number = Decimal(text)
        if self.above is not None and number <= self.above:
            raise forms.ValidationError(f"It must be above {self.above:f}.")
        if self.up_to is not None and number > self.up_to:
            raise forms.ValidationError(f"It must not be above {self.up_to:f}.")
        return number

    def prepare_value(self, value: Any) -> Any:
        """Return a stored decimal as it would be typed."""
        if not isinstance(value, Decimal):
            return value
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


class CurrencyChoiceField(forms.ChoiceField):
    """A currency of the registry."""

    def __init__(self, *, without: str = "", **kwargs: Any) -> None:
        codes = [code for code in currencies() if code != without]
        super().__init__(
            choices=[("", "Choose a currency"), *((each, _described(each)) for each in codes)],
            **kwargs,
        )


class UtcDateTimeField(forms.DateTimeField):
    """An instant, typed and understood in UTC, with the browser's own picker."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> datetime | None:
        """Return the instant; null for an empty field."""
        instant: datetime | None = super().to_python(value)
        return None if instant is None else instant.astimezone(UTC)


def _described(code: str) -> str:
    decimals = get_currency(code).decimals
    return f"{code} ({decimals} decimal{'' if decimals == 1 else 's'})"
