"""The shapes promos, claims and batches have on the wire."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

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
)
from core.instants import format_instant
from core.money import format_amount, format_decimal
from players.models import AFFILIATE_CODE_LENGTH_MAX
from promos.enums import BatchStatus, PromoType, UserPromoStatus
from promos.models import CodeBatch, Promo, PromoGame
from promos.rules import CODE_LENGTH_MAX, PATTERN_LENGTH_MAX, can_be_code
from promos.services.catalogue import GameTerms

_USD = "USD"
GAMES_MAX = 5_000
# Ten years: longer ones are typing errors.
LOCK_HOURS_MAX = 10 * 366 * 24
SECONDS_MAX = LOCK_HOURS_MAX * 3600
CODES_MAX = 1_000_000


class MultiplierField(DecimalStringField):
    """A factor, from 0, as a decimal string."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(digits=9, **kwargs)


class CodeField(TextField):
    """A code: 1 to 64 printable characters without spaces."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", CODE_LENGTH_MAX)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not can_be_code(text):
            raise serializers.ValidationError("A code has no spaces.", code="invalid")
        return text


# In


class UpdatePromoSerializer(BodySerializer[Any]):
    """The terms to change; what is left out stays. Claims that run keep the terms they have."""

    code = CodeField(required=False, help_text="Upper or lower case is the same code.")
    title = TextField(required=False, allow_blank=True, max_length=200)
    amount = MoneyField(required=False, allow_null=True, help_text="INSTANT: what a claim pays.")
    currency = CurrencyField(required=False, allow_null=True, help_text="INSTANT.")
    bonus_multiplier = MultiplierField(
        required=False, allow_null=True, help_text='DEPOSIT: "1" gives as much as is deposited.'
    )
    max_bonus_usd_amount = MoneyField(required=False, allow_null=True, help_text="DEPOSIT.")
    min_deposit_usd_to_activate = MoneyField(
        required=False, allow_null=True, help_text="DEPOSIT, inclusive. Default: 0."
    )
    wager_multiplier_to_complete = MultiplierField(
        required=False, allow_null=True, help_text="DEPOSIT: the target, in bonuses."
    )
    wager_usd_amount_to_complete = MoneyField(
        required=False, allow_null=True, help_text="DEPOSIT: the target itself. One of the two."
    )
    time_seconds_to_complete = CountField(
        required=False, allow_null=True, min_value=1, max_value=SECONDS_MAX, help_text="DEPOSIT."
    )
    lock_withdraw_on_claim_hours = CountField(
        required=False, allow_null=True, max_value=LOCK_HOURS_MAX
    )
    auto_vault_on_claim = FlagField(required=False)
    claims_left = CountField(required=False, allow_null=True, help_text="Null: no cap.")
    starts_at = InstantField(required=False, allow_null=True)
    expires_at = InstantField(required=False, allow_null=True, help_text="Exclusive.")
    affiliate_code_to_claim = TextField(
        required=False, allow_null=True, allow_blank=True, max_length=AFFILIATE_CODE_LENGTH_MAX
    )
    min_kyc_level_to_claim = CountField(required=False, allow_null=True)
    min_vip_level_to_claim = CountField(required=False, allow_null=True)
    min_total_wager_usd_to_claim = MoneyField(required=False, allow_null=True)
    min_total_deposit_usd_to_claim = MoneyField(required=False, allow_null=True)
    only_zero_deposits_to_claim = FlagField(required=False)
    is_active = FlagField(required=False)


class CreatePromoSerializer(UpdatePromoSerializer):
    """A promo: `type` decides which of the terms it has."""

    code = CodeField(help_text="Upper or lower case is the same code.")
    type = serializers.ChoiceField(choices=PromoType.choices)

    def validate_type(self, kind: str) -> PromoType:
        return PromoType(kind)


class GameTermsSerializer(BodySerializer[Any]):
    """A game that may be bet while the promo is active."""

    game = TextField(max_length=64)
    wager_multiplier = MultiplierField(
        required=False, help_text='What a bet counts: "0" lets it be bet without. Default: "1".'
    )
    max_bet_amount = MoneyField(required=False, allow_null=True, help_text="USD. Null: no limit.")

    def validate(self, attrs: dict[str, Any]) -> Any:
        return GameTerms(
            slug=attrs["game"],
            wager_multiplier=attrs.get("wager_multiplier", Decimal(1)),
            max_bet_amount=attrs.get("max_bet_amount"),
        )


class ReplaceGamesSerializer(BodySerializer[Any]):
    """The whole list of games."""

    games = serializers.ListField(child=GameTermsSerializer(), max_length=GAMES_MAX)


class ClaimSerializer(BodySerializer[Any]):
    """Who claims."""

    player_id = ReferenceField()


class ClaimCodeSerializer(BodySerializer[Any]):
    """Who claims, and by which code."""

    code = TextField(max_length=2 * CODE_LENGTH_MAX)
    player_id = ReferenceField()


class CancelUserPromoSerializer(BodySerializer[Any]):
    """Why, and what to take back; without an amount, the rule decides."""

    reason = TextField(max_length=200)
    custom_decrease_amount = MoneyField(
        required=False,
        allow_null=True,
        help_text='In the bonus\'s currency; "0" takes nothing. Needs the scope manage.',
    )


class CreateBatchSerializer(BodySerializer[Any]):
    """How many codes, and what they look like."""

    count = CountField(min_value=1, max_value=CODES_MAX)
    pattern = CodeField(
        max_length=PATTERN_LENGTH_MAX,
        help_text="`#` a digit, `@` a letter, `*` either, without look-alikes; else itself.",
    )


class DisableBatchSerializer(BodySerializer[Any]):
    """Why; it is kept in the audit trail."""

    reason = TextField(required=False, max_length=200)


class PutPromoSettingsSerializer(BodySerializer[Any]):
    """How promos are run, for claims from now on."""

    activation_window_days = CountField(min_value=1, max_value=3_660)
    restrict_bets_while_claimed = FlagField()


# Out


class PromoSerializer(serializers.Serializer[Any]):
    """A promo as an operator sees it."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    type = serializers.ChoiceField(choices=PromoType.choices)
    title = serializers.CharField()
    amount = MoneyField(allow_null=True)
    currency = CurrencyField(allow_null=True)
    bonus_multiplier = DecimalStringField(allow_null=True)
    max_bonus_usd_amount = MoneyField(allow_null=True)
    min_deposit_usd_to_activate = MoneyField(allow_null=True)
    wager_multiplier_to_complete = DecimalStringField(allow_null=True)
    wager_usd_amount_to_complete = MoneyField(allow_null=True)
    time_seconds_to_complete = serializers.IntegerField(allow_null=True)
    lock_withdraw_on_claim_hours = serializers.IntegerField(allow_null=True)
    auto_vault_on_claim = serializers.BooleanField()
    claims_left = serializers.IntegerField(allow_null=True)
    starts_at = InstantField(allow_null=True)
    expires_at = InstantField(allow_null=True)
    affiliate_code_to_claim = serializers.CharField(allow_null=True)
    min_kyc_level_to_claim = serializers.IntegerField(allow_null=True)
    min_vip_level_to_claim = serializers.IntegerField(allow_null=True)
    min_total_wager_usd_to_claim = MoneyField(allow_null=True)
    min_total_deposit_usd_to_claim = MoneyField(allow_null=True)
    only_zero_deposits_to_claim = serializers.BooleanField()
    is_active = serializers.BooleanField()
    created_at = InstantField()
    archived_at = InstantField(allow_null=True)


