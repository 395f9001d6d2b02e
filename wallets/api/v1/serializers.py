"""The shapes the ledger has on the wire."""

import re

from rest_framework import serializers

from core.api.serializers import CurrencyField, InstantField
from core.money import format_amount
from wallets.models import TransferSide

# What operators called a thing themselves is shown as they called it: the ledger's own name
# of a deposit, a withdrawal, a bet or its win says what it is before that.
_OPERATORS_OWN = re.compile(r"(?:deposit|withdrawal|(?:bet|win):[0-9]+):(?P<own>.+)")


class TransactionSerializer(serializers.ModelSerializer[TransferSide]):
    """A movement of the player's main balance."""

    id = serializers.UUIDField(source="public_id")
    amount = serializers.SerializerMethodField()
    currency = CurrencyField()
    balance_after = serializers.SerializerMethodField()
    reference = serializers.SerializerMethodField()
    created_at = InstantField(source="posted_at")

    class Meta:
        model = TransferSide
        fields = (
            "id",
            "type",
            "tag",
            "amount",
            "currency",
            "balance_after",
            "reference",
            "created_at",
        )
        read_only_fields = fields

    def get_amount(self, row: TransferSide) -> str:
        return format_amount(row.amount, row.currency)

    def get_balance_after(self, row: TransferSide) -> str:
        assert row.balance_after is not None, "a statement of a hot account"
        return format_amount(row.balance_after, row.currency)

    def get_reference(self, row: TransferSide) -> str:
        match = _OPERATORS_OWN.fullmatch(row.reference)
        return match["own"] if match else row.reference
