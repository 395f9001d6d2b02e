"""The jackpot statement, worked by hand: every line where it belongs, day after day."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core import books
from jackpots.models import Instance
from jackpots.reporting.statement import read_statements, split_hours
from jackpots.selectors import read_meters
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory, WinFactory
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.jackpots.raffles import Raffling
from tests.reports.conftest import at
from tests.reports.jackpots import SOMEBODY, History

pytestmark = pytest.mark.django_db(transaction=True)

Ask = Callable[..., list[dict[str, Any]]]
LINES = (
    "opening", "contributed", "rolled_back", "borne_by_house", "seeded", "boosted", "topped_up",
    "moved_in", "moved_out", "won", "rejected", "closing",
)  # fmt: skip
JACKPOTS = [name for name in books.check_names() if name.startswith("jackpots.")]


def lines(row: dict[str, Any]) -> dict[str, Decimal]:
    """Return the lines of a statement in which there is something."""
    return {name: row[name] for name in LINES if row[name]}


@pytest.fixture
def history(operator: Operator) -> History:
    return History(operator)


@pytest.fixture
def four_days(history: History) -> Instance:
    """
    A pot of a progressive in Malta, before and after its clocks go forward on 29 March.

    27 March: opened with 100; contributions of 10, 20 and 5, of which the 5 is taken back.
    28 March: at a quarter to midnight, 0.005; a boost of 50.
    29 March: won with 180.00, the half cent goes into the reserve; the next seed of 100 is
    0.005 from there and 99.995 from the house. The 10 is taken back: too late.
    30 March: 8 more; won with 108, which a second person rejects: it is in the reserve. The
    seed after it, 100, was from the house, for the reserve was empty then.
    """
    pot = {"seed": Decimal(100)}
    jackpot = history.progressive(name="Grand", opened_at=at("2026-03-27 08:00"), pots=[pot])
    ten = history.contribute(jackpot, "10", at=at("2026-03-27 09:00"))
    history.contribute(jackpot, "20", at=at("2026-03-27 09:30"))
    five = history.contribute(jackpot, "5", at=at("2026-03-27 10:00"))
    history.take_back(jackpot, five, at=at("2026-03-27 22:30"))
    # Midnight in Malta is at 23:00 in UTC, until the clocks have changed.
    history.contribute(jackpot, "0.005", at=at("2026-03-28 22:45"))
    history.boost(jackpot, "50", at=at("2026-03-28 22:59"))
    history.drop(jackpot, at=at("2026-03-28 23:30"))
    history.take_back(jackpot, ten, at=at("2026-03-29 21:59"))
    history.fold(jackpot, at=at("2026-03-29 22:00"))
    history.contribute(jackpot, "8", at=at("2026-03-29 22:01"))
    history.approve_above("0", at=at("2026-03-30 10:00"))
    win = history.drop(jackpot, at=at("2026-03-30 12:00"))
    history.reject(win, at=at("2026-03-30 13:00"))
    return jackpot


def test_every_day_adds_up_and_begins_where_the_one_before_ended(
    four_days: Instance, ask: Ask
) -> None:
    days = ask("jackpot-statement", "2026-03-26", "2026-03-31", per="day")

    assert [(row["day"].isoformat(), lines(row)) for row in days] == [
        ("2026-03-27", {
            "contributed": Decimal(35), "rolled_back": Decimal(5), "seeded": Decimal(100),
            "closing": Decimal(130),
        }),
        ("2026-03-28", {
            "opening": Decimal(130), "contributed": Decimal("0.005"), "boosted": Decimal(50),
            "closing": Decimal("180.005"),
        }),
        ("2026-03-29", {
            "opening": Decimal("180.005"), "rolled_back": Decimal(10),
            "borne_by_house": Decimal(10), "seeded": Decimal("99.995"), "won": Decimal(180),
            "closing": Decimal(100),
        }),
        ("2026-03-30", {
            "opening": Decimal(100), "contributed": Decimal(8), "seeded": Decimal(100),
            "won": Decimal(108), "rejected": Decimal(108), "closing": Decimal(208),
        }),
        ("2026-03-31", {"opening": Decimal(208), "closing": Decimal(208)}),
    ]  # fmt: skip
    assert [row["win_count"] for row in days] == [0, 0, 1, 1, 0]
    assert [row["from_reserve"] for row in days] == [0, 0, Decimal("0.005"), 0, 0]
    assert books.find_differences(names=JACKPOTS) == []


def test_the_days_together_are_one_statement(four_days: Instance, ask: Ask) -> None:
    [whole] = ask("jackpot-statement", "2026-03-27", "2026-03-30")

    assert lines(whole) == {
        "contributed": Decimal("43.005"),
        "rolled_back": Decimal(15),
        "borne_by_house": Decimal(10),
        "seeded": Decimal("299.995"),
        "boosted": Decimal(50),
        "won": Decimal(288),
        "rejected": Decimal(108),
        "closing": Decimal(208),
    }
    assert (whole["instance"], whole["pot"], whole["currency"]) == ("Grand", "main", "EUR")


def test_the_closing_of_a_period_that_is_not_over_is_what_the_books_show_now(
    four_days: Instance, ask: Ask
) -> None:
    now = at("2026-03-30 14:00")

    [row] = ask("jackpot-statement", "2026-03-30", now=now)
    [over] = ask("jackpot-statement", "2026-03-30")

    [meter] = read_meters(instance_ids=[four_days.pk])[four_days.pk]
    assert (row["meter_now"], row["reserve_now"]) == (meter.value, meter.reserve)
    assert (meter.value, meter.reserve) == (Decimal(100), Decimal(108))
    assert row["closing"] == meter.value + meter.reserve
    assert "meter_now" not in over


def test_days_begin_elsewhere_on_other_clocks(four_days: Instance, ask: Ask) -> None:
    Operator.objects.update(time_zone="Asia/Kolkata")
    operator = Operator.objects.get()

    days = ask("jackpot-statement", "2026-03-27", "2026-03-29", other=operator, per="day")

    # Midnight in Kolkata is at 18:30 in UTC: in the middle of an hour.
    assert [lines(row).get("closing") for row in days] == [
        Decimal(135),
        Decimal(130),
        # The boost and the win are of the evening of the 28th in UTC, the 10 is not.
        Decimal(100),
    ]


def test_an_hour_that_a_day_begins_in_is_read_row_by_row(history: History, ask: Ask) -> None:
    Operator.objects.update(time_zone="Asia/Kolkata")
    operator = Operator.objects.get()
    jackpot = history.progressive(opened_at=at("2026-03-01 00:00"), pots=[{}])
    history.contribute(jackpot, "1", at=at("2026-03-10 18:29"))
    history.contribute(jackpot, "2", at=at("2026-03-10 18:30"))
    history.fold(jackpot, at=at("2026-03-10 18:40"))
    history.contribute(jackpot, "4", at=at("2026-03-10 18:45"))

    asked = ("jackpot-statement", "2026-03-10", "2026-03-11")
    before = [lines(row) for row in ask(*asked, other=operator, per="day")]
    history.fold(jackpot, at=at("2026-03-10 19:00"))
    after = [lines(row) for row in ask(*asked, other=operator, per="day")]

    assert before == after
    assert [row["contributed"] for row in after] == [1, 6]
    bounds = [at("2026-03-10 18:30"), at("2026-03-11 18:30"), at("2026-03-12 00:00")]
    assert split_hours(bounds=bounds) == [at("2026-03-10 18:00"), at("2026-03-11 18:00")]


def test_a_raffle_gathers_its_pots_tops_up_and_rolls_over_to_its_next_run(
    operator: Operator, ask: Ask
) -> None:
    """The prize is 30; the meters are 16 and 4 (of 6), so the house adds 10; 2 is left over."""
    opened_at, closing_at = at("2026-03-27 08:00"), at("2026-03-28 23:00")
    world = Raffling(operator, SOMEBODY, opened_at)
    raffle = world.opened(
        name="Daily",
        recurrence="weekly",
        timezone="Europe/Malta",
        closes_at=closing_at,
        pots=[
            {"share": Decimal("0.5"), "seed": Decimal(10)},
            {"share": Decimal("0.5"), "ceiling": Decimal(4)},
        ],
        prizes=[{"name": "Big", "amount": Decimal(30)}],
    )
    world.contributed(raffle, ada=12)
    world.swept(closing_at + timedelta(hours=1))
    opened = Instance.objects.get(previous=raffle)

    first = ask("jackpot-statement", "2026-03-27", "2026-03-28")
    second = ask("jackpot-statement", "2026-03-29")

    assert [(row["instance"], row["pot"], lines(row)) for row in first] == [
        ("Daily", "main", {
            "contributed": Decimal(6), "seeded": Decimal(10), "closing": Decimal(16),
        }),
        ("Daily", "pot-1", {"contributed": Decimal(6), "closing": Decimal(6)}),
    ]  # fmt: skip
    assert [(row["instance"], row["pot"], lines(row)) for row in second] == [
        ("Daily", "main", {
            "opening": Decimal(16), "topped_up": Decimal(10), "moved_in": Decimal(4),
            "won": Decimal(30),
        }),
        ("Daily", "pot-1", {"opening": Decimal(6), "moved_out": Decimal(6)}),
        ("Daily (run 2)", "main", {"seeded": Decimal(10), "closing": Decimal(10)}),
        ("Daily (run 2)", "pot-1", {"moved_in": Decimal(2), "closing": Decimal(2)}),
    ]  # fmt: skip
    for instance in (raffle, opened):
        held = read_meters(instance_ids=[instance.pk])[instance.pk]
        closings = [
            statement.closing
            for statement in read_statements(
                operator=operator,
                instance_ids=[instance.pk],
                bounds=[opened_at, datetime(2027, 1, 1, tzinfo=UTC)],
            )
        ]
        assert sum(closings) == sum(meter.value + meter.reserve for meter in held)
    assert [found for check in JACKPOTS for found in books._checks[check]()] == []


def test_what_is_worth_something_in_base_currency_says_at_which_rate(
    history: History, ask: Ask, operator: Operator
) -> None:
    ExchangeRateFactory.create(operator=operator)
    ExchangeRateFactory.create(
        operator=operator, usd_rate=Decimal("1.5"), valid_from=at("2026-04-01 00:00")
    )
    history.progressive(opened_at=at("2026-03-01 00:00"), pots=[{"seed": Decimal("10.01")}])
    history.progressive(
        opened_at=at("2026-03-01 00:00"), currency="BTC", pots=[{"seed": Decimal(1)}]
    )

    march = ask("jackpot-statement", "2026-03-31")
    april = ask("jackpot-statement", "2026-04-02")

    assert [(row["base_rate"], row["closing_base"]) for row in march] == [
        (Decimal("1.25"), Decimal("12.51")),
        (None, None),
    ]
    assert (april[0]["base_rate"], april[0]["closing_base"]) == (Decimal("1.5"), Decimal("15.02"))
    assert march[0]["base_currency"] == "USD"


def test_only_the_operators_own_jackpots_are_told_and_drafts_are_not(
    history: History, ask: Ask, operator: Operator
) -> None:
    mine = history.progressive(opened_at=at("2026-03-01 00:00"), pots=[{"seed": Decimal(1)}])
    other = history.progressive(opened_at=at("2026-03-01 00:00"), pots=[{"seed": Decimal(2)}])
    InstanceFactory.create(operator=operator, status="draft", pots=[{"seed": Decimal(4)}])
    neighbour = OperatorFactory.create()
    theirs = History(neighbour).progressive(
        opened_at=at("2026-03-01 00:00"), pots=[{"seed": Decimal(8)}]
    )

    all_of_mine = ask("jackpot-statement", "2026-03-02")
    one = ask("jackpot-statement", "2026-03-02", instance=str(other.pk))
    not_mine = ask("jackpot-statement", "2026-03-02", instance=str(theirs.pk))

    assert [row["closing"] for row in all_of_mine] == [1, 2]
    assert [row["instance_id"] for row in one] == [str(other.pk)]
    assert not_mine == []
    assert ask("jackpot-statement", "2026-03-02", other=neighbour)[0]["closing"] == 8
    assert ask("jackpot-statement", "2026-02-28") == []
    # Named outright, another operator's pots are not read either.
    bounds = [at("2026-03-01 00:00"), at("2026-04-01 00:00")]
    both = [mine.pk, theirs.pk]
    found = read_statements(operator=operator, instance_ids=both, bounds=bounds)
    assert {statement.instance_id for statement in found} == {mine.pk}


def test_a_win_that_waits_has_left_the_pot(history: History, ask: Ask) -> None:
    jackpot = history.progressive(opened_at=at("2026-03-01 00:00"), pots=[{"seed": Decimal(9)}])
    WinFactory.create(
        pot=jackpot.pots.get(), amount=Decimal(4), status="awaiting_approval",
        found_at=at("2026-03-02 10:00"),
    )  # fmt: skip

    [row] = ask("jackpot-statement", "2026-03-02")

    assert lines(row) == {"opening": Decimal(9), "won": Decimal(4), "closing": Decimal(5)}
