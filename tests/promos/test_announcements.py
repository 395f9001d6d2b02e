"""Others hear of every move of a claim, once, as the API shows it; of an undone one, nothing."""

from collections.abc import Callable

import pytest
from django.db import transaction

from core.errors import DomainError
from core.models import OutboxMessage
from games.models import Game
from operators.models import Operator
from promos.models import UserPromo
from promos.representations import represent_user_promo
from promos.services import announcements
from tests.factories.operators import OperatorFactory
from tests.factories.promos import PromoFactory
from tests.promos.conftest import DAY, Life, stored

pytestmark = pytest.mark.django_db


def told(user_promo: UserPromo) -> list[tuple[str, str]]:
    """Return the topics and statuses told of a claim, in order; each message is its operator's."""
    messages = OutboxMessage.objects.for_operator(user_promo.operator).order_by("pk")
    assert {message.subject_id for message in messages} == {str(user_promo.pk)}
    return [(message.topic, message.payload["status"]) for message in messages]


def test_a_rollover_is_told_step_by_step(
    life: Life, active: Callable[..., UserPromo], operator: Operator, game: Game
) -> None:
    user_promo = active(PromoFactory.create(operator=operator))
    life.bet(game, 3000)

    assert told(user_promo) == [
        ("promo.claim.made", "CLAIMED"),
        ("promo.claim.activated", "ACTIVE"),
        ("promo.claim.completed", "COMPLETED"),
    ]


def test_an_instant_promo_is_made_and_completed_at_once(life: Life, operator: Operator) -> None:
    user_promo = life.claim(PromoFactory.create(operator=operator, instant=True, currency="USD"))

    assert told(user_promo) == [
        ("promo.claim.made", "COMPLETED"),
        ("promo.claim.completed", "COMPLETED"),
    ]


def test_a_target_of_nothing_completes_after_the_activation(
    life: Life, active: Callable[..., UserPromo], operator: Operator
) -> None:
    user_promo = active(
        PromoFactory.create(
            operator=operator, wager_multiplier_to_complete=None, wager_usd_amount_to_complete=0
        )
    )

    assert told(user_promo) == [
        ("promo.claim.made", "CLAIMED"),
        ("promo.claim.activated", "ACTIVE"),
        ("promo.claim.completed", "COMPLETED"),
    ]


def test_a_cancelled_claim_is_told(life: Life, operator: Operator) -> None:
    user_promo = life.claim(PromoFactory.create(operator=operator))
    life.cancel(user_promo)

    assert told(user_promo)[1:] == [("promo.claim.cancelled", "CANCELLED")]


def test_a_deposit_below_the_floor_is_told_as_cancelled(life: Life, operator: Operator) -> None:
    user_promo = life.claim(
        PromoFactory.create(operator=operator, min_deposit_usd_to_activate="50.00")
    )
    life.deposit("49.99")

    assert told(user_promo)[1:] == [("promo.claim.cancelled", "CANCELLED")]


def test_an_expired_claim_is_told_once_however_often_it_is_swept(
    life: Life, operator: Operator
) -> None:
    user_promo = life.claim(PromoFactory.create(operator=operator))
    life.now += 31 * DAY

    life.sweep()
    life.sweep()

    assert told(user_promo)[1:] == [("promo.claim.expired", "EXPIRED")]


def test_a_bet_that_ends_nothing_is_not_told(
    life: Life, active: Callable[..., UserPromo], operator: Operator, game: Game
) -> None:
    user_promo = active(PromoFactory.create(operator=operator))
    life.bet(game, 1)

    assert len(told(user_promo)) == 2


def test_the_message_is_the_claim_as_the_api_shows_it(
    life: Life, active: Callable[..., UserPromo], operator: Operator
) -> None:
    user_promo = active(PromoFactory.create(operator=operator))

    message = OutboxMessage.objects.get(topic="promo.claim.activated")

    assert message.payload == represent_user_promo(stored(user_promo))
    assert message.payload["bonus_amount"] == "100.00"
    assert message.created_at == life.now


def test_a_refused_claim_is_not_told(life: Life, operator: Operator) -> None:
    with pytest.raises(DomainError):
        life.claim(PromoFactory.create(operator=operator, claims_left=0))

    assert OutboxMessage.objects.exists() is False


def test_an_undone_claim_is_not_told(life: Life, operator: Operator) -> None:
    with transaction.atomic():
        life.claim(PromoFactory.create(operator=operator))
        transaction.set_rollback(True)

    assert OutboxMessage.objects.exists() is False


def test_nothing_is_told_to_another_operator(life: Life, operator: Operator) -> None:
    life.claim(PromoFactory.create(operator=operator))

    assert OutboxMessage.objects.for_operator(OperatorFactory.create()).exists() is False


def test_a_topic_that_nobody_knows_is_the_programmers_mistake(
    life: Life, operator: Operator
) -> None:
    user_promo = life.claim(PromoFactory.create(operator=operator))

    with pytest.raises(AssertionError):
        announcements.announce_claim(user_promo=user_promo, topic="promo.claim.won", now=life.now)
