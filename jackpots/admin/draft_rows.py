"""The rows of a draft: its pots and its prizes."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import formset_factory

from core.admin.fields import DecimalTextField, UtcDateTimeField
from core.admin.pages import dress
from core.money import RATE_DECIMALS
from jackpots.enums import DropType, InstanceKind
from jackpots.services.terms import POTS_MAX, PRIZES_MAX

_ZERO = Decimal(0)
_ONE = Decimal(1)
_COUNT_MAX = 2_147_483_647

_FIELD_OF_DROP = {
    DropType.MANUAL: None,
    DropType.MUST_HIT_BY_AMOUNT: "drop_amount",
    DropType.MUST_HIT_BY_TIME: "drop_at",
    DropType.HIT_RATE: "drop_probability",
}


class PrintableField(forms.CharField):
    """A name that can be printed."""

    def clean(self, value: Any) -> str:
        """Return the name."""
        text: str = super().clean(value)
        if not text.isprintable():
            raise forms.ValidationError("It holds characters that cannot be printed.")
        return text


class PotForm(forms.Form):
    """One pot. ``parameters`` says which field belongs to which drop."""

    name = PrintableField(max_length=64, help_text="For example main, mini or grand.")
    share = DecimalTextField(
        digits=1,
        above=_ZERO,
        up_to=_ONE,
        help_text="0.6 is 60 % of every contribution. The shares of all pots sum to exactly 1.",
    )
    seed = DecimalTextField(
        required=False, help_text="What the pot starts with, such as 1000. Empty is 0."
    )
    ceiling = DecimalTextField(
        required=False,
        above=_ZERO,
        help_text="Above the seed. What exceeds it goes to the pot's reserve. Empty is none.",
    )
    drop_type = forms.ChoiceField(label="Drops", choices=DropType.choices, required=False)
    drop_amount = DecimalTextField(
        required=False,
        above=_ZERO,
        label="Before it reaches",
        help_text="With 10000, it drops at a secret value between the seed and 10000.",
    )
    drop_at = UtcDateTimeField(required=False, label="At the latest (UTC)")
    drop_probability = DecimalTextField(
        required=False,
        decimals=RATE_DECIMALS,
        digits=1,
        above=_ZERO,
        up_to=_ONE,
        label="Chance for each unit wagered",
        help_text="0.000001 is one hit in 1,000,000 units wagered, on average.",
    )

    def __init__(self, *args: Any, kind: InstanceKind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kind == InstanceKind.RAFFLE:
            for name in ("drop_type", "drop_amount", "drop_at", "drop_probability"):
                del self.fields[name]
        dress(self)

    def clean(self) -> dict[str, Any]:
        """Require the one field that belongs to the drop, and refuse the others."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "drop_type" in self.fields:
            wanted = _FIELD_OF_DROP[DropType(cleaned.get("drop_type") or DropType.MANUAL)]
            check_belonging(self, wanted, _FIELD_OF_DROP.values())
        return cleaned

    @staticmethod
    def field_of(pointer: str) -> str:
        """Return the field that a service means by ``pointer``: "drop/amount"."""
        return pointer.replace("/", "_") if pointer != "drop" else "drop_type"


class PrizeForm(forms.Form):
    """One prize of a raffle."""

    name = PrintableField(max_length=64, help_text="For example Grand prize.")
    amount = DecimalTextField(
        required=False, above=_ZERO, help_text="A fixed amount such as 500, or leave it empty."
    )
    share = DecimalTextField(
        required=False,
        digits=1,
        above=_ZERO,
        up_to=_ONE,
        label="Share of the pot",
        help_text="0.5 is half of the pot, or leave it empty.",
    )
    count = forms.IntegerField(
        min_value=1, max_value=_COUNT_MAX, initial=1, help_text="How many times it is drawn."
    )
    priority = forms.IntegerField(
        min_value=0, max_value=_COUNT_MAX, initial=0, help_text="Lower is drawn first."
    )
    min_tickets = forms.IntegerField(
        min_value=1, max_value=_COUNT_MAX, initial=1, label="Tickets needed"
    )

    def __init__(self, *args: Any, kind: InstanceKind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)

    def clean(self) -> dict[str, Any]:
        """Require an amount or a share, and not both."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and (cleaned["amount"] is None) == (cleaned["share"] is None):
            self.add_error("amount", "A prize is either an amount or a share of the pot.")
        return cleaned

    @staticmethod
    def field_of(pointer: str) -> str:
        """Return the field that a service means by ``pointer``."""
        return pointer


# The classes are made by a function, which the type checker cannot follow.
PotFormSet: Any = formset_factory(
    PotForm, extra=0, min_num=1, max_num=POTS_MAX, validate_max=True, absolute_max=POTS_MAX + 1
)
PrizeFormSet: Any = formset_factory(
    PrizeForm, extra=0, max_num=PRIZES_MAX, validate_max=True, absolute_max=PRIZES_MAX + 1
)


def used_rows(rows: Any) -> list[Any]:
    """Return the rows that somebody has filled in."""
    return [row for row in rows.forms if row.cleaned_data]


def check_belonging(form: forms.Form, wanted: str | None, names: Iterable[str | None]) -> None:
    """Refuse a form that has not exactly the field that belongs to its type."""
    for name in names:
        if name is None or name in form.errors:
            continue
        is_given = form.cleaned_data.get(name) is not None
        if name == wanted and not is_given:
            form.add_error(name, "Fill this in: it belongs to the choice above.")
        elif name != wanted and is_given:
            form.add_error(name, "Leave this empty: it does not belong to the choice above.")
