"""Columns, percentages and totals, on plain values."""

from decimal import Decimal

from reports.rules.tables import Column, Kind, Totals, columns_with_something

COLUMNS = [
    Column("name", "Name", Kind.TEXT, ""),
    Column("count", "Count", Kind.COUNT, ""),
    Column("won", "Won", Kind.MONEY, ""),
    Column("lost", "Lost", Kind.MONEY, "", optional=True),
    Column("worth", "Worth", Kind.MONEY, "", currency="base_currency"),
    Column("share", "Share", Kind.PERCENT, "", share_of=("lost", "won")),
]


def row(currency: str, count: int, won: str, lost: str, worth: str | None) -> dict[str, object]:
    return {
        "currency": currency,
        "base_currency": "USD",
        "count": count,
        "won": Decimal(won),
        "lost": Decimal(lost),
        "worth": None if worth is None else Decimal(worth),
    }


def test_totals_keep_currencies_apart() -> None:
    totals = Totals(COLUMNS)
    for each in (
        row("EUR", 2, "10.01", "1", "11"),
        row("JPY", 1, "1500", "0", None),
        row("EUR", 3, "20.02", "0.5", "22"),
    ):
        totals.add(each)

    euro, yen = totals.rows

    assert totals.row_count == 3
    assert euro == {
        "currency": "EUR",
        "base_currency": "USD",
        "count": 5,
        "won": Decimal("30.03"),
        "lost": Decimal("1.5"),
        "worth": Decimal(33),
    }
    assert (yen["won"], yen.get("worth")) == (Decimal(1500), None)


def test_a_total_keeps_every_digit() -> None:
    totals = Totals(COLUMNS)
    for won in ("12345678901234567890.12345678", "0.00000001", "99999999999999999999.99999999"):
        totals.add(row("BTC", 1, won, "0", "0"))

    assert totals.rows[0]["won"] == Decimal("112345678901234567890.12345678")


def test_a_percentage_is_worked_out_from_two_columns_in_totals_too() -> None:
    share = COLUMNS[-1]
    totals = Totals(COLUMNS)
    totals.add(row("EUR", 1, "10", "5", "0"))
    totals.add(row("EUR", 1, "20", "5", "0"))

    assert share.value_of(row("EUR", 1, "10", "5", "0")) == Decimal("50.0")
    assert share.value_of(totals.rows[0]) == Decimal("33.3")
    assert share.value_of(row("EUR", 0, "0", "0", "0")) is None


def test_optional_columns_are_shown_where_one_row_has_something() -> None:
    nothing = [row("EUR", 1, "10", "0", "0")]
    something = [*nothing, row("EUR", 1, "10", "1", "0")]

    assert "lost" not in [column.name for column in columns_with_something(COLUMNS, nothing)]
    assert columns_with_something(COLUMNS, something) == COLUMNS
