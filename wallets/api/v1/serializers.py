"""The shapes the wallet has on the wire."""

from typing import Any

from rest_framework import serializers

from core.api.serializers import CurrencyField, InstantField
from core.money import format_amount
from wallets.models import TransferSide
from wallets.selectors import Balance


class BalanceSerializer(serializers.Serializer[Balance]):
    """What a player holds in one currency: at hand, and in the vault."""

    currency = CurrencyField()
    main = serializers.SerializerMethodField()
    vault = serializers.SerializerMethodField()

    def get_main(self, balance: Balance) -> str:
        return format_amount(balance.main, balance.currency)

    def get_vault(self, balance: Balance) -> str:
        return format_amount(balance.vault, balance.currency)


class RestrictionSerializer(serializers.Serializer[None]):
    """Something the player may not do at the moment, and why."""

    action = serializers.ChoiceField(choices=["withdraw", "tip", "vault", "bet"])
    code = serializers.CharField()
    detail = serializers.CharField()
    until = InstantField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]


class WalletSerializer(serializers.Serializer[Any]):
    """A player's wallet."""

    player_id = serializers.CharField()
    balances = BalanceSerializer(many=True)
    restrictions = RestrictionSerializer(many=True)


class TransactionSerializer(serializers.ModelSerializer[TransferSide]):
    """A movement of the player's main balance."""

    id = serializers.UUIDField(source="public_id")
    amount = serializers.SerializerMethodField()
    currency = CurrencyField()
    balance_after = serializers.SerializerMethodField()
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
