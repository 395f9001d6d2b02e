"""transfers.post_transfers: money moves, once, whole or not at all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.errors import InvalidRequest
from operators.models import Operator
from players.models import Player
from tests.factories.operators import OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.wallets import (
    AccountFactory,
    deposit,
    held_by,
    house,
    main_of,
    posting,
    vault_of,
)
from tests.wallets.conftest import Post
from wallets.enums import AccountKind, Tag
from wallets.errors import InsufficientFunds, TransferReferenceReused, WalletCurrencyDiffers
from wallets.models import Account, Transfer
from wallets.selectors import get_hot_balance
from wallets.services import transfers
from wallets.services.transfers import AccountKey, Conversion

pytestmark = pytest.mark.django_db

GAMES = house()
RATE_AT = datetime(2026, 3, 1, tzinfo=UTC)


def everything() -> tuple[list[Decimal | None], int]:
    """Return all balances and the number of transfers: what must not change on a refusal."""
    balances = Account.objects.order_by("pk").values_list("balance", flat=True)
    return list(balances), Transfer.objects.count()


def test_moves_the_amount_and_writes_down_what_is_left(
    player: Player, post: Post, now: datetime
) -> None:
    deposit(player, "10.00")

    [bet] = post(posting(main_of(player), GAMES, "2.50", reference="bet:1"))

    assert held_by(player) == Decimal("7.5")
    stored = Transfer.objects.get(pk=bet.pk)
    assert stored == bet
    assert (stored.amount, stored.currency, stored.tag) == (Decimal("2.5"), "EUR", "BET")
    assert (stored.reference, stored.posted_at) == ("bet:1", now)
    assert stored.debit_account.player_id == player.pk
    assert stored.credit_account.kind == AccountKind.HOUSE_GAMES
    assert (stored.debit_balance_after, stored.credit_balance_after) == (Decimal("7.5"), None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        assert (stored.xid, bet.xid) == (int(cursor.fetchone()[0]),) * 2


def test_opens_the_accounts_and_fixes_the_currency_with_the_first(
    player: Player, post: Post, now: datetime
) -> None:
    earlier = now - timedelta(days=1)
    deposit(player, "10.00", now=earlier)
    post(posting(main_of(player), vault_of(player), "4.00"))

    assert Player.objects.get(pk=player.pk).currency_locked_at == earlier
    assert [
        (account.kind, account.owner, account.balance)
        for account in Account.objects.order_by("kind")
    ] == [
        ("HOUSE_CASH", "", None),
        ("PLAYER_MAIN", "", Decimal(6)),
        ("PLAYER_VAULT", "", Decimal(4)),
    ]


def test_accounts_of_one_kind_are_told_apart_by_their_owner(
    operator: Operator, player: Player, post: Post
) -> None:
    deposit(player, "10.00")
    pools = [AccountKey(AccountKind.JACKPOT_POOL, "EUR", owner=name) for name in ("a", "b")]

    post(posting(main_of(player), pools[0], 1), posting(main_of(player), pools[1], 2))

    pooled = Account.objects.filter(kind=AccountKind.JACKPOT_POOL).order_by("owner")
    assert [(a.owner, get_hot_balance(account=a)) for a in pooled] == [("a", 1), ("b", 2)]


def test_a_player_can_spend_all_and_no_more(player: Player, post: Post) -> None:
    deposit(player, "10.00")
    post(posting(main_of(player), GAMES, "10.00"))
    before = everything()

    with pytest.raises(InsufficientFunds), transaction.atomic():
        post(posting(main_of(player), GAMES, "0.01"))

    assert everything() == before
    assert held_by(player) == 0


def test_all_are_posted_or_none(player: Player, post: Post) -> None:
    deposit(player, "10.00")
    before = everything()

    with pytest.raises(InsufficientFunds), transaction.atomic():
        post(
            posting(main_of(player), GAMES, "6.00"),
            posting(main_of(player), vault_of(player), "4.01"),
        )

    assert everything() == before


def test_they_are_posted_in_their_order(player: Player, post: Post) -> None:
    # The first gives what the second spends; the ids are the order of the ledger.
    win, bet = post(
        posting(GAMES, main_of(player), "5.00", tag=Tag.WIN),
        posting(main_of(player), GAMES, "5.00"),
    )

    assert win.pk < bet.pk
    assert (win.credit_balance_after, bet.debit_balance_after) == (Decimal(5), Decimal(0))


def test_nothing_to_post_is_nothing_posted(post: Post) -> None:
    assert post() == []


def test_one_call_is_one_statement(player: Player, post: Post) -> None:
    deposit(player, "10.00")

    with CaptureQueriesContext(connection) as queries:
        post(
            posting(main_of(player), GAMES, "1.00"),
            posting(GAMES, main_of(player), "2.00", tag=Tag.WIN),
            posting(main_of(player), vault_of(player), "3.00", tag=Tag.VAULT),
        )

    assert len(queries) == 1


def test_the_callers_change_and_the_money_move_together(player: Player, post: Post) -> None:
    deposit(player, "10.00")
    before = everything()

    with transaction.atomic():
        post(posting(main_of(player), GAMES, "1.00"))
        assert everything() != before
        transaction.set_rollback(True)

    assert everything() == before


def test_a_hot_account_is_not_touched_by_a_posting(player: Player, post: Post) -> None:
    deposit(player, "10.00")
    post(posting(main_of(player), GAMES, "1.00"))
    query = (
        "SELECT id, ctid::text, xmin::text, xmax::text"
        " FROM wallets_account WHERE balance IS NULL ORDER BY id"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        before = cursor.fetchall()

        post(posting(main_of(player), GAMES, "1.00"))

        cursor.execute(query)
        assert cursor.fetchall() == before
    assert len(before) == 2


def test_a_converted_amount_keeps_where_it_came_from(player: Player, post: Post) -> None:
    conversion = Conversion(Decimal("10.00"), "USD", Decimal("0.912345678901234567"), RATE_AT)

    post(posting(GAMES, main_of(player), "9.12", conversion=conversion))

    stored = Transfer.objects.get()
    assert (stored.original_amount, stored.original_currency) == (Decimal(10), "USD")
    assert (stored.rate, stored.rate_at) == (Decimal("0.912345678901234567"), RATE_AT)


# Replays


def test_a_replay_moves_nothing_and_returns_the_first(player: Player, post: Post) -> None:
    deposit(player, "10.00")
    bet = posting(main_of(player), GAMES, "10.00")
    [first] = post(bet)
    before = everything()

    # The account is empty: a rule asked before the replay would refuse.
    assert post(bet) == [first]
    assert everything() == before


def test_a_replay_beside_something_new_posts_what_is_new(player: Player, post: Post) -> None:
    deposit(player, "10.00")
    bet, win = (
        posting(main_of(player), GAMES, "1.00"),
        posting(GAMES, main_of(player), "2.00", tag=Tag.WIN),
    )
    [first] = post(bet)

    again, new = post(bet, win)

    assert (again, new.pk > first.pk) == (first, True)
    assert held_by(player) == Decimal(11)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": Decimal("1.01")},
        {"tag": Tag.TIP},
        {"credit": house(AccountKind.HOUSE_CASH)},
        {"conversion": Conversion(Decimal(2), "USD", Decimal("0.5"), RATE_AT)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_reference_belongs_to_one_content(
    changes: dict[str, object], player: Player, post: Post
) -> None:
    deposit(player, "10.00")
    bet = posting(main_of(player), GAMES, "1.00")
    post(bet)
    before = everything()

    with pytest.raises(TransferReferenceReused), transaction.atomic():
        post(replace(bet, **changes))

    assert everything() == before


def test_another_operator_has_references_of_its_own(
    player: Player, post: Post, now: datetime
) -> None:
    other = PlayerFactory.create(operator=OperatorFactory.create())
    post(posting(GAMES, main_of(player), "1.00", reference="win:1"))

    transfers.post_transfers(
        operator=other.operator,
        postings=[posting(GAMES, main_of(other), "2.00", reference="win:1")],
        now=now,
    )

    assert (held_by(player), held_by(other)) == (Decimal(1), Decimal(2))
    assert Transfer.objects.for_operator(other.operator).get().amount == Decimal(2)


# Refusals, and what only a bug can ask for


@pytest.mark.parametrize("of", ["the operator", "another operator"])
def test_a_wallet_is_opened_in_its_currency_only(of: str, operator: Operator, post: Post) -> None:
    owner = operator if of == "the operator" else OperatorFactory.create()
    player = PlayerFactory.create(operator=owner, currency="EUR")
    currency = "USD" if of == "the operator" else "EUR"
    key = AccountKey(AccountKind.PLAYER_MAIN, currency, player_id=player.pk)

    with pytest.raises(WalletCurrencyDiffers) as refusal, transaction.atomic():
        post(posting(house(currency=currency), key, "1.00"))

    assert (refusal.value.code, refusal.value.status) == ("INVALID_REQUEST", 400)
    assert everything() == ([], 0)
    assert Player.objects.get(pk=player.pk).currency_locked_at is None


def test_a_balance_larger_than_can_be_stored_is_refused(player: Player, post: Post) -> None:
    deposit(player, "99999999999999999999.00")
    before = everything()

    with pytest.raises(InvalidRequest), transaction.atomic():
        post(posting(GAMES, main_of(player), "1.00"))

    assert everything() == before


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "1E+20", "0.001"])
def test_an_amount_that_cannot_be_is_a_bug_of_the_caller(
    amount: str, player: Player, post: Post
) -> None:
    with pytest.raises(AssertionError), transaction.atomic():
        post(posting(GAMES, main_of(player), amount))

    assert everything() == ([], 0)


@pytest.mark.parametrize(
    ("currency", "least", "too_fine"),
    [("JPY", "1", "0.1"), ("EUR", "0.01", "0.001"), ("BTC", "0.00000001", "0.000000001")],
)
def test_players_hold_minor_units_only(
    currency: str, least: str, too_fine: str, operator: Operator, post: Post
) -> None:
    player = PlayerFactory.create(operator=operator, currency=currency)

    with pytest.raises(AssertionError), transaction.atomic():
        post(posting(house(currency=currency), main_of(player), too_fine))
    post(posting(house(currency=currency), main_of(player), least))

    assert held_by(player) == Decimal(least)


def test_the_house_moves_what_a_player_could_not_hold(operator: Operator, post: Post) -> None:
    pool = AccountKey(AccountKind.JACKPOT_POOL, "EUR", owner="weekly")

    post(posting(house(AccountKind.JACKPOT_COST), pool, "0.00000001"))

    account = Account.objects.get(kind=AccountKind.JACKPOT_POOL)
    assert get_hot_balance(account=account) == Decimal("0.00000001")


def test_an_account_pays_itself_nothing(player: Player, post: Post) -> None:
    with pytest.raises(AssertionError), transaction.atomic():
        post(posting(main_of(player), main_of(player), "1.00"))


def test_two_currencies_are_never_exchanged(player: Player, post: Post) -> None:
    with pytest.raises(AssertionError), transaction.atomic():
        post(posting(house(currency="USD"), main_of(player), "1.00"))


def test_two_postings_of_one_call_have_two_references(player: Player, post: Post) -> None:
    twice = posting(GAMES, main_of(player), "1.00")

    with pytest.raises(AssertionError), transaction.atomic():
        post(twice, twice)

    assert everything() == ([], 0)


def test_an_account_opened_before_is_the_one_that_is_used(
    operator: Operator, player: Player, post: Post
) -> None:
    games = AccountFactory.create(operator=operator)
    main = AccountFactory.create(operator=operator, player=player, kind=AccountKind.PLAYER_MAIN)

    [transfer] = post(posting(GAMES, main_of(player), "1.00"))

    assert (transfer.debit_account_id, transfer.credit_account_id) == (games.pk, main.pk)
    assert Account.objects.count() == 2
