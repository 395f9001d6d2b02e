"""A clawback of choice above the limit waits for a second person, and then takes exactly that."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from approvals.enums import ApprovalStatus
from approvals.errors import ApprovalRequired, SecondPersonRequired
from approvals.models import Approval
from approvals.services.deciding import apply_approval
from core.actors import Actor, ActorKind
from core.errors import InvalidRequest
from core.models import AuditEntry
from games.models import Game
from operators.models import Operator
from players.models import Player
from promos.enums import UserPromoStatus
from promos.errors import CustomDecreaseTooLarge, UserPromoClosed
from promos.models import UserPromo
from promos.services import endings
from promos.services.claims import ClaimTarget, claim_promo
from promos.services.clawbacks import cancel_or_ask
from tests.factories.activity import bet_by, deposit_by
from tests.factories.approvals import ApprovalSettingsFactory
from tests.factories.games import GameFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import PromoFactory, PromoGameFactory
from wallets.selectors import get_balances

pytestmark = pytest.mark.django_db

SECOND = Actor(kind=ActorKind.STAFF, ref="8")


@pytest.fixture
def player(operator: Operator) -> Player:
    return PlayerFactory.create(operator=operator, reference="ada", currency="USD")


@pytest.fixture
def game(operator: Operator) -> Game:
    return GameFactory.create(operator=operator, slug="sums")


@pytest.fixture
def claim(player: Player, game: Game, actor: Actor, now: datetime) -> UserPromo:
    """Activated by a deposit of 500 dollars that was matched: the wallet holds 1,000."""
    promo = PromoFactory.create(
        operator=player.operator, code="WELCOME500", max_bonus_usd_amount=500
    )
    PromoGameFactory.create(promo=promo, game=game)
    claim_promo(
        operator=player.operator,
        target=ClaimTarget(promo_id=promo.pk),
        player_reference="ada",
        actor=actor,
        now=now - timedelta(minutes=2),
    )
    deposit_by(player, 500, now=now - timedelta(minutes=1))
    return UserPromo.objects.get()


def cancel(
    claim: UserPromo, amount: str | None, actor: Actor, now: datetime
) -> UserPromo | Approval:
    return cancel_or_ask(
        operator=claim.operator,
        user_promo_id=claim.pk,
        reason="Two accounts",
        custom_decrease_amount=None if amount is None else Decimal(amount),
        actor=actor,
        now=now,
    )


def approve(asked: Any, now: datetime, actor: Actor = SECOND) -> Approval:
    return apply_approval(
        operator=asked.operator,
        approval_id=asked.pk,
        fingerprint=asked.fingerprint,
        reason="Seen the bets",
        actor=actor,
        now=now,
    )


def main_balance(player: Player) -> Decimal:
    [balance] = get_balances(player=player)
    return balance.main


def untouched(player: Player) -> bool:
    return main_balance(player) == 1000 and UserPromo.objects.get().status == "ACTIVE"


def test_a_second_person_has_exactly_that_much_taken(
    claim: UserPromo, player: Player, actor: Actor, now: datetime
) -> None:
    asked = cancel(claim, "600", actor, now)
    assert isinstance(asked, Approval)
    assert untouched(player)

    applied = approve(asked, now + timedelta(hours=2))

    ended = UserPromo.objects.get()
    assert (ended.status, ended.clawback_amount) == (UserPromoStatus.CANCELLED, 600)
    assert main_balance(player) == 400
    assert applied.outcome == "WELCOME500 of ada was cancelled. 600.00 USD was taken."
    told = AuditEntry.objects.filter(action__in=["promo.claim.cancelled", "approval.applied"])
    assert [(entry.action, entry.actor_ref, entry.reason) for entry in told.order_by("pk")] == [
        ("promo.claim.cancelled", "8", "Two accounts"),
        ("approval.applied", "8", "Seen the bets"),
    ]


def test_the_request_says_what_it_is_bound_to(
    claim: UserPromo, actor: Actor, now: datetime
) -> None:
    cancel(claim, "600", actor, now)

    asked = Approval.objects.get()
    assert (asked.kind, asked.subject_type) == ("clawback", "promos.userpromo")
    assert (asked.subject_id, asked.amount, asked.currency) == (str(claim.pk), 600, "USD")
    assert asked.payload == {
        "code": "WELCOME500",
        "player_id": "ada",
        "amount": "600.00",
        "currency": "USD",
    }
    assert asked.summary == [
        "Cancel WELCOME500 of ada and take 600.00 USD",
        "The bonus was 500.00 USD. The amount is one of choice, not what the rule would take.",
    ]


@pytest.mark.parametrize("amount", [None, "0", "500"])
def test_by_the_rule_or_up_to_the_limit_one_person_is_enough(
    amount: str | None, claim: UserPromo, actor: Actor, now: datetime
) -> None:
    done = cancel(claim, amount, actor, now)

    assert isinstance(done, UserPromo)
    assert done.status == UserPromoStatus.CANCELLED
    assert not Approval.objects.exists()


def test_the_rule_takes_more_than_the_limit_alone_because_it_is_the_rule(
    claim: UserPromo, actor: Actor, now: datetime
) -> None:
    ApprovalSettingsFactory.create(operator=claim.operator, clawback_above=1)

    done = cancel(claim, None, actor, now)

    assert isinstance(done, UserPromo)
    assert done.clawback_amount == 500


def test_an_api_key_is_the_operators_own_system(claim: UserPromo, now: datetime) -> None:
    done = cancel(claim, "600", Actor(kind=ActorKind.API_KEY, ref="1"), now)

    assert isinstance(done, UserPromo)
    assert done.clawback_amount == 600


def test_the_service_refuses_staff_whatever_door_they_come_by(
    claim: UserPromo, player: Player, actor: Actor, now: datetime
) -> None:
    with pytest.raises(ApprovalRequired), transaction.atomic():
        endings.cancel_user_promo(
            operator=claim.operator,
            user_promo_id=claim.pk,
            reason="Two accounts",
            custom_decrease_amount=Decimal("500.01"),
            actor=actor,
            now=now,
        )

    assert untouched(player)


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [("1000.01", CustomDecreaseTooLarge), ("600.001", InvalidRequest)],
)
def test_what_cannot_be_taken_is_not_asked_for(
    amount: str, refusal: Any, claim: UserPromo, player: Player, actor: Actor, now: datetime
) -> None:
    with pytest.raises(refusal):
        cancel(claim, amount, actor, now)

    assert not Approval.objects.exists()
    assert untouched(player)


def test_whoever_asked_takes_nothing(
    claim: UserPromo, player: Player, actor: Actor, now: datetime
) -> None:
    asked = cancel(claim, "600", actor, now)

    with pytest.raises(SecondPersonRequired):
        approve(asked, now, actor)

    assert untouched(player)


def test_a_claim_that_has_ended_meanwhile_leaves_the_request_waiting(
    claim: UserPromo, player: Player, actor: Actor, now: datetime
) -> None:
    asked = cancel(claim, "600", actor, now)
    cancel(claim, "10", actor, now)

    with pytest.raises(UserPromoClosed):
        approve(asked, now)

    assert Approval.objects.get().status == ApprovalStatus.REQUESTED
    assert main_balance(player) == 990


def test_a_balance_that_is_gone_meanwhile_leaves_the_request_waiting(
    claim: UserPromo, player: Player, game: Game, actor: Actor, now: datetime
) -> None:
    asked = cancel(claim, "600", actor, now)
    bet_by(player, game, 401, payout=Decimal(0), now=now)

    with pytest.raises(CustomDecreaseTooLarge):
        approve(asked, now)

    assert Approval.objects.get().status == ApprovalStatus.REQUESTED
    assert UserPromo.objects.get().status == UserPromoStatus.ACTIVE
    assert main_balance(player) == 599


def test_the_order_of_locks(claim: UserPromo, actor: Actor, now: datetime) -> None:
    asked = cancel(claim, "600", actor, now)
    marks = {
        "pg_advisory_xact_lock(5,": "approval",
        'OF "promos_userpromo"': "claim",
        "promos_lock_main_balance": "account",
        'UPDATE "approvals_approval"': "request",
    }

    with CaptureQueriesContext(connection) as queries:
        approve(asked, now)

    told = [name for query in queries for mark, name in marks.items() if mark in query["sql"]]
    assert told == ["approval", "claim", "account", "request"]
