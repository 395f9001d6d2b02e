"""The bonuses of the demo world: templates, grants in every state, an offer, and a campaign."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from activity.demo.acts import Act, Deed, Stage, act_of, bet, deposit, live_through
from activity.errors import CashierReferenceTaken
from bonuses.enums import BonusType, WageringBasis
from bonuses.errors import BonusGrantClosed, BonusNotEligible
from bonuses.selectors import list_campaigns, list_grants, list_templates
from bonuses.services.campaigns import create_campaign, start_campaign
from bonuses.services.closing import cancel_grant
from bonuses.services.fan_out import issue_campaign
from bonuses.services.issuing import issue_bonus
from bonuses.services.requests import BonusRequest
from bonuses.services.templates import create_template
from core.actors import Actor
from core.idempotency import IdempotencyKey
from operators.models import Operator
from players.services.segments import create_segment_by_rules

WELCOME = "Welcome match"
RELOAD = "Friday reload"
SPINS = "20 spins on Lucky Star"
GIFT = "Ten dollars, no deposit"
CASHBACK = "Weekly cashback"
CAMPAIGN = "Spins for VIPs"

_WEIGHTS = {"slots": 100, "table": 5, "live": 5, "default": 0, "games": {"golden-harbour": 50}}

#: (name, type, terms); amounts are in dollars. The first is the match that is wagered 30
#: times, on bonus plus deposit.
TEMPLATES: tuple[tuple[str, BonusType, dict[str, Any]], ...] = (
    (
        WELCOME,
        BonusType.DEPOSIT_MATCH,
        {
            "config": {"match_percent": "100", "cap_amount": "200.00", "currency": "USD"},
            "wagering_requirement_multiplier": Decimal(30),
            "wagering_basis": WageringBasis.BONUS_PLUS_DEPOSIT,
            "max_bet": Decimal(5),
            "time_limit_hours": 30 * 24,
            "max_grants_per_player": 1,
        },
    ),
    (
        RELOAD,
        BonusType.RELOAD,
        {
            "config": {"match_percent": "50", "cap_amount": "100.00", "currency": "USD"},
            "wagering_requirement_multiplier": Decimal(25),
            "max_bet": Decimal(5),
            "time_limit_hours": 72,
        },
    ),
    (
        SPINS,
        BonusType.FREE_SPINS,
        {
            "config": {
                "count": 20,
                "value_per_spin": "0.20",
                "currency": "USD",
                "eligible_games": ["lucky-star"],
            },
            "wagering_requirement_multiplier": Decimal(35),
            "max_win_cap": Decimal(50),
            "time_limit_hours": 48,
        },
    ),
    (
        GIFT,
        BonusType.NO_DEPOSIT,
        {
            "config": {"amount": "10.00", "currency": "USD"},
            "wagering_requirement_multiplier": Decimal(10),
            "max_bet": Decimal(10),
            "max_win_cap": Decimal(100),
            "time_limit_hours": 7 * 24,
            "max_grants_per_player": 1,
        },
    ),
    (
        CASHBACK,
        BonusType.CASHBACK,
        {
            "config": {
                "percent": "10",
                "window_days": 7,
                "min_loss": "20.00",
                "currency": "USD",
            },
            "wagering_requirement_multiplier": Decimal(1),
            "time_limit_hours": 7 * 24,
        },
    ),
)

#: What has been done before is refused with one of these, or answered from its key.
_DONE_BEFORE = (BonusGrantClosed, BonusNotEligible, CashierReferenceTaken)


def make_templates(*, operator: Operator, actor: Actor, began_at: datetime) -> None:
    """Make the templates that an interrupted load has not made."""
    made = set(list_templates(operator=operator).values_list("name", flat=True))
    for name, bonus_type, terms in TEMPLATES:
        if name not in made:
            create_template(
                operator=operator,
                bonus_type=bonus_type,
                terms={"name": name, "game_contribution": _WEIGHTS, **terms},
                actor=actor,
                now=began_at,
            )


def live_through_bonuses(*, operator: Operator, actor: Actor, began_at: datetime) -> None:
    """
    Let bonuses be given, wagered, lost and taken back through a week, oldest first.

    What an interrupted load has done is not done again.
    """
    live_through(
        _acts(), operator=operator, actor=actor, began_at=began_at, done_before=_DONE_BEFORE
    )


def run_campaign(*, operator: Operator, actor: Actor, began_at: datetime) -> None:
    """Give free spins to all players of a high VIP level, on the sixth day of the world."""
    now = began_at + timedelta(days=6)
    if list_campaigns(operator=operator).filter(name=CAMPAIGN).exists():
        return
    segment = create_segment_by_rules(
        operator=operator,
        name="VIP level 5",
        rules={"min_vip_level": 5},
        actor=actor,
        now=now,
    )
    campaign = create_campaign(
        operator=operator,
        segment_id=segment.pk,
        template_id=list_templates(operator=operator).get(name=SPINS).pk,
        name=CAMPAIGN,
        budget_base=Decimal(1_000),
        actor=actor,
        now=now,
    )
    with transaction.atomic():
        start_campaign(operator=operator, campaign_id=campaign.pk, actor=actor, now=now)
    # Here and now, so that the world is the same everywhere; a worker would find nothing left.
    issue_campaign(campaign_id=campaign.pk, clock=lambda: now)


def _acts() -> Iterator[Act]:
    # Waits for a deposit.
    yield act_of(6, 41, _issue(WELCOME, is_offer=True))
    # Active: a match half-way, free spins, and one on a table, where a stake counts 5 %.
    yield act_of(4, 42, deposit("100.00", what="bonus"))
    yield act_of(4.1, 42, _issue(WELCOME, deposit_amount="100.00"))
    yield from _bets(42, day=4.2, count=24, stake="5.00", payout=_win_and_lose("5.00"))
    yield act_of(6.5, 43, _issue(SPINS))
    yield from _bets(43, day=6.6, count=5, stake="0.20", payout=_never)
    yield act_of(6, 44, _issue(GIFT))
    yield from _bets(44, day=6.1, count=2, stake="5.00", payout=_even, game="european-roulette")
    # Completed: all that was won was below the cap; and above it, so that some is held back.
    yield act_of(2, 45, _issue(GIFT))
    yield from _bets(45, day=2.1, count=10, stake="10.00", payout=_win_and_lose("10.00"))
    yield act_of(3, 46, _issue(GIFT))
    yield from _bets(46, day=3.1, count=1, stake="10.00", payout=lambda _turn: "300.00")
    yield from _bets(46, day=3.2, count=9, stake="10.00", payout=_never, what="more")
    # Forfeited: the match allows 5 dollars a bet.
    yield act_of(1, 47, deposit("50.00", what="bonus"))
    yield act_of(1.1, 47, _issue(WELCOME, deposit_amount="50.00"))
    yield from _bets(47, day=1.2, count=1, stake="6.00", payout=_never)
    # Expired: the bet comes after the 48 hours of the spins.
    yield act_of(1, 48, deposit("20.00", what="bonus"))
    yield act_of(1, 48, _issue(SPINS))
    yield from _bets(48, day=3.5, count=1, stake="1.00", payout=_never)
    # Cancelled by staff.
    yield act_of(2, 49, _issue(GIFT))
    yield act_of(2.5, 49, _cancel(GIFT, "A second account of the same person"))
    # A tenth of 60 dollars lost comes back.
    yield act_of(5, 50, deposit("100.00", what="bonus"))
    yield from _bets(50, day=5.1, count=6, stake="10.00", payout=_never)
    yield act_of(6, 50, _issue(CASHBACK))
    # A second deposit is matched by half.
    yield act_of(3, 51, deposit("30.00", what="bonus"))
    yield act_of(3.5, 51, _issue(RELOAD, is_offer=True))
    yield act_of(4, 51, deposit("40.00", what="reload"))


def _even(_turn: int) -> str:
    return "5.00"


def _never(_turn: int) -> str:
    return "0.00"


def _win_and_lose(stake: str) -> Callable[[int], str]:
    return lambda turn: "0.00" if turn % 2 else f"{2 * Decimal(stake)}"


def _bets(
    number: int,
    *,
    day: float,
    count: int,
    stake: str,
    payout: Callable[[int], str],
    game: str = "lucky-star",
    what: str = "bonus",
) -> Iterator[Act]:
    for turn in range(count):
        deed = bet(f"demo-{what}-{turn:02}", game, stake, payout(turn))
        yield act_of(day + turn / 100, number, deed)


def _issue(name: str, *, deposit_amount: str | None = None, is_offer: bool = False) -> Deed:
    def do(stage: Stage, reference: str) -> None:
        key = f"demo:{name}:{reference}"
        issue_bonus(
            operator=stage.operator,
            request=BonusRequest(
                template_id=list_templates(operator=stage.operator).get(name=name).pk,
                player_reference=reference,
                idempotency_key=key,
                deposit_amount=None if deposit_amount is None else Decimal(deposit_amount),
                is_offer=is_offer,
                granted_by={"kind": "journey", "ref": "demo"},
            ),
            key=IdempotencyKey(value=key, fingerprint=key),
            actor=stage.actor,
            clock=lambda: stage.now,
        )

    return do


def _cancel(name: str, reason: str) -> Deed:
    @transaction.atomic
    def do(stage: Stage, reference: str) -> None:
        grants = list_grants(operator=stage.operator)
        cancel_grant(
            operator=stage.operator,
            grant_id=grants.get(player__reference=reference, template__name=name).pk,
            reason=reason,
            actor=stage.actor,
            now=stage.now,
        )

    return do
