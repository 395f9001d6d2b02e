"""The jackpot statement: what each pot held, what came, what went, what it holds."""

from collections.abc import Iterator, Sequence
from typing import ClassVar
from uuid import UUID

from jackpots.reporting.statement import (
    PotStatement,
    list_instance_choices,
    list_instances_with_statements,
    read_statements,
)
from operators.models import Operator
from reports.rules.tables import Column, Kind, Row
from reports.selectors.base import Option, Question, Report
from reports.selectors.rates import BaseRates

#: So many jackpots are read at once when a file is written.
_INSTANCES_AT_ONCE = 50
#: A list to choose from has the newest so many; the others are in the report of all.
_INSTANCES_TO_CHOOSE = 500

PER = Option("per", "Rows", (("range", "One for all days"), ("day", "One for each day")))
INSTANCE = Option("instance", "Jackpot", (("", "All jackpots"),))

_LINES = (
    Column("opening", "Opening", Kind.MONEY, "What the pot held when the days began."),
    Column("contributed", "+ Contributions", Kind.MONEY, "What wagers added."),
    Column(
        "rolled_back",
        "− Rolled back",
        Kind.MONEY,
        "Contributions that were taken back, also those that came too late.",
        optional=True,
    ),
    Column(
        "borne_by_house",
        "+ Too late to take back",
        Kind.MONEY,
        "What of it had been won already: the winner keeps it, the house bears it.",
        optional=True,
    ),
    Column("seeded", "+ Seeds", Kind.MONEY, "What the house put in at the start of cycles."),
    Column("boosted", "+ Boosts", Kind.MONEY, "What staff added, two of them agreeing."),
    Column(
        "topped_up",
        "+ House top-ups",
        Kind.MONEY,
        "What the house added because a raffle's fixed prizes needed more than its pot.",
        optional=True,
    ),
    Column(
        "moved_in",
        "+ Rolled over from",
        Kind.MONEY,
        "From the run before, or from the raffle's other pots.",
        optional=True,
    ),
    Column(
        "moved_out",
        "− Rolled over to",
        Kind.MONEY,
        "To the next run, or to the raffle's first pot.",
        optional=True,
    ),
    Column("won", "− Wins", Kind.MONEY, "What was won, also what still waits to be paid."),
    Column(
        "rejected",
        "+ Wins rejected",
        Kind.MONEY,
        "Wins that a second person refused: they are in the reserve again.",
        optional=True,
    ),
    Column("closing", "= Closing", Kind.MONEY, "What the pot held when the days were over."),
)


