"""GET /v1/players/{player_id}/wallet and /transactions"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from operators.enums import Scope
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.operators import OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.wallets import deposit, house, main_of, posting, vault_of
from tests.wallets.conftest import Post
from wallets.enums import AccountKind, Tag
from wallets.models import Transfer

pytestmark = pytest.mark.django_db

GAMES = house()


def get(client: Client, player: Player, part: str, **query: Any) -> Any:
    return client.get(f"/v1/players/{quote(player.reference)}/{part}", query)


# The wallet


def test_a_new_player_holds_nothing_in_the_wallet_currency(
    client: Client, operator: Operator
) -> None:
    player = PlayerFactory.create(operator=operator, reference="ада 1", currency="JPY")

    response = get(client, player, "wallet")

    assert response.status_code == 200
    assert response.json() == {
        "player_id": "ада 1",
        "balances": [{"currency": "JPY", "main": "0", "vault": "0"}],
        "bonus_balances": [],
        "restrictions": [],
    }


def test_shows_what_is_at_hand_and_what_is_in_the_vault(
    client: Client, player: Player, post: Post
) -> None:
    deposit(player, "10.00")
    post(posting(main_of(player), vault_of(player), "2.50", tag=Tag.VAULT))

    response = get(client, player, "wallet")

    assert response.json()["balances"] == [{"currency": "EUR", "main": "7.50", "vault": "2.50"}]


# The transactions


def test_lists_the_movements_of_the_main_balance_newest_first(
    client: Client, player: Player, post: Post
) -> None:
    deposited = deposit(player, "10.00", now=datetime(2026, 3, 1, 12, tzinfo=UTC))
    [bet, _of_another, stored] = post(
        posting(main_of(player), GAMES, "4.00", reference="bet:1"),
        posting(GAMES, main_of(PlayerFactory.create(operator=player.operator)), "9.00"),
        posting(main_of(player), vault_of(player), "1.50", reference="vault:1", tag=Tag.VAULT),
    )

    response = get(client, player, "transactions")

    assert response.status_code == 200
    assert response.json() == {
        "next": None,
        "previous": None,
        "results": [
            {
                "id": str(stored.public_id),
                "type": "WITHDRAW",
                "tag": "VAULT",
                "amount": "1.50",
                "currency": "EUR",
                "balance_after": "4.50",
                "reference": "vault:1",
                "created_at": "2026-03-29T00:59:00Z",
            },
            {
                "id": str(bet.public_id),
                "type": "WITHDRAW",
                "tag": "BET",
                "amount": "4.00",
                "currency": "EUR",
                "balance_after": "6.00",
                "reference": "bet:1",
                "created_at": "2026-03-29T00:59:00Z",
            },
            {
                "id": str(deposited.public_id),
                "type": "DEPOSIT",
                "tag": "DEPOSIT",
                "amount": "10.00",
                "currency": "EUR",
                "balance_after": "10.00",
                "reference": deposited.reference,
                "created_at": "2026-03-01T12:00:00Z",
            },
        ],
    }


def test_both_players_of_a_tip_see_it_from_their_side(
    client: Client, player: Player, post: Post
) -> None:
    friend = PlayerFactory.create(operator=player.operator)
    deposit(player, "10.00")
    [tip] = post(posting(main_of(player), main_of(friend), "3.00", tag=Tag.TIP))

    seen = [get(client, who, "transactions").json()["results"][0] for who in (player, friend)]

    assert [row["id"] for row in seen] == [str(tip.public_id)] * 2
    assert [(row["type"], row["balance_after"]) for row in seen] == [
        ("WITHDRAW", "7.00"),
        ("DEPOSIT", "3.00"),
    ]


def test_a_player_without_a_wallet_has_no_transactions(client: Client, player: Player) -> None:
    assert get(client, player, "transactions").json()["results"] == []


@pytest.mark.parametrize(
    ("query", "references"),
    [
        ({"tag": "BET"}, ["bet:2", "bet:1"]),
        ({"type": "DEPOSIT"}, ["win:1", "cash:1"]),
        ({"type": "DEPOSIT", "tag": "WIN"}, ["win:1"]),
        ({"type": "WITHDRAW", "tag": "WIN"}, []),
    ],
)
def test_filters(
    query: dict[str, str], references: list[str], client: Client, player: Player, post: Post
) -> None:
    post(
        posting(
            house(AccountKind.HOUSE_CASH),
            main_of(player),
            10,
            tag=Tag.DEPOSIT,
            reference="cash:1",
        ),
        posting(main_of(player), GAMES, 1, reference="bet:1"),
        posting(GAMES, main_of(player), 2, tag=Tag.WIN, reference="win:1"),
        posting(main_of(player), GAMES, 1, reference="bet:2"),
    )

    found = get(client, player, "transactions", **query).json()["results"]

    assert [row["reference"] for row in found] == references


@pytest.mark.parametrize(("name", "value"), [("tag", "LUCK"), ("type", "WITHDRAWAL")])
def test_an_unknown_word_in_a_filter_is_refused(
    name: str, value: str, client: Client, player: Player
) -> None:
    response = get(client, player, "transactions", **{name: value})

    assert response.status_code == 400
    assert response.json()["code"] == "INVALID_REQUEST"
    assert [error["pointer"] for error in response.json()["errors"]] == [f"/{name}"]


def test_pages_meet_without_a_gap_or_a_repeat(
    client: Client, player: Player, post: Post, now: datetime
) -> None:
    post(*[posting(GAMES, main_of(player), 1, reference=f"win:{n}") for n in range(7)])

    seen: list[list[str]] = []
    page = get(client, player, "transactions", page_size=3).json()
    while True:
        seen.append([row["reference"] for row in page["results"]])
        # What is posted while somebody reads does not shift the pages.
        deposit(player, 1, now=now + timedelta(seconds=len(seen)))
        if page["next"] is None:
            break
        page = client.get(page["next"]).json()
    back = client.get(page["previous"]).json()

    assert seen == [["win:6", "win:5", "win:4"], ["win:3", "win:2", "win:1"], ["win:0"]]
    assert [row["reference"] for row in back["results"]] == seen[1]


@pytest.mark.parametrize("part", ["wallet", "transactions"])
def test_a_player_of_another_operator_does_not_exist(
    part: str, client: Client, player: Player
) -> None:
    foreign = PlayerFactory.create(operator=OperatorFactory.create(), reference="theirs")
    deposit(foreign, "10.00")

    response = get(client, foreign, part)

    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("part", ["wallet", "transactions"])
def test_reading_needs_the_scope_to_read(
    part: str, client_of: Any, operator: Operator, player: Player
) -> None:
    may_play = client_of(operator, scopes=[Scope.PLAY, Scope.MANAGE])

    assert get(may_play, player, part).status_code == 403
    assert get(client_of(operator, scopes=[Scope.READ]), player, part).status_code == 200


@pytest.mark.parametrize("part", ["wallet", "transactions"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_money_is_not_moved_here(part: str, method: str, client: Client, player: Player) -> None:
    response = getattr(client, method)(f"/v1/players/{player.reference}/{part}")

    assert response.status_code == 405
    assert Transfer.objects.exists() is False


@pytest.mark.parametrize("part", ["wallet", "transactions"])
def test_the_number_of_statements_does_not_grow(
    part: str, client: Client, player: Player, post: Post
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert get(client, player, part).status_code == 200
        return len(queries)

    deposit(player, Decimal(10))
    count()
    few = count()
    post(*[posting(GAMES, main_of(player), 1) for _ in range(20)])

    # The wallet also asks for bonuses, and what the player may not do.
    assert count() == few == {"wallet": 4, "transactions": 2}[part]


def test_a_page_walks_the_indexes_of_the_players_statement(
    client: Client, player: Player, post: Post
) -> None:
    deposit(player, "10.00")
    with connection.cursor() as cursor:
        # A table this small would be read whole, whatever the indexes.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_incremental_sort = off")
    with CaptureQueriesContext(connection) as queries:
        get(client, player, "transactions")

    page = next(query["sql"] for query in queries if "wallets_transferside" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {page}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Merge Append" in plan
    assert "Sort  (" not in plan
