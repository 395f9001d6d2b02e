"""What a report is asked, and what it can tell of itself."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from operators.models import Operator
from reports.rules.periods import Period
from reports.rules.tables import Column, Row


@dataclass(frozen=True, slots=True)
class Option:
    """A choice that changes what a report tells; the first one is taken unless asked."""

    name: str
    label: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Whose report, of which days, and how. ``now`` is when it is asked."""

    operator: Operator
    period: Period
    now: datetime
    options: Mapping[str, str] = field(default_factory=dict)
    shows_personal_data: bool = False

    def option(self, option: Option) -> str:
        """Return what was chosen."""
        chosen = self.options.get(option.name, "")
        return chosen if chosen in dict(option.choices) else option.choices[0][0]

    @property
    def rates_at(self) -> datetime:
        """Return the instant whose exchange rates count: the end of the days, or now."""
        return min(self.period.until, self.now)


class Report(ABC):
    """
    One report.

    It is asked a Question and yields rows; nothing of it is kept. ``rows`` needs no more
    memory for many rows than for few, so a file of any length can be written from it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    icon: ClassVar[str]
    #: One sentence for the list of reports.
    sentence: ClassVar[str]
    #: What a page says instead of a table.
    nothing: ClassVar[str]
    options: ClassVar[tuple[Option, ...]] = ()
    view_permissions: ClassVar[tuple[str, ...]] = ("reports.view_report",)
    export_permission: ClassVar[str] = "reports.export_report"
    needs_reason: ClassVar[bool] = False
    #: A page shows so many rows; a file has all of them.
    rows_shown_max: ClassVar[int] = 200
    #: Which of them these are.
    rows_shown: ClassVar[str] = "first"
    #: Few rows are told one beside the other, line by line.
    stands_upright: ClassVar[bool] = False

    @abstractmethod
    def columns(self, question: Question) -> Sequence[Column]:
        """Return the columns."""

    @abstractmethod
    def rows(self, question: Question) -> Iterator[Row]:
        """Yield every row, in an order that does not change."""

    def rows_of_page(self, question: Question) -> Iterator[Row]:
        """Yield the rows as a page reads them: in as few statements as there can be."""
        return self.rows(question)

    def count_text(self, question: Question) -> str:
        """Return how many rows there are; empty where reading a page has told that."""
        return ""

    def has_totals(self, question: Question) -> bool:
        """Tell whether the rows have a sum that means something."""
        return True

    def notes(self, question: Question) -> list[str]:
        """Say in sentences how the figures are to be read."""
        return []

    def choices_of(self, option: Option, operator: Operator | None) -> list[tuple[str, str]]:
        """Return what there is to choose from, at the operator."""
        return list(option.choices)
