"""core.books and manage.py check_books: one minor unit off is found, and printed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from core import books, tasks
from core.books import Difference
from core.models import BooksCheck
from operators.models import Operator
from players.models import Player
from tests.factories.players import PlayerFactory

# A check has a transaction of its own, which must be the first of its connection.
pytestmark = pytest.mark.django_db(transaction=True)

PENNY = Decimal("0.00000001")


@pytest.fixture(autouse=True)
def _no_other_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the checks of the apps; each app proves its own."""
    monkeypatch.setattr(books, "_checks", {})


@pytest.fixture
def _totals_check() -> None:
    """A check of books that have one rule: nobody has wagered what they did not deposit."""

    @books.register_check("totals")
    def totals() -> Iterator[Difference]:
        for player in Player.objects.order_by("pk"):
            if player.total_wager_usd != player.total_deposit_usd:
                yield Difference(
                    check="totals",
                    subject=f"player {player.reference}",
                    recorded=player.total_wager_usd,
                    computed=player.total_deposit_usd,
                )


def plant_difference(operator: Operator) -> None:
    PlayerFactory.create(operator=operator, reference="bert", total_wager_usd=Decimal(1))
    Player.objects.update(total_deposit_usd=Decimal(1))
    PlayerFactory.create(operator=operator, reference="anna", total_wager_usd=PENNY)


def check_books() -> tuple[int, str]:
    printed = StringIO()
    try:
        call_command("check_books", stdout=printed, stderr=printed)
    except SystemExit as stop:
        return int(str(stop.code)), printed.getvalue()
    return 0, printed.getvalue()


@pytest.mark.usefixtures("_totals_check")
def test_balanced_books_are_said_to_be() -> None:
    PlayerFactory.create()

    assert check_books() == (0, "The books balance (1 checks).\n")
    check = BooksCheck.objects.get()
    assert (check.is_balanced, check.checked_count, check.differences) == (True, 1, [])


@pytest.mark.usefixtures("_totals_check")
def test_one_unit_off_is_printed_and_exits_1(operator: Operator) -> None:
    plant_difference(operator)

    status, printed = check_books()

    assert status == 1
    assert printed == (
        "totals: player anna is 0.00000001, its rows say 0.00000000\n1 differences.\n"
    )
    check = BooksCheck.objects.get()
    assert check.is_balanced is False
    assert check.differences == [
        {
            "check": "totals",
            "subject": "player anna",
            "recorded": "0.00000001",
            "computed": "0.00000000",
        }
    ]


@pytest.mark.usefixtures("_totals_check")
def test_the_nightly_task_counts_the_differences(operator: Operator) -> None:
    plant_difference(operator)

    assert tasks.check_books.apply(kwargs={"newer": True}).get() == 1
    assert BooksCheck.objects.count() == 1


@pytest.mark.usefixtures("_totals_check")
def test_checking_twice_changes_nothing(operator: Operator) -> None:
    plant_difference(operator)
    before = list(Player.objects.values())

    assert [check_books()[0], check_books()[0]] == [1, 1]
    assert list(Player.objects.values()) == before


def test_a_run_says_when_it_started_and_ended() -> None:
    started_at = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    finished_at = started_at + timedelta(minutes=2)

    books.check_books(started_at=started_at, clock=lambda: finished_at)

    stored = BooksCheck.objects.get()
    assert (stored.started_at, stored.finished_at) == (started_at, finished_at)


def test_every_check_looks_at_the_same_instant() -> None:
    seen: list[int] = []

    @books.register_check("first")
    def first() -> Iterator[Difference]:
        seen.append(Player.objects.count())
        insert_player_elsewhere()
        yield from ()

    @books.register_check("second")
    def second() -> Iterator[Difference]:
        seen.append(Player.objects.count())
        yield from ()

    PlayerFactory.create()
    books.find_differences()

    assert seen == [1, 1]
    assert Player.objects.count() == 2


def test_a_check_cannot_write() -> None:
    @books.register_check("vandal")
    def vandal() -> Iterator[Difference]:
        PlayerFactory.create()
        yield from ()

    with pytest.raises(Exception, match="read-only transaction"):
        books.find_differences()

    assert Player.objects.exists() is False


def test_two_checks_of_one_name_are_the_programmers_mistake() -> None:
    books.register_check("totals")(lambda: iter(()))

    with pytest.raises(AssertionError):
        books.register_check("totals")(lambda: iter(()))


def test_checks_can_be_listed_and_chosen() -> None:
    asked: list[str] = []
    for name in ("b", "a"):
        books.register_check(name)(lambda name=name: iter(asked.append(name) or ()))
    printed = StringIO()

    call_command("check_books", "--list", stdout=printed)
    books.find_differences(names=["b"])

    assert printed.getvalue() == "a\nb\n"
    assert asked == ["b"]
    assert BooksCheck.objects.exists() is False


def insert_player_elsewhere() -> None:
    options: dict[str, Any] = connection.settings_dict
    with psycopg.connect(
        host=options["HOST"], port=options["PORT"], user=options["USER"],
        password=options["PASSWORD"], dbname=options["NAME"],
    ) as other:  # fmt: skip
        columns = "operator_id, currency, country, kyc_level, vip_level, affiliate_code, tags, \
            is_blocked, total_deposit_usd, total_wager_usd, deposit_count, created_at"
        other.execute(
            f"INSERT INTO players_player (reference, {columns})"
            f" SELECT reference || '-twin', {columns} FROM players_player"
        )
