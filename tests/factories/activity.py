"""
Builds deposits and bets, and lets players act, so that their money is really there.

What a test of activity needs of promos is a claim in front of a deposit: claim_of() builds
one, and a deposit activates it. Unless told otherwise, things happen when the doors'
clock says it is: most of these tests go through HTTP.
"""

import itertools
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import factory
from django.utils import timezone

from activity.enums import BetStatus
from activity.models import Bet, Deposit, Withdrawal
from activity.services.bets import PlayedBet, place_bet
from activity.services.deposits import MadeDeposit, make_deposit
from activity.services.placing import NewBet
from core.actors import Actor, ActorKind
from games.models import Game
from players.models import Player
from promos.models import Promo, PromoGame, UserPromo
from tests.factories.games import GameFactory
from tests.factories.operators import LONG_AGO, OperatorFactory
from tests.factories.players import PlayerFactory
from wallets.models import Transfer

ACTOR = Actor(kind=ActorKind.API_KEY, ref="wf_tests")

_numbers = itertools.count(1)


class DepositFactory(factory.django.DjangoModelFactory[Deposit]):
    """The row of a deposit of ten euros at 1.25 US dollars; no money moved."""

    class Meta:
        model = Deposit

    operator = factory.SubFactory(OperatorFactory)
    player = factory.SubFactory(PlayerFactory, operator=factory.SelfAttribute("..operator"))
    reference = factory.Sequence(lambda number: f"deposit-{number}")
    amount = Decimal(10)
    currency = "EUR"
    usd_rate = Decimal("1.25")
    usd_rate_at = LONG_AGO
    usd_amount = Decimal("12.50")
    deposited_at = LONG_AGO


class WithdrawalFactory(factory.django.DjangoModelFactory[Withdrawal]):
    """The row of a withdrawal of ten euros; no money moved."""

    class Meta:
        model = Withdrawal

    operator = factory.SubFactory(OperatorFactory)
    player = factory.SubFactory(PlayerFactory, operator=factory.SelfAttribute("..operator"))
    reference = factory.Sequence(lambda number: f"withdrawal-{number}")
    amount = Decimal(10)
    currency = "EUR"
    withdrawn_at = LONG_AGO


class BetFactory(factory.django.DjangoModelFactory[Bet]):
    """
    The row of a placed bet of ten euros at 1.25 US dollars; no money moved.

    Give ``status`` for any other state; one that was rolled back had been settled.
    """

    class Meta:
        model = Bet

    operator = factory.SubFactory(OperatorFactory)
    player = factory.SubFactory(PlayerFactory, operator=factory.SelfAttribute("..operator"))
    game = factory.SubFactory(GameFactory, operator=factory.SelfAttribute("..operator"))
    bet_id = factory.Sequence(lambda number: f"bet-{number}")
    currency = "EUR"
    stake = Decimal(10)
    usd_rate = Decimal("1.25")
    usd_rate_at = LONG_AGO
    stake_usd = Decimal("12.50")
    status = BetStatus.PLACED
    payout = factory.LazyAttribute(
        lambda bet: None if bet.status == BetStatus.PLACED else Decimal(0)
    )
    placed_at = LONG_AGO
    settled_at = factory.LazyAttribute(
        lambda bet: None if bet.status == BetStatus.PLACED else LONG_AGO
    )
    rolled_back_at = factory.LazyAttribute(
        lambda bet: LONG_AGO if bet.status == BetStatus.ROLLED_BACK else None
    )


def bet_by(player: Player, game: Game, stake: Any, **members: Any) -> PlayedBet:
    """Place a bet by the real service. Give ``payout`` to settle it, ``now`` for its instant."""
    now = members.pop("now", None) or timezone.now()
    new = NewBet(
        bet_id=members.pop("bet_id", f"round-{next(_numbers)}"),
        game_slug=game.slug,
        stake=Decimal(stake),
        currency=player.currency,
        **members,
    )
    return place_bet(
        operator=player.operator,
        player_reference=player.reference,
        new=new,
        actor=ACTOR,
        now=now,
    )


def deposit_by(player: Player, amount: Any, *, now: datetime | None = None) -> MadeDeposit:
    """Let the player deposit by the real service, so that totals and promos hear of it."""
    return make_deposit(
        operator=player.operator,
        player_reference=player.reference,
        amount=Decimal(amount),
        currency=player.currency,
        reference=None,
        actor=ACTOR,
        now=now or timezone.now(),
    )


def claim_of(
    player: Player,
    *games: Game,
    now: datetime | None = None,
    max_bet: Any = None,
    wager_multiplier: Any = 1,
    **terms: Any,
) -> UserPromo:
    """
    Build a claim that waits for its deposit: 100 % up to 500, floor 20, ten times, a week.

    ``games`` are its list; each counts ``wager_multiplier`` and takes ``max_bet`` at most.
    """
    now = now or timezone.now()
    copied = {
        "bonus_multiplier": Decimal(1),
        "max_bonus_usd_amount": Decimal(500),
        "min_deposit_usd_to_activate": Decimal(20),
        "wager_multiplier_to_complete": Decimal(10),
        "time_seconds_to_complete": 7 * 24 * 3600,
        "lock_withdraw_on_claim_hours": None,
    } | terms
    code = f"WELCOME{next(_numbers)}"
    promo = Promo.objects.create(
        operator=player.operator,
        code=code,
        code_key=code.casefold(),
        type="DEPOSIT",
        created_at=LONG_AGO,
        **copied,
    )
    for game in games:
        PromoGame.objects.create(
            promo=promo,
            version=1,
            game=game,
            wager_multiplier=Decimal(wager_multiplier),
            max_bet_amount=max_bet,
        )
    return UserPromo.objects.create(
        operator=player.operator,
        promo=promo,
        player=player,
        code=code,
        promo_type="DEPOSIT",
        games_version=1,
        restrict_bets_while_claimed=False,
        bonus_currency=player.currency,
        claimed_at=now,
        due_at=now + timedelta(days=30),
        **copied,
    )


def moved(player: Player) -> list[tuple[str, Decimal]]:
    """Return tag and amount of every transfer of the player's main account, oldest first."""
    rows = Transfer.objects.filter(
        debit_account__player=player, debit_account__kind="PLAYER_MAIN"
    ) | Transfer.objects.filter(credit_account__player=player, credit_account__kind="PLAYER_MAIN")
    return [
        (
            row.tag,
            row.amount
            if row.credit_account.player_id == player.pk
            and row.credit_account.kind == "PLAYER_MAIN"
            else -row.amount,
        )
        for row in rows.select_related("credit_account").order_by("pk")
    ]