class JackpotStatement(Report):
    """Opening, every kind of move, and closing, for each pot."""

    name = "jackpot-statement"
    title = "Jackpot statement"
    icon = "trophy"
    sentence = (
        "What each pot held, what came in, what was won, and what it holds now, to the last cent."
    )
    nothing = "No activity: no jackpot was open, and no pot held anything, in these days."
    options: ClassVar = (INSTANCE, PER)
    stands_upright = True

    def columns(self, question: Question) -> Sequence[Column]:
        """Return the columns: one a day has the day."""
        day = Column("day", "Day", Kind.DAY, "The day, in the operator's time zone.")
        return [
            Column("instance_id", "Instance", Kind.CODE, "The jackpot's id.", on_page=False),
            Column("instance", "Jackpot", Kind.TEXT, "Its name, and its run if it recurs."),
            Column("pot", "Pot", Kind.TEXT, "The pot's name."),
            *([day] if question.option(PER) == "day" else []),
            Column("currency", "Currency", Kind.CODE, "Of the amounts."),
            *_LINES,
            Column("win_count", "Wins, number", Kind.COUNT, "How many wins there were."),
            Column(
                "from_reserve",
                "Of the reserve, used as seed",
                Kind.MONEY,
                "Moved from the reserve to the meter: within the pot, so in no sum.",
                optional=True,
            ),
            *(_NOW if not question.period.is_over(now=question.now) else ()),
            Column(
                "closing_base",
                "Closing in base currency",
                Kind.MONEY,
                "The closing at the rate beside it.",
                currency="base_currency",
            ),
            Column(
                "base_currency", "Base currency", Kind.CODE, "The operator's own.", on_page=False
            ),
            Column(
                "base_rate",
                "Rate",
                Kind.RATE,
                "Units of the base currency for one of the pot's.",
                on_page=False,
            ),
        ]

    def rows(self, question: Question) -> Iterator[Row]:
        """Yield the statements, so many jackpots at a time, oldest first."""
        rates = BaseRates(question.operator, at=question.rates_at)
        after = None
        while True:
            found = list_instances_with_statements(
                operator=question.operator,
                until=question.period.until,
                only=_only(question),
                after=after,
                limit=_INSTANCES_AT_ONCE,
            )
            yield from _read(question, found, rates)
            if len(found) < _INSTANCES_AT_ONCE:
                return
            after = found[-1]

    def rows_of_page(self, question: Question) -> Iterator[Row]:
        """Yield all statements from one reading, so that their totals are of one instant."""
        if question.option(PER) == "day":
            # There are many, and no totals: a page stops reading when it is full.
            return self.rows(question)
        rates = BaseRates(question.operator, at=question.rates_at)
        found = list_instances_with_statements(
            operator=question.operator, until=question.period.until, only=_only(question)
        )
        return _read(question, found, rates)

    def has_totals(self, question: Question) -> bool:
        """Tell that openings of one pot on many days have no sum."""
        return question.option(PER) != "day"

    def notes(self, question: Question) -> list[str]:
        """Say what a pot holds, and at which rates it is worth what."""
        notes = ["A pot holds its meter and its reserve: both are in the opening and the closing."]
        if not question.period.is_over(now=question.now):
            notes.append(
                "The last day is not over: the closing is what the pots hold now, and equals the"
                " meter and the reserve that their books show."
            )
        return notes

    def choices_of(self, option: Option, operator: Operator | None) -> list[tuple[str, str]]:
        """Return the operator's jackpots, and how finely they are told."""
        if option is not INSTANCE or operator is None:
            return super().choices_of(option, operator)
        instances = list_instance_choices(operator=operator, limit=_INSTANCES_TO_CHOOSE)
        return [*option.choices, *((str(key), name) for key, name in instances)]


_NOW = (
    Column("meter_now", "In the meter now", Kind.MONEY, "What the pot shows at this moment."),
    Column("reserve_now", "In the reserve now", Kind.MONEY, "What it holds beyond that."),
)


def _only(question: Question) -> UUID | None:
    chosen = question.options.get(INSTANCE.name, "")
    return UUID(chosen) if chosen else None


def _read(question: Question, instance_ids: Sequence[UUID], rates: BaseRates) -> Iterator[Row]:
    by_day = question.option(PER) == "day"
    bounds = question.period.bounds(by_day=by_day)
    is_over = question.period.is_over(now=question.now)
    days = question.period.days
    for statement in read_statements(
        operator=question.operator, instance_ids=instance_ids, bounds=bounds
    ):
        is_last = not by_day or statement.span == len(days) - 1
        row = _row_of(statement, rates)
        row["day"] = days[statement.span]
        if is_last and not is_over:
            row |= {"meter_now": statement.meter, "reserve_now": statement.reserve}
        yield row


def _row_of(statement: PotStatement, rates: BaseRates) -> dict[str, object]:
    rate = rates.find(statement.currency)
    name = statement.instance_name
    return {
        **{line.name: getattr(statement, line.name) for line in _LINES},
        "instance_id": str(statement.instance_id),
        "instance": name if statement.run_number == 1 else f"{name} (run {statement.run_number})",
        "pot": statement.pot_name,
        "currency": statement.currency,
        "win_count": statement.win_count,
        "from_reserve": statement.from_reserve,
        "base_currency": rates.base,
        "base_rate": None if rate is None else rate.rate,
        "closing_base": rates.convert(statement.closing, statement.currency),
    }
