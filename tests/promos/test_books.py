"""The books of promos find every number that its rows do not bear out, and nothing else."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest

from core.actors import Actor
from core.errors import InvalidRequest
from core.models import AuditEntry
from operators.models import Operator
from players.models import Player
from promos import books
from promos.models import Promo, UserPromo
from promos.services import catalogue
from tests.factories.games import GameFactory
from tests.factories.promos import CodeBatchFactory, PromoFactory, UserPromoFactory
from tests.factories.wallets import house, main_of, posting
from tests.promos.conftest import Life, differences
from wallets.enums import AccountKind, Tag
from wallets.services import transfers

pytestmark = pytest.mark.django_db


def test_a_whole_life_balances(life: Life, active: Callable[..., UserPromo], operator) -> None:
    game = GameFactory.create(operator=operator, slug="other")
    user_promo = active(PromoFactory.create(operator=operator, claims_left=2))
    life.bet(game, 10)
    life.cancel(user_promo)
    life.claim(PromoFactory.create(operator=operator, instant=True, currency="USD"))

    assert differences() == []


def test_a_bonus_without_its_transfer_is_found() -> None:
    claim = UserPromoFactory.create(status="ACTIVE")

    [found] = list(books.check_bonuses())

    assert (found.subject, found.recorded, found.computed) == (f"user promo {claim.pk}", 80, 0)


def test_a_clawback_without_its_transfer_is_found() -> None:
    UserPromoFactory.create(status="CANCELLED", clawback_amount=Decimal("0.01"))

    [found] = list(books.check_clawbacks())

    assert (found.recorded, found.computed) == (Decimal("0.01"), 0)


@pytest.mark.parametrize("kind", ["bonus", "clawback"])
def test_a_transfer_without_its_claim_is_found(kind: str, player: Player, now: datetime) -> None:
    reference = f"promo:00000000-0000-0000-0000-000000000000:{kind}"
    cost = house(AccountKind.PROMO_COST, "USD")
    transfers.post_transfers(
        operator=player.operator,
        postings=[posting(cost, main_of(player), 5, tag=Tag.PROMO, reference=reference)],
        now=now,
    )

    [found] = differences()

    assert found.endswith("is 0, its rows say 5.00000000 (off by -5.00000000)")


def test_progress_without_its_records_is_found() -> None:
    UserPromoFactory.create(status="ACTIVE", wagered_usd_amount=Decimal("0.00000001"))

    [found] = list(books.check_progress())

    assert (found.recorded, found.computed) == (Decimal("0.00000001"), 0)


def test_a_claim_that_burnt_nothing_is_found() -> None:
    promo = PromoFactory.create(claims_left=3)
    UserPromoFactory.create(promo=promo)

    [found] = list(books.check_claims())

    assert (found.recorded, found.computed) == (3, 2)


def test_a_code_that_is_missing_is_found() -> None:
    CodeBatchFactory.create(made_count=1)

    [found] = list(books.check_codes())

    assert (found.recorded, found.computed) == (1, 0)


# claims_left as a difference


@pytest.mark.parametrize("delta", [5, -1, -2])
def test_claims_left_is_adjusted_by_a_difference(
    delta: int, life: Life, operator: Operator, actor: Actor
) -> None:
    promo = PromoFactory.create(operator=operator, claims_left=3)
    life.claim(promo)

    adjust(promo, delta, actor, life)

    changed = Promo.objects.get(pk=promo.pk)
    assert (changed.claims_left, changed.claims_cap) == (2 + delta, 3 + delta)
    entry = AuditEntry.objects.get(action="promo.claims_adjusted")
    assert (entry.before, entry.after) == ({"claims_left": 2}, {"claims_left": 2 + delta})
    assert entry.reason == "More for the weekend"


@pytest.mark.parametrize(("left", "delta"), [(3, -4), (None, 1)])
def test_no_more_is_taken_away_than_is_left(
    left: int | None, delta: int, life: Life, operator: Operator, actor: Actor
) -> None:
    promo = PromoFactory.create(operator=operator, claims_left=left)

    with pytest.raises(InvalidRequest):
        adjust(promo, delta, actor, life)

    assert Promo.objects.get(pk=promo.pk).claims_left == left
    assert AuditEntry.objects.exists() is False


def adjust(promo: Promo, delta: int, actor: Actor, life: Life) -> Promo:
    return catalogue.adjust_claims_left(
        operator=life.operator,
        promo_id=promo.pk,
        delta=delta,
        reason="More for the weekend",
        actor=actor,
        now=life.now,
    )
