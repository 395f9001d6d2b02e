"""What a player with bonuses does, each call a transaction of its own, at an instant it sets."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from activity import books as activity_books
from activity.services import bets
from activity.services.bets import PlayedBet
from bonuses import books as bonus_books
from bonuses.models import BetFunding, BonusGrant
from bonuses.services import closing, endings, payments
from games.models import Game
from players.models import Player
from tests.factories.activity import ACTOR, bet_by
from tests.factories.bonuses import BonusGrantFactory, BonusTemplateFactory
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.wallets import deposit, held_by
from wallets import books as wallet_books
from wallets.enums import AccountKind
from wallets.models import Account, Transfer
from wallets.selectors import get_hot_balance

NOW = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)

GRANT_MOVES: dict[str, Callable[..., BonusGrant]] = {
    "cancel": closing.cancel_grant,
    "forfeit": closing.forfeit_grant,
}


class Play:
    """One player of one operator, in one currency that is worth a dollar; and slot machines."""

    def __init__(self, currency: str = "EUR", *, now: datetime = NOW) -> None:
        self.operator = OperatorFactory.create()
        self.currency, self.now = currency, now
        if currency != "USD":
            ExchangeRateFactory.create(
                operator=self.operator, currency=currency, usd_rate=Decimal(1)
            )
        self.player: Player = PlayerFactory.create(
            operator=self.operator, reference="ada", currency=currency
        )
        self.slots: Game = GameFactory.create(operator=self.operator, slug="slots-1")
        self.table: Game = GameFactory.create(
            operator=self.operator, slug="table-1", category="table"
        )

    # What it begins with

    def has(self, amount: Any) -> None:
        """Put real money into the main account."""
        deposit(self.player, amount, now=self.now)

    @transaction.atomic
    def granted(self, amount: Any = "10.00", **terms: Any) -> BonusGrant:
        """Build a grant of a no-deposit bonus with these terms, and credit it."""
        members = {name: terms.pop(name) for name in ("eligible_games",) if name in terms}
        template = BonusTemplateFactory.create(
            operator=self.operator,
            currency=self.currency,
            config={"amount": str(amount), "currency": self.currency},
            **terms,
        )
        grant: BonusGrant = BonusGrantFactory.create(
            asked_template=template,
            asked_player=self.player,
            issuance__created_at=self.now,
            **members,
        )
        payments.credit_grant(operator=self.operator, grant=grant, now=self.now)
        return grant

    # What is done

    @transaction.atomic
    def bet(self, stake: Any, payout: Any = None, **members: Any) -> PlayedBet:
        game = members.pop("game", self.slots)
        return bet_by(
            self.player,
            game,
            stake,
            payout=None if payout is None else Decimal(payout),
            now=members.pop("now", self.now),
            **members,
        )

    @transaction.atomic
    def settle(self, bet_id: str, payout: Any) -> PlayedBet:
        return bets.settle_bet(**self._named(bet_id), payout=Decimal(payout))

    @transaction.atomic
    def roll_back(self, bet_id: str) -> PlayedBet:
        return bets.roll_back_bet(**self._named(bet_id))

    @transaction.atomic
    def end(self, grant: BonusGrant, how: str, *, reason: str = "asked to") -> BonusGrant:
        """Cancel or forfeit a grant, as the doors do."""
        return GRANT_MOVES[how](
            operator=self.operator, grant_id=grant.pk, reason=reason, actor=ACTOR, now=self.now
        )

    def sweep(self) -> int:
        return endings.expire_due_grants(now=self.now, limit=1000, actor=ACTOR)

    def _named(self, bet_id: str) -> dict[str, Any]:
        return {
            "operator": self.operator,
            "player_reference": self.player.reference,
            "bet_id": bet_id,
            "actor": ACTOR,
            "now": self.now,
        }

    # What is there

    @property
    def main(self) -> Decimal:
        return held_by(self.player) or Decimal(0)

    def in_bonus(self, grant: BonusGrant) -> Decimal | None:
        """Return the balance of the grant's account; None if it was never opened."""
        return (
            Account.objects.filter(kind=AccountKind.PLAYER_BONUS, owner=str(grant.pk))
            .values_list("balance", flat=True)
            .first()
        )

    def house(self, kind: AccountKind) -> Decimal:
        """Return what one of the house's accounts got, less what it paid."""
        account = Account.objects.filter(
            operator=self.operator, kind=kind, currency=self.currency
        ).first()
        return Decimal(0) if account is None else get_hot_balance(account=account)

    def moves(self, grant: BonusGrant) -> list[tuple[str, Decimal]]:
        """Return what moved for a grant, by the third part of the reference, oldest first."""
        rows = Transfer.objects.filter(reference__startswith=f"bonus:{grant.pk}:").order_by("pk")
        return [(row.reference.split(":")[2], row.amount) for row in rows]


def stored(grant: BonusGrant) -> BonusGrant:
    return BonusGrant.objects.select_related("player").get(pk=grant.pk)


def funding_of(grant: BonusGrant) -> BetFunding:
    return BetFunding.objects.get(grant=grant)


def differences() -> list[str]:
    """Return what the books of bonuses, activity and wallets find."""
    checks = [
        bonus_books.check_progress,
        bonus_books.check_completed,
        bonus_books.check_accounts,
        bonus_books.check_money,
        bonus_books.check_clawbacks,
        bonus_books.check_fundings,
        bonus_books.check_issuances,
        activity_books.check_transfers,
        activity_books.check_rollbacks,
        activity_books.check_bonus_parts,
        activity_books.check_totals,
        wallet_books.check_balances,
        wallet_books.check_balance_chains,
        wallet_books.check_reversals,
    ]
    return [str(difference) for check in checks for difference in check()]
