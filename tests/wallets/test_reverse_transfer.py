"""transfers.reverse_transfer: what went comes back, once."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.errors import NotFound
from operators.models import Operator
from players.models import Player
from tests.factories.operators import OperatorFactory
from tests.factories.wallets import deposit, held_by, house, main_of, posting
from tests.wallets.conftest import Post
from wallets import books
from wallets.enums import AccountKind, Tag
from wallets.errors import InsufficientFunds, TransferReferenceReused
from wallets.models import Transfer
from wallets.services import transfers
from wallets.services.transfers import Conversion

pytestmark = pytest.mark.django_db

GAMES = house()


@pytest.fixture
def bet(player: Player, post: Post) -> Transfer:
    """A bet of 4 of the player's 10 euros."""
    deposit(player, "10.00")
    [bet] = post(posting(main_of(player), GAMES, "4.00", reference="bet:1"))
    return bet


def reverse(operator: Operator, reference: str, now: datetime) -> Transfer:
    return transfers.reverse_transfer(operator=operator, reference=reference, now=now)


def test_gives_back_what_went(
    bet: Transfer, operator: Operator, player: Player, now: datetime
) -> None:
    reversal = reverse(operator, "bet:1", now)

    assert held_by(player) == Decimal(10)
    assert (reversal.amount, reversal.tag, reversal.reverses_id) == (4, Tag.ROLLBACK, bet.pk)
    assert reversal.debit_account_id == bet.credit_account_id
    assert reversal.credit_account_id == bet.debit_account_id
    assert list(books.check_reversals()) == []


def test_the_second_time_returns_the_first_reversal(
    bet: Transfer, operator: Operator, player: Player, now: datetime
) -> None:
    first = reverse(operator, "bet:1", now)

    assert reverse(operator, "bet:1", now) == first
    assert held_by(player) == Decimal(10)
    assert Transfer.objects.filter(reverses=bet).count() == 1


def test_takes_a_look_and_a_posting(bet: Transfer, operator: Operator, now: datetime) -> None:
    with CaptureQueriesContext(connection) as queries:
        reverse(operator, "bet:1", now)

    assert len(queries) == 2


def test_carries_the_conversion_over(
    operator: Operator, player: Player, post: Post, now: datetime
) -> None:
    conversion = Conversion(
        Decimal(5), "USD", Decimal("0.8"), rate_at=datetime(2026, 3, 1, tzinfo=UTC)
    )
    post(posting(GAMES, main_of(player), "4.00", reference="win:1", conversion=conversion))

    reversal = reverse(operator, "win:1", now)

    stored = Transfer.objects.get(pk=reversal.pk)
    assert (stored.original_amount, stored.original_currency) == (Decimal(5), "USD")
    assert (stored.rate, stored.rate_at) == (Decimal("0.8"), conversion.rate_at)


def test_a_player_who_has_spent_it_gives_nothing_back(
    operator: Operator, player: Player, post: Post, now: datetime
) -> None:
    deposited = deposit(player, "10.00")
    post(posting(main_of(player), GAMES, "0.01"))

    with pytest.raises(InsufficientFunds), transaction.atomic():
        reverse(operator, deposited.reference, now)

    assert held_by(player) == Decimal("9.99")
    assert Transfer.objects.filter(reverses__isnull=False).exists() is False


@pytest.mark.parametrize("whose", ["nobody's", "another operator's"])
def test_there_must_be_something_to_reverse(
    whose: str, bet: Transfer, operator: Operator, player: Player, now: datetime
) -> None:
    caller = operator if whose == "nobody's" else OperatorFactory.create()
    reference = "bet:2" if whose == "nobody's" else "bet:1"

    with pytest.raises(NotFound), transaction.atomic():
        reverse(caller, reference, now)

    assert held_by(player) == Decimal(6)


def test_a_reversal_is_not_reversed(bet: Transfer, operator: Operator, now: datetime) -> None:
    reversal = reverse(operator, "bet:1", now)

    with pytest.raises(AssertionError):
        reverse(operator, reversal.reference, now)


def test_the_reference_of_a_reversal_cannot_be_taken_by_something_else(
    bet: Transfer, operator: Operator, player: Player, post: Post, now: datetime
) -> None:
    post(
        posting(
            house(AccountKind.PROMO_COST),
            main_of(player),
            "1.00",
            reference=f"reversal:{bet.public_id}",
        )
    )

    with pytest.raises(TransferReferenceReused), transaction.atomic():
        reverse(operator, "bet:1", now)

    assert held_by(player) == Decimal(7)
