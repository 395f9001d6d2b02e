"""Exchange rates: a history that only grows, through a page of its own."""

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from unfold.contrib.filters.admin import RelatedDropdownFilter

from core.admin.base import LargeTableAdmin
from core.admin.display import instant, object_link
from core.admin.fields import CurrencyChoiceField, DecimalTextField, UtcDateTimeField
from core.admin.pages import ServiceForm, ServicePage
from core.money import RATE_DECIMALS, format_decimal
from operators.models import ExchangeRate, Operator
from operators.selectors import USD
from operators.services import rates


class SetRateForm(ServiceForm):
    """What one unit of a currency is worth in US dollars, and from when on."""

    operator = forms.ModelChoiceField(
        queryset=Operator.objects.order_by("name"), empty_label="Choose an operator"
    )
    currency = CurrencyChoiceField(
        without=USD, help_text="The US dollar is the reference: it is always 1."
    )
    usd_rate = DecimalTextField(
        label="US dollars for one unit",
        decimals=RATE_DECIMALS,
        above=Decimal(0),
        help_text="For example 1.0842: one euro is then worth 1.0842 US dollars.",
    )
    valid_from = UtcDateTimeField(
        required=False,
        label="In force from (UTC)",
        help_text="Leave it empty for now. In the past, it changes no amount already converted.",
    )


class SetRatePage(ServicePage[None]):
    """Add a rate to the history."""

    name = "add"
    permission = "operators.add_exchangerate"
    verb = "Set rate"
    form_class = SetRateForm

    @property
    def title(self) -> str:
        """Say what the page does."""
        return "Set an exchange rate"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            "From the given instant on, contributions in the currency are converted at this rate.",
            "Amounts converted before keep the rate that is stored beside them.",
            "Rates are never changed or deleted; a mistake is corrected by setting another one.",
        ]

    def call(self, form: Any) -> str:
        """Set the rate."""
        rate = rates.set_exchange_rate(
            operator=form.cleaned_data["operator"],
            currency=form.cleaned_data["currency"],
            usd_rate=form.cleaned_data["usd_rate"],
            valid_from=form.cleaned_data["valid_from"],
            actor=self.actor,
            now=self.now,
        )
        return f"The rate was set: {rate}."


@admin.register(ExchangeRate)
class ExchangeRateAdmin(LargeTableAdmin):
    """Look at the history of rates; add to it through its own page."""

    list_display = ("currency", "rate", "operator", "in_force_from", "set_at")
    list_filter = (("operator", RelatedDropdownFilter),)
    has_history = False
    list_select_related = ("operator",)
    search_fields = ("=currency",)
    search_help_text = "Search by currency code"
    fieldsets: ClassVar = [
        ("Rate", {"fields": ["operator_link", "currency", "rate", "in_force_from", "set_at"]}),
    ]
    add_page = SetRatePage
    empty_icon = "currency_exchange"
    empty_text = (
        "Without a rate, contributions in another currency are refused with "
        "EXCHANGE_RATE_MISSING. Set one for every currency that players wager in."
    )

    @admin.display(description="US dollars for one unit")
    def rate(self, rate: ExchangeRate) -> str:
        """Return the rate, with both currencies."""
        return f"1 {rate.currency} = {format_decimal(rate.usd_rate)} USD"

    @admin.display(description="Operator")
    def operator_link(self, rate: ExchangeRate) -> str:
        """Return a link to the operator."""
        return object_link(rate.operator)

    @admin.display(description="In force from")
    def in_force_from(self, rate: ExchangeRate) -> str:
        """Return from when on the rate is in force."""
        return instant(rate.valid_from)

    @admin.display(description="Set")
    def set_at(self, rate: ExchangeRate) -> str:
        """Return when the rate was set."""
        return instant(rate.created_at)