class PromoGameSerializer(serializers.Serializer[Any]):
    """A game of a promo's list."""

    game = serializers.CharField()
    wager_multiplier = DecimalStringField()
    max_bet_amount = MoneyField(allow_null=True)


class PromoGamesSerializer(serializers.Serializer[Any]):
    """A promo's list of games."""

    games = PromoGameSerializer(many=True)


class ProgressSerializer(serializers.Serializer[Any]):
    """How far the rollover is, in US dollars."""

    bonus_usd_amount = MoneyField()
    wager_usd_amount_to_complete = MoneyField()
    wager_multiplier_to_complete = DecimalStringField(allow_null=True)
    wagered_usd_amount = MoneyField()
    expires_at = InstantField()


class UserPromoSerializer(serializers.Serializer[Any]):
    """A player's claim of a promo."""

    id = serializers.UUIDField()
    promo_id = serializers.UUIDField()
    code = serializers.CharField()
    player_id = serializers.CharField()
    status = serializers.ChoiceField(choices=UserPromoStatus.choices)
    bonus_amount = MoneyField(allow_null=True)
    bonus_currency = CurrencyField()
    claimed_at = InstantField()
    activated_at = InstantField(allow_null=True)
    completed_at = InstantField(allow_null=True)
    cancelled_at = InstantField(allow_null=True)
    expired_at = InstantField(allow_null=True)
    clawback_amount = MoneyField(allow_null=True)
    clawback_shortfall = MoneyField(allow_null=True)
    progress = ProgressSerializer(allow_null=True)


