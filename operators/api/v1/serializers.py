"""The shapes exchange rates have on the wire."""

from decimal import Decimal

from rest_framework import serializers

from core.api.serializers import (
    BodySerializer,
    CurrencyField,
    DecimalStringField,
    InstantField,
)
from core.money import RATE_DECIMALS, format_decimal
from operators.models import ExchangeRate


class SetExchangeRateSerializer(BodySerializer[None]):
    """US dollars for one unit of the currency, from an instant on."""

    usd_rate = DecimalStringField(decimals=RATE_DECIMALS, digits=12, above=Decimal(0))
    valid_from = InstantField(required=False, help_text="Default: now.")


class ExchangeRateSerializer(serializers.ModelSerializer[ExchangeRate]):
    """A rate of the history."""

    currency = CurrencyField()
    usd_rate = serializers.SerializerMethodField()
    valid_from = InstantField()
    created_at = InstantField()

    class Meta:
        model = ExchangeRate
        fields = ("id", "currency", "usd_rate", "valid_from", "created_at")
        read_only_fields = fields

    def get_usd_rate(self, rate: ExchangeRate) -> str:
        return format_decimal(rate.usd_rate)
