"""What a bet with a promo and bonuses costs: statements, and locks in one order."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.activity.test_bets_bonuses import bet
from tests.bonuses.playing import Play
from tests.conftest import Client
from tests.factories.activity import claim_of, deposit_by

pytestmark = pytest.mark.django_db


@pytest.fixture
def play() -> Play:
    return Play(now=timezone.now())


@pytest.fixture
def client(play: Play, client_of: Any) -> Client:
    found: Client = client_of(play.operator)
    return found


def test_a_bet_takes_the_same_statements_however_many_bonuses(client: Client, play: Play) -> None:
    def statements(bet_id: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert bet(client, "1.00", payout="0", bet_id=bet_id).status_code == 201
        return len(queries)

    play.has("100.00")
    without = statements("warm-up") and statements("r-1")
    play.granted("10.00")
    with_one = statements("r-2")
    for _ in range(4):
        play.granted("10.00")

    # The balances, because bonuses may have to pay.
    assert (with_one - without, statements("r-3") - with_one) == (1, 0)


def test_a_bet_with_a_promo_and_a_bonus_takes_eight_statements(client: Client, play: Play) -> None:
    play.has("100.00")
    user_promo = claim_of(play.player, play.slots)
    deposit_by(play.player, 50)
    grant = play.granted("10.00")
    bet(client, "1.00", payout="0", bet_id="warm-up")

    with CaptureQueriesContext(connection) as queries:
        body = bet(client, "1.00", payout="0.50").json()

    assert body["promo"]["progress"]["wagered_usd_amount"] == "2.00"
    assert body["bonuses"][0]["wagering_progress"] == "2.00"
    assert str(user_promo.pk) == body["promo"]["id"]
    assert str(grant.pk) == body["bonuses"][0]["grant_id"]
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 8, "\n".join(statements)


def test_locks_the_grants_after_the_promo(client: Client, play: Play, record_locks: Any) -> None:
    play.has("100.00")
    claim_of(play.player, play.slots)
    play.granted("10.00")

    with record_locks() as tables:
        bet(client, "1.00", payout="0")

    assert tables == ["promos_userpromo", "bonuses_bonusgrant"]
