"""The shapes that what players do has on the wire."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rest_framework import serializers

from activity.enums import BetStatus
from activity.models import Bet
from activity.services.bets import PlayedBet
from activity.services.deposits import MadeDeposit
from bonuses.api.v1.grant_serializers import ArmedOfferSerializer
from bonuses.representations import represent_armed_offer
from bonuses.services.funding import HeldBonus
from bonuses.services.wagering import GrantProgress
from core.api.serializers import (
    BodySerializer,
    CurrencyField,
    FlagField,
    InstantField,
    MoneyField,
    ReferenceField,
    TextField,
)
from core.instants import format_instant
from core.money import format_amount, format_decimal
from games.models import SLUG_LENGTH_MAX
from promos.api.v1.serializers import UserPromoSerializer
from promos.representations import represent_user_promo
from wallets.api.v1.serializers import TransactionSerializer
from wallets.enums import Direction
from wallets.selectors import Balance

if TYPE_CHECKING:
    from wallets.models import Transfer

ZERO = Decimal(0)


# The wallet


class BalanceSerializer(serializers.Serializer[Balance]):
    """What a player holds in one currency: at hand, and in the vault."""

    currency = CurrencyField()
    main = serializers.SerializerMethodField()
    vault = serializers.SerializerMethodField()

    def get_main(self, balance: Balance) -> str:
        return format_amount(balance.main, balance.currency)

    def get_vault(self, balance: Balance) -> str:
        return format_amount(balance.vault, balance.currency)


class BonusBalanceSerializer(serializers.Serializer[HeldBonus]):
    """The money of one active bonus, which can be bet and nothing else."""

    grant_id = serializers.UUIDField(source="grant.pk")
    currency = CurrencyField(source="grant.bonus_currency")
    amount = serializers.SerializerMethodField()

    def get_amount(self, held: HeldBonus) -> str:
        return format_amount(held.amount, held.grant.bonus_currency)


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
    bonus_balances = BonusBalanceSerializer(many=True)
    restrictions = RestrictionSerializer(many=True)


# Requests


class VaultMoveSerializer(BodySerializer[None]):
    """An amount to move between main balance and vault."""

    amount = MoneyField(above=ZERO)
    currency = CurrencyField(help_text="The wallet's.")


class CashSerializer(VaultMoveSerializer):
    """An amount that comes in, or goes out."""

    reference = ReferenceField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The operator's own name of it, unique among deposits or withdrawals.",
    )


class TipSerializer(VaultMoveSerializer):
    """An amount for another player."""

    to_player_id = ReferenceField()


class CheckBetSerializer(BodySerializer[None]):
    """A bet that somebody is thinking of."""

    game = TextField(max_length=SLUG_LENGTH_MAX, help_text="The game's slug.")
    stake = MoneyField(above=ZERO)
    currency = CurrencyField(help_text="The wallet's.")


class PlaceBetSerializer(CheckBetSerializer):
    """A bet; with a payout it is placed and settled at once."""

    bet_id = ReferenceField(help_text="The operator's own id of it, unique for the player.")
    payout = MoneyField(required=False, allow_null=True, default=None)


class SettleBetSerializer(BodySerializer[None]):
    """The outcome of a bet."""

    payout = MoneyField(help_text="Zero if the bet was lost.")


# Answers


class MovedSerializer(serializers.Serializer[None]):
    """A movement of the player's main balance."""

    transaction = TransactionSerializer()


class BonusProgressSerializer(serializers.Serializer[None]):
    """How far the wagering of one of the player's bonuses is."""

    grant_id = serializers.UUIDField()
    status = serializers.CharField()
    weighted_amount = MoneyField()
    wagering_progress = MoneyField()
    wagering_required = MoneyField()


class MadeDepositSerializer(MovedSerializer):
    """A deposit, and what it did to promo and bonuses."""

    promo = UserPromoSerializer(allow_null=True)
    bonuses = ArmedOfferSerializer(many=True)


