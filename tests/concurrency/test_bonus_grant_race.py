"""
Many requests for a bonus at one instant: the limit of its template, and a loss paid back once.

The controls take away the player's lock, and let everybody count before anybody writes.
"""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from bonuses.models import BonusGrant, BonusIssuance, BonusTemplate
from bonuses.services import eligibility
from bonuses.services.issuing import issue_bonus
from bonuses.services.requests import BonusRequest
from core import locks
from core.actors import Actor, ActorKind
from core.books import find_differences
from core.errors import DomainError
from core.idempotency import IdempotencyKey
from players.models import Player
from tests.concurrency.sabotage import at_once
from tests.factories.activity import bet_by, deposit_by
from tests.factories.bonuses import BonusTemplateFactory
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from wallets.models import Account

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
ACTOR = Actor(kind=ActorKind.TASK, ref="race")
COUNT = 16


def ask(
    template: BonusTemplate,
    player: Player,
    *,
    key: str = "",
    is_offer: bool = False,
    deposit_amount: Decimal | None = None,
) -> str:
    """Ask for a bonus, and return the status of the issuance or the code of the refusal."""
    key = key or str(uuid4())
    request = BonusRequest(
        template_id=template.pk,
        player_reference=player.reference,
        idempotency_key=key,
        is_offer=is_offer,
        deposit_amount=deposit_amount,
    )
    try:
        issued = issue_bonus(
            operator=template.operator,
            request=request,
            key=IdempotencyKey(value=key, fingerprint="race"),
            actor=ACTOR,
            clock=lambda: NOW,
        )
    except DomainError as refusal:
        return refusal.code
    return str(issued.issuance.status)


def ask_at_once(template: BonusTemplate, player: Player, **asked: Any) -> Counter[str]:
    return Counter(at_once([lambda: ask(template, player, **asked)] * COUNT))


def without_the_lock(monkeypatch: pytest.MonkeyPatch, *decided: str) -> None:
    """Take the player's lock away, and let all of them decide before one of them writes."""
    everybody = threading.Barrier(COUNT)
    monkeypatch.setattr(locks, "lock_exclusively", lambda lock, key: None)

    def waiting(decide: Callable[..., Any]) -> Callable[..., Any]:
        def decide_and_wait(**given: Any) -> Any:
            decision = decide(**given)
            everybody.wait(timeout=60)
            return decision

        return decide_and_wait

    for name in decided:
        monkeypatch.setattr(eligibility, name, waiting(getattr(eligibility, name)))


@pytest.fixture
def player() -> Player:
    rate = ExchangeRateFactory.create()
    return PlayerFactory.create(operator=rate.operator, currency="EUR")


def limited(player: Player, most: int, **traits: Any) -> BonusTemplate:
    return BonusTemplateFactory.create(
        operator=player.operator, max_grants_per_player=most, **traits
    )


# The limit


def test_control_without_the_lock_everybody_gets_the_one_bonus(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = limited(player, 1)
    without_the_lock(monkeypatch, "count_issuances")

    outcomes = ask_at_once(once, player)

    assert outcomes == {"succeeded": COUNT}
    assert BonusGrant.objects.count() == COUNT


@pytest.mark.parametrize("most", [1, 3])
def test_sixteen_requests_issue_as_many_as_the_limit_and_no_more(most: int, player: Player) -> None:
    template = limited(player, most)

    outcomes = ask_at_once(template, player)

    assert outcomes == {"succeeded": most, "BONUS_GRANT_LIMIT_REACHED": COUNT - most}
    assert BonusGrant.objects.count() == BonusIssuance.objects.count() == most
    held = Account.objects.filter(kind="PLAYER_BONUS").values_list("balance", flat=True)
    assert list(held) == [Decimal(10)] * most
    assert find_differences() == []


def test_offers_and_bonuses_at_once_share_one_limit(player: Player) -> None:
    match = limited(player, 1, match=True)

    outcomes = Counter(
        at_once(
            [
                lambda: ask(match, player, is_offer=True),
                lambda: ask(match, player, deposit_amount=Decimal(50)),
            ]
            * (COUNT // 2)
        )
    )

    assert outcomes.pop("BONUS_GRANT_LIMIT_REACHED") == COUNT - 1
    assert outcomes in ({"succeeded": 1}, {"awaiting_deposit": 1})
    assert BonusIssuance.objects.count() == 1


def test_one_key_sent_sixteen_times_is_one_bonus(player: Player) -> None:
    unlimited = BonusTemplateFactory.create(operator=player.operator)

    outcomes = ask_at_once(unlimited, player, key="once")

    # Whoever meets the one that is asking the platform is told to come again: the platform
    # has not failed anybody.
    assert set(outcomes) <= {"succeeded", "IDEMPOTENCY_IN_PROGRESS"}
    assert outcomes["succeeded"] >= 1
    assert BonusGrant.objects.count() == BonusIssuance.objects.count() == 1


def test_different_players_do_not_wait_for_each_other(player: Player) -> None:
    once = limited(player, 1)
    others = PlayerFactory.create_batch(COUNT, operator=player.operator, currency="EUR")

    outcomes = Counter(at_once([lambda other=other: ask(once, other) for other in others]))

    assert outcomes == {"succeeded": COUNT}
    assert find_differences() == []


# A loss


def lose(player: Player, amount: int) -> BonusTemplate:
    """Let the player lose, and return what pays a tenth of it back."""
    with transaction.atomic():
        deposit_by(player, amount, now=NOW - timedelta(hours=2))
        game = GameFactory.create(operator=player.operator)
        bet_by(player, game, amount, payout=Decimal(0), now=NOW - timedelta(hours=1))
    return BonusTemplateFactory.create(operator=player.operator, cashback=True)


def test_control_without_the_lock_a_loss_is_paid_back_many_times(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    cashback = lose(player, 100)
    without_the_lock(monkeypatch, "find_paid_back_until")

    outcomes = ask_at_once(cashback, player)

    assert outcomes == {"succeeded": COUNT}


def test_a_loss_is_paid_back_once(player: Player) -> None:
    cashback = lose(player, 100)

    outcomes = ask_at_once(cashback, player)

    assert outcomes == {"succeeded": 1, "BONUS_NOT_ELIGIBLE": COUNT - 1}
    assert BonusGrant.objects.get().bonus_amount == 10
    assert find_differences() == []
