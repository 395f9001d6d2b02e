"""
The simulator's books of a path are the product's, to the cent, bet after bet.

The same bets, with the same payouts, are placed through activity and played on the arrays
of the simulator; after each of them the two are compared.
"""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from bonuses.enums import GrantStatus
from bonuses.models import BonusGrant
from promos.enums import UserPromoStatus
from promos.models import UserPromo
from promos.services.endings import expire_due_user_promos
from simulations.enums import Outcome, Volatility
from simulations.rules.odds import Choice, list_choices
from simulations.rules.pace import Pace
from simulations.rules.play import OUTCOMES, Milestones, Paths, Table
from simulations.rules.position import Position, amount_of, position_of
from simulations.rules.scenario import ListedGame, MixedGame, Stake
from simulations.selectors import bonus_offer_of_template, promo_offer_of
from tests.bonuses.playing import NOW, Play, differences, stored
from tests.factories.activity import ACTOR, bet_by, claim_of, deposit_by
from tests.factories.bonuses import BonusGrantFactory, BonusTemplateFactory
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.wallets import held_by
from tests.simulations.scenarios import scenario

pytestmark = pytest.mark.django_db

BETS = 40
#: What payouts are, in times the stake: nothing mostly, and now and then a lot.
MULTIPLES = ["0", "0", "0", "0.5", "1", "1.37", "2", "3.33", "12"]


@dataclass
class Script:
    """Bets that were placed, as the simulator's table draws them: one after another."""

    steps: list[tuple[Choice, int]] = field(default_factory=list)
    at: int = 0
    is_simple: bool = True
    is_restricted: bool = False
    bonus_is_usable: bool = True
    can_forfeit: bool = True
    least: int = 0

    def pick(self, random_numbers: Any, count: int) -> Any:
        self.at += 1
        return np.full(count, self.at - 1)

    def __getattr__(self, name: str) -> Any:
        values = [getattr(choice, name) for choice, _payout in self.steps]
        return np.array(values, dtype=np.bool_ if name == "forfeits" else np.int64)

    @property
    def payout(self) -> Any:
        return np.array([payout for _choice, payout in self.steps], dtype=np.int64)


def replay(position: Position, script: Script) -> tuple[Table, Paths]:
    """Play the bets so far on one simulated player, from the beginning."""
    script.at = 0
    table = Table(
        position=position,
        odds=script,  # type: ignore[arg-type]
        pace=Pace(1_000, 24),
        milestones=Milestones.at([position.required]),
        players=1,
        random=np.random.default_rng(1),
    )
    bets = len(script.steps)
    return table, table.play(bets=bets, gives_up_per_day=0, at_end=Outcome.OPEN)


def outcome_of(paths: Paths) -> Outcome:
    return OUTCOMES[paths.outcome[0]]


def payout_of(dice: random.Random, stake: Decimal, decimals: int) -> Decimal:
    return round(stake * Decimal(dice.choice(MULTIPLES)), decimals)


# Grants