class BetSerializer(serializers.Serializer[Any]):
    """A bet as it is."""

    id = serializers.UUIDField(read_only=True)
    bet_id = serializers.CharField(read_only=True, help_text="The operator's own id, NFC.")
    player_id = serializers.CharField()
    game = serializers.CharField()
    status = serializers.ChoiceField(choices=BetStatus.choices, read_only=True)
    stake = serializers.CharField(read_only=True)
    payout = serializers.CharField(read_only=True, allow_null=True)
    bonus_stake = serializers.CharField(
        read_only=True, help_text="What of the stake bonus money paid."
    )
    bonus_payout = serializers.CharField(
        read_only=True, help_text="What of the payout is for that part."
    )
    currency = CurrencyField()
    stake_usd = serializers.CharField(read_only=True)
    usd_rate = serializers.CharField(
        read_only=True, help_text="US dollars for one of the currency."
    )
    placed_at = InstantField()
    settled_at = InstantField(allow_null=True)
    rolled_back_at = InstantField(allow_null=True)


class PlayedBetSerializer(serializers.Serializer[None]):
    """A bet, and what it did to promo and bonuses."""

    bet = BetSerializer()
    promo = UserPromoSerializer(allow_null=True)
    bonuses = BonusProgressSerializer(many=True)


class BetReasonSerializer(serializers.Serializer[None]):
    """One reason why a bet would be refused."""

    code = serializers.CharField()
    detail = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]


class BetCheckSerializer(serializers.Serializer[Any]):
    """Whether a bet would be taken, and every reason why not."""

    allowed = FlagField()
    reasons = BetReasonSerializer(many=True)


@dataclass(frozen=True, slots=True)
class _Side:
    """A transfer as the player's main account saw it."""

    public_id: UUID
    type: Direction
    tag: str
    amount: Decimal
    currency: str
    balance_after: Decimal | None
    reference: str
    posted_at: datetime


def represent_inflow(transfer: "Transfer") -> dict[str, Any]:
    """Return the answer to what added to the player's main balance."""
    return _represent_side(transfer, Direction.DEPOSIT, transfer.credit_balance_after)


def represent_outflow(transfer: "Transfer") -> dict[str, Any]:
    """Return the answer to what took from the player's main balance."""
    return _represent_side(transfer, Direction.WITHDRAW, transfer.debit_balance_after)


def represent_deposit(made: MadeDeposit) -> dict[str, Any]:
    """Return the answer to a deposit."""
    return {
        **represent_inflow(made.transfer),
        "promo": None if made.user_promo is None else represent_user_promo(made.user_promo),
        "bonuses": [represent_armed_offer(offer) for offer in made.armed],
    }


def represent_played_bet(played: PlayedBet) -> dict[str, Any]:
    """Return the answer to what was done with a bet."""
    return {
        "bet": _represent_bet(played.bet),
        "promo": None if played.user_promo is None else represent_user_promo(played.user_promo),
        "bonuses": [represent_progress(progress) for progress in played.grants],
    }


def _represent_bet(bet: Bet) -> dict[str, Any]:
    currency = bet.currency
    return {
        "id": str(bet.pk),
        "bet_id": bet.bet_id,
        "player_id": bet.player.reference,
        "game": bet.game.slug,
        "status": str(bet.status),
        "stake": format_amount(bet.stake, currency),
        "payout": None if bet.payout is None else format_amount(bet.payout, currency),
        "bonus_stake": format_amount(bet.bonus_stake, currency),
        "bonus_payout": format_amount(bet.bonus_payout, currency),
        "currency": currency,
        "stake_usd": format_amount(bet.stake_usd, "USD"),
        "usd_rate": format_decimal(bet.usd_rate),
        "placed_at": format_instant(bet.placed_at),
        "settled_at": _instant(bet.settled_at),
        "rolled_back_at": _instant(bet.rolled_back_at),
    }


def represent_progress(progress: GrantProgress) -> dict[str, Any]:
    """Return how far a grant is, and what one bet or deposit has brought it."""
    grant, currency = progress.grant, progress.grant.bonus_currency
    return {
        "grant_id": str(grant.pk),
        "status": str(grant.status),
        "weighted_amount": format_amount(progress.weighted_amount, currency),
        "wagering_progress": format_amount(grant.wagering_progress, currency),
        "wagering_required": format_amount(grant.wagering_required, currency),
    }


def _represent_side(
    transfer: "Transfer", direction: Direction, balance_after: Decimal | None
) -> dict[str, Any]:
    side = _Side(
        public_id=transfer.public_id,
        type=direction,
        tag=transfer.tag,
        amount=transfer.amount,
        currency=transfer.currency,
        balance_after=balance_after,
        reference=transfer.reference,
        posted_at=transfer.posted_at,
    )
    return {"transaction": TransactionSerializer(side).data}  # type: ignore[arg-type]


def _instant(value: datetime | None) -> str | None:
    return None if value is None else format_instant(value)