class ReasonSerializer(serializers.Serializer[Any]):
    """One reason against a claim."""

    code = serializers.CharField()
    detail = serializers.CharField()


class ValidationAnswerSerializer(serializers.Serializer[Any]):
    """Whether the player could claim the promo now, and every reason if not."""

    claimable = serializers.BooleanField()
    reasons = ReasonSerializer(many=True)


class BatchSerializer(serializers.Serializer[Any]):
    """A batch of single-use codes, and how far it is."""

    id = serializers.UUIDField()
    promo_id = serializers.UUIDField()
    pattern = serializers.CharField()
    count = serializers.IntegerField()
    made_count = serializers.IntegerField()
    claimed_count = serializers.IntegerField()
    status = serializers.ChoiceField(choices=BatchStatus.choices)
    created_at = InstantField()
    finished_at = InstantField(allow_null=True)
    disabled_at = InstantField(allow_null=True)


class PromoSettingsSerializer(serializers.Serializer[Any]):
    """How promos are run."""

    activation_window_days = serializers.IntegerField()
    restrict_bets_while_claimed = serializers.BooleanField()


def represent_promo(promo: Promo) -> dict[str, Any]:
    """Return a promo as PromoSerializer describes it."""
    return {
        "id": str(promo.pk),
        "code": promo.code,
        "type": promo.type,
        "title": promo.title,
        "amount": _amount(promo.amount, promo.currency),
        "currency": promo.currency or None,
        "bonus_multiplier": _factor(promo.bonus_multiplier),
        "max_bonus_usd_amount": _amount(promo.max_bonus_usd_amount, _USD),
        "min_deposit_usd_to_activate": _amount(promo.min_deposit_usd_to_activate, _USD),
        "wager_multiplier_to_complete": _factor(promo.wager_multiplier_to_complete),
        "wager_usd_amount_to_complete": _amount(promo.wager_usd_amount_to_complete, _USD),
        "time_seconds_to_complete": promo.time_seconds_to_complete,
        "lock_withdraw_on_claim_hours": promo.lock_withdraw_on_claim_hours,
        "auto_vault_on_claim": promo.auto_vault_on_claim,
        "claims_left": promo.claims_left,
        "starts_at": _instant(promo.starts_at),
        "expires_at": _instant(promo.expires_at),
        "affiliate_code_to_claim": promo.affiliate_code_to_claim or None,
        "min_kyc_level_to_claim": promo.min_kyc_level_to_claim,
        "min_vip_level_to_claim": promo.min_vip_level_to_claim,
        "min_total_wager_usd_to_claim": _amount(promo.min_total_wager_usd_to_claim, _USD),
        "min_total_deposit_usd_to_claim": _amount(promo.min_total_deposit_usd_to_claim, _USD),
        "only_zero_deposits_to_claim": promo.only_zero_deposits_to_claim,
        "is_active": promo.is_active,
        "created_at": format_instant(promo.created_at),
        "archived_at": _instant(promo.archived_at),
    }


def represent_games(rows: Iterable[PromoGame]) -> dict[str, Any]:
    """Return a list of games, each fetched, as PromoGamesSerializer describes it."""
    return {
        "games": [
            {
                "game": row.game.slug,
                "wager_multiplier": format_decimal(row.wager_multiplier),
                "max_bet_amount": _amount(row.max_bet_amount, _USD),
            }
            for row in rows
        ]
    }


def represent_batch(batch: CodeBatch, *, claimed_count: int) -> dict[str, Any]:
    """Return a batch as BatchSerializer describes it."""
    return {
        "id": str(batch.pk),
        "promo_id": str(batch.promo_id),
        "pattern": batch.pattern,
        "count": batch.count,
        "made_count": batch.made_count,
        "claimed_count": claimed_count,
        "status": batch.status.value,
        "created_at": format_instant(batch.created_at),
        "finished_at": _instant(batch.finished_at),
        "disabled_at": _instant(batch.disabled_at),
    }


def _amount(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else format_amount(amount, currency)


def _factor(value: Decimal | None) -> str | None:
    return None if value is None else format_decimal(value)


def _instant(value: datetime | None) -> str | None:
    return None if value is None else format_instant(value)