GRANTS: dict[str, dict[str, Any]] = {
    "a gift": {"wagering_multiplier": Decimal(6)},
    "a capped gift": {"wagering_multiplier": Decimal(3), "max_win_cap": Decimal("1.25")},
    "weights": {
        "wagering_multiplier": Decimal(2),
        "game_contribution": {"slots": 33, "table": 7, "default": 0},
    },
    "a maximum bet": {"wagering_multiplier": Decimal(9), "max_bet": Decimal("4.99")},
    "a long way": {"wagering_multiplier": Decimal(500)},
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("terms", GRANTS)
@pytest.mark.parametrize(("own", "currency"), [("0", "EUR"), ("23.17", "EUR"), ("900", "JPY")])
def test_a_grant_is_the_same_after_every_bet(
    terms: str, own: str, currency: str, seed: int
) -> None:
    dice = random.Random(f"{terms} {own} {currency} {seed}")
    play = Play(currency)
    if Decimal(own):
        play.has(own)
    bonus = "1000" if currency == "JPY" else "17.31"
    grant = play.granted(bonus, **GRANTS[terms])
    unit = 100 if currency == "JPY" else 1
    stakes = tuple(Stake(Decimal(amount) * unit, Decimal(1)) for amount in ("1", "2", "5")) + (
        (Stake(Decimal("0.37"), Decimal(1)),) if unit == 1 else ()
    )
    given = scenario(
        currency=currency,
        deposit=Decimal(0),
        own_money=Decimal(own),
        stakes=stakes,
        games=tuple(
            MixedGame(slug=game.slug, category=game.category, share=Decimal(1))
            for game in (play.slots, play.table)
        ),
    )
    offer = bonus_offer_of_template(template=grant.template)
    position = position_of(offer=offer, scenario=given)
    choices = list_choices(offer=offer, position=position, scenario=given)
    script = Script()

    for _ in range(BETS):
        there = play.main + (play.in_bonus(grant) or 0)
        placed = [
            choice for choice in choices if amount_of(choice.stake, position.currency) <= there
        ]
        if not placed or not stored(grant).is_active:
            break
        choice = dice.choice(placed)
        stake = amount_of(choice.stake, position.currency)
        payout = payout_of(dice, stake, position.currency.decimals)
        game = play.slots if choice.game.slug == play.slots.slug else play.table
        play.bet(stake, payout, game=game)
        script.steps.append((choice, int(payout.scaleb(position.currency.decimals))))
        assert_same_grant(play, stored(grant), position, script)

    assert script.steps
    assert differences() == []


def assert_same_grant(play: Play, grant: BonusGrant, position: Position, script: Script) -> None:
    table, paths = replay(position, script)
    currency = position.currency
    expected = {
        GrantStatus.ACTIVE: Outcome.OPEN,
        GrantStatus.COMPLETED: Outcome.COMPLETED,
        GrantStatus.FORFEITED: Outcome.FORFEITED,
    }[GrantStatus(grant.status)]
    left = play.in_bonus(grant) or Decimal(0)
    assert outcome_of(paths) == expected
    assert amount_of(int(paths.value[0]), currency) == play.main
    if grant.is_active:
        assert amount_of(int(paths.returned[0]), currency) == left
        assert Decimal(int(table.purses.progress[0])).scaleb(-8) == grant.wagering_progress
    elif grant.status == GrantStatus.COMPLETED:
        assert amount_of(int(paths.returned[0]), currency) == grant.excess_amount
        assert left == 0
    else:
        # What was taken back, as the ledger has it.
        taken = dict(play.moves(grant)).get("clawback", Decimal(0))
        assert amount_of(int(paths.returned[0]), currency) == taken
    assert amount_of(int(paths.turnover[0]), currency) == grant.total_wagered or not grant.is_active


@pytest.mark.parametrize("kind", ["match", "reload"])
@pytest.mark.parametrize("deposit", ["0.02", "10.03", "199.99", "250.00"])
def test_what_a_deposit_gives_is_the_same(kind: str, deposit: str) -> None:
    template = BonusTemplateFactory.create(**{kind: True})
    grant = BonusGrantFactory.create(
        asked_template=template, issuance__deposit_amount=Decimal(deposit)
    )
    given = scenario(deposit=Decimal(deposit))

    position = position_of(offer=bonus_offer_of_template(template=template), scenario=given)

    assert amount_of(position.credited, position.currency) == grant.bonus_amount
    assert position.requirement == grant.wagering_required


# Claims

PROMOS: dict[str, dict[str, Any]] = {
    "completes": {"wager_multiplier_to_complete": Decimal(1)},
    "counts a third": {"wager_multiplier_to_complete": Decimal(1), "counts": "0.33333333"},
    "is capped": {
        "max_bonus_usd_amount": Decimal("33.33"),
        "wager_multiplier_to_complete": Decimal(2),
    },
    "has a fixed target": {
        "wager_multiplier_to_complete": None,
        "wager_usd_amount_to_complete": Decimal("77.77"),
    },
    "expires": {"wager_multiplier_to_complete": Decimal(1000)},
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("terms", PROMOS)
@pytest.mark.parametrize("rate", ["1.0842", None])
def test_a_claim_is_the_same_after_every_bet(terms: str, rate: str | None, seed: int) -> None:
    dice = random.Random(f"{terms} {rate} {seed}")
    currency = "USD" if rate is None else "EUR"
    operator = OperatorFactory.create()
    if rate is not None:
        ExchangeRateFactory.create(operator=operator, usd_rate=Decimal(rate))
    player = PlayerFactory.create(operator=operator, currency=currency)
    game = GameFactory.create(operator=operator)
    terms_of_claim = dict(PROMOS[terms])
    counts = Decimal(terms_of_claim.pop("counts", "1"))
    claim = claim_of(player, game, now=NOW, wager_multiplier=counts, **terms_of_claim)
    deposit_by(player, "47.11", now=NOW)
    given = scenario(
        currency=currency,
        usd_rate=Decimal(rate or 1),
        deposit=Decimal("47.11"),
        stakes=tuple(Stake(Decimal(amount), Decimal(1)) for amount in ("0.37", "2", "9")),
        games=(MixedGame(slug=game.slug, category="slots", share=Decimal(1)),),
        volatility=Volatility.NONE,
    )
    offer = promo_offer_of(promo=claim.promo, games=(ListedGame(game.slug, "slots", counts, None),))
    position = position_of(offer=offer, scenario=given)
    choices = list_choices(offer=offer, position=position, scenario=given)
    script = Script()

    for _ in range(BETS):
        there = held_by(player) or Decimal(0)
        placed = [
            choice for choice in choices if amount_of(choice.stake, position.currency) <= there
        ]
        if not placed or not now_of(claim).is_active:
            break
        choice = dice.choice(placed)
        stake = amount_of(choice.stake, position.currency)
        payout = payout_of(dice, stake, position.currency.decimals)
        bet_by(player, game, stake, payout=payout, now=NOW + timedelta(seconds=1))
        script.steps.append((choice, int(payout.scaleb(position.currency.decimals))))
        assert_same_claim(now_of(claim), position, script, main=held_by(player) or Decimal(0))

    assert script.steps
    assert_same_end(claim, position, script)


def now_of(claim: UserPromo) -> UserPromo:
    return UserPromo.objects.get(pk=claim.pk)


def assert_same_claim(
    claim: UserPromo, position: Position, script: Script, *, main: Decimal
) -> None:
    table, paths = replay(position, script)
    is_done = claim.status == UserPromoStatus.COMPLETED
    assert amount_of(position.credited, position.currency) == claim.bonus_amount
    assert position.requirement == claim.target_usd_amount
    assert outcome_of(paths) == (Outcome.COMPLETED if is_done else Outcome.OPEN)
    assert Decimal(int(table.purses.progress[0])).scaleb(-8) == claim.wagered_usd_amount
    assert amount_of(int(table.purses.main[0]), position.currency) == main


def assert_same_end(claim: UserPromo, position: Position, script: Script) -> None:
    """Let a claim that is still open expire, and compare what is taken back."""
    expire_due_user_promos(now=NOW + timedelta(days=8), limit=10, actor=ACTOR)
    ended, (_table, paths) = now_of(claim), replay(position, script)
    main = held_by(claim.player) or Decimal(0)
    assert amount_of(int(paths.value[0]), position.currency) == main
    if ended.status == UserPromoStatus.EXPIRED:
        assert amount_of(int(paths.returned[0]), position.currency) == ended.clawback_amount
    else:
        assert (ended.status, int(paths.returned[0])) == (UserPromoStatus.COMPLETED, 0)
