"""The promos of the demo world, and the week in which some of its players claimed them."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from activity.demo.acts import Act, Deed, Stage, act_of, bet, deposit, live_through
from activity.errors import CashierReferenceTaken
from core.actors import Actor
from operators.models import Operator
from promos.enums import PromoType
from promos.errors import PromoAlreadyClaimed, PromoCodeTaken, UserPromoClosed
from promos.selectors import list_batches, list_promos, list_user_promos
from promos.services.batches import create_batch, make_batch_codes
from promos.services.catalogue import GameTerms, create_promo, replace_games
from promos.services.claims import ClaimTarget, claim_promo
from promos.services.endings import cancel_user_promo

_DAY_S = 86_400

#: (code, type, terms); WELCOME100 is the match of 100 % that is rolled over 30 times.
PROMOS: tuple[tuple[str, PromoType, dict[str, Any]], ...] = (
    (
        "WELCOME100",
        PromoType.DEPOSIT,
        {
            "title": "Welcome: 100 % up to 500 dollars",
            "bonus_multiplier": Decimal(1),
            "max_bonus_usd_amount": Decimal(500),
            "min_deposit_usd_to_activate": Decimal(20),
            "wager_multiplier_to_complete": Decimal(30),
            "time_seconds_to_complete": 7 * _DAY_S,
            "lock_withdraw_on_claim_hours": 0,
        },
    ),
    (
        "FREE10",
        PromoType.INSTANT,
        {"title": "Ten euros, no strings", "amount": Decimal(10), "currency": "EUR"},
    ),
    (
        "VIP250",
        PromoType.DEPOSIT,
        {
            "title": "VIP reload: 50 % up to 250 dollars",
            "bonus_multiplier": Decimal("0.5"),
            "max_bonus_usd_amount": Decimal(250),
            "min_deposit_usd_to_activate": Decimal(50),
            "wager_usd_amount_to_complete": Decimal(1000),
            "time_seconds_to_complete": 3 * _DAY_S,
            "lock_withdraw_on_claim_hours": 24,
            "min_vip_level_to_claim": 3,
        },
    ),
    (
        "FLASH20",
        PromoType.INSTANT,
        {
            "title": "Twenty dollars for the first twelve",
            "amount": Decimal(20),
            "currency": "USD",
            "claims_left": 12,
        },
    ),
)

#: (game, how much a bet counts, the largest bet in dollars). Football is not on the list.
PROMO_GAMES: tuple[tuple[str, str, str | None], ...] = (
    ("lucky-star", "1", "10"),
    ("book-of-tides", "1", "10"),
    ("fruit-parade", "1", "10"),
    ("golden-harbour", "1", "50"),
    ("european-roulette", "0.2", "25"),
    ("blackjack-classic", "0.1", "25"),
    ("live-baccarat", "0.1", "25"),
    ("rocket-crash", "0", None),
)

#: Whoever was quick enough: FLASH20 has three claims left.
_QUICK = (17, 20, 22, 25, 26, 27, 28, 33, 36)
_GIFTED = (11, 19, 21, 38)

#: Single-use codes of a promo: who reads the letter comes back, once.
CODES_OF, CODES_COUNT, CODES_PATTERN = "FREE10", 25, "BACK-#####"

#: What has been done before is refused with one of these.
_DONE_BEFORE = (PromoCodeTaken, PromoAlreadyClaimed, CashierReferenceTaken, UserPromoClosed)


def open_promos(*, operator: Operator, actor: Actor, began_at: datetime) -> None:
    """Make the promos, and list the games on which two of them are rolled over."""
    for code, promo_type, terms in PROMOS:
        try:
            create_promo(
                operator=operator,
                promo_type=promo_type,
                terms={"code": code, **terms},
                actor=actor,
                now=began_at,
            )
        except PromoCodeTaken:
            # An interrupted load has made it.
            continue
    games = [
        GameTerms(slug, Decimal(counts), None if most is None else Decimal(most))
        for slug, counts, most in PROMO_GAMES
    ]
    for promo in list_promos(operator=operator).filter(type=PromoType.DEPOSIT):
        replace_games(operator=operator, promo_id=promo.pk, games=games, actor=actor, now=began_at)


def make_codes(*, operator: Operator, actor: Actor, began_at: datetime) -> None:
    """Make single-use codes of a promo, as for a letter to those who have not been for long."""
    if list_batches(operator=operator).exists():
        return
    promo = list_promos(operator=operator).get(code=CODES_OF)
    with transaction.atomic():
        batch = create_batch(
            operator=operator,
            promo_id=promo.pk,
            count=CODES_COUNT,
            pattern=CODES_PATTERN,
            actor=actor,
            now=began_at,
        )
    # Here and now, as the campaign: a worker would find nothing left.
    make_batch_codes(batch_id=batch.pk, now=began_at)


def live_through_promos(*, operator: Operator, actor: Actor, began_at: datetime) -> None:
    """
    Let players claim, deposit, bet and give up through a week, oldest first.

    What an interrupted load has done is not done again.
    """
    live_through(
        _acts(), operator=operator, actor=actor, began_at=began_at, done_before=_DONE_BEFORE
    )


def _acts() -> Iterator[Act]:
    # Waits for a deposit.
    yield act_of(6.4, 12, _claim("WELCOME100"))
    # Active: one in dollars, one in euros, and one whose withdrawals are locked.
    yield from _match("WELCOME100", 15, day=6, amount="100.00", bets=12, stake="10.00")
    yield from _match("WELCOME100", 18, day=5, amount="200.00", bets=9, stake="9.00")
    yield from _match("VIP250", 31, day=6.6, amount="60.00", bets=2, stake="10.00")
    # Completed.
    yield from _match(
        "VIP250", 16, day=1, amount="100.00", bets=20, stake="50.00", game="golden-harbour"
    )
    # Expired: the bet of the fifth day comes too late.
    yield from _match("VIP250", 29, day=1, amount="100.00", bets=3, stake="10.00")
    yield act_of(5.2, 29, bet("demo-late", "lucky-star", "5.00", "0.00"))
    # Given up, once with enough money left and once without.
    yield from _match("WELCOME100", 30, day=2, amount="50.00", bets=1, stake="10.00")
    yield act_of(3, 30, _cancel("WELCOME100", "Asked to, in the chat"))
    yield from _match(
        "WELCOME100", 32, day=1, amount="50.00", bets=17, stake="10.00", is_unlucky=True
    )
    yield act_of(2, 32, _cancel("WELCOME100", "Wants to withdraw"))
    yield act_of(2.5, 32, deposit("25.00", what="again"))
    # Cancelled by a first deposit that was too small.
    yield act_of(4, 35, _claim("WELCOME100"))
    yield act_of(4.1, 35, deposit("10.00", what="promo"))
    for hour, number in enumerate(_QUICK):
        yield act_of(3 + hour / 24, number, _claim("FLASH20"))
    for hour, number in enumerate(_GIFTED):
        yield act_of(2 + hour / 24, number, _claim("FREE10"))


def _match(
    code: str,
    number: int,
    *,
    day: float,
    amount: str,
    bets: int,
    stake: str,
    game: str = "lucky-star",
    is_unlucky: bool = False,
) -> Iterator[Act]:
    """Yield a claim, the deposit that activates it, and bets of which every second one wins."""
    yield act_of(day, number, _claim(code))
    yield act_of(day + 0.01, number, deposit(amount, what="promo"))
    for turn in range(bets):
        wins = turn % 2 == 1 and not is_unlucky
        payout = f"{Decimal(stake) * 2}" if wins else "0.00"
        when = day + 0.02 + turn / 100
        yield act_of(when, number, bet(f"demo-{code}-{turn:02}", game, stake, payout))


def _claim(code: str) -> Deed:
    @transaction.atomic
    def do(stage: Stage, reference: str) -> None:
        claim_promo(
            operator=stage.operator,
            target=ClaimTarget(code=code),
            player_reference=reference,
            actor=stage.actor,
            now=stage.now,
        )

    return do


def _cancel(code: str, reason: str) -> Deed:
    @transaction.atomic
    def do(stage: Stage, reference: str) -> None:
        claims = list_user_promos(operator=stage.operator)
        cancel_user_promo(
            operator=stage.operator,
            user_promo_id=claims.get(player__reference=reference, code=code).pk,
            reason=reason,
            custom_decrease_amount=None,
            actor=stage.actor,
            now=stage.now,
        )

    return do
