"""Link health: what contributions led to over links, and why they failed."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from jackpots.reporting.link_health import LinkUse, iterate_link_use
from reports.rules.tables import Column, Kind, Row
from reports.selectors.base import Option, Question, Report

PER = Option("per", "Rows", (("range", "One for all days"), ("day", "One for each day")))


class LinkHealthReport(Report):
    """How each link fared."""

    name = "link-health"
    title = "Link health"
    icon = "account_tree"
    sentence = "How many contributions each link between jackpots passed on, and why others failed."
    nothing = "No activity: there are no links, and nothing was sent over any in these days."
    options: ClassVar = (PER,)

    def columns(self, question: Question) -> Sequence[Column]:
        """Return the columns: one a day has the day."""
        day = Column("day", "Day", Kind.DAY, "The day, in the operator's time zone.")
        return [
            Column("source_id", "From id", Kind.CODE, "The jackpot's id.", on_page=False),
            Column("source", "From", Kind.TEXT, "The jackpot that was contributed to."),
            Column("target_id", "To id", Kind.CODE, "The jackpot's id.", on_page=False),
            Column("target", "To", Kind.TEXT, "The jackpot that it is linked to."),
            *([day] if question.option(PER) == "day" else []),
            Column("link", "Link", Kind.TEXT, "Whether the link is there now."),
            Column("total_count", "Sent", Kind.COUNT, "Contributions that followed the link."),
            Column("accepted_count", "Accepted", Kind.COUNT, "Those that the target took."),
            Column("failed_count", "Failed", Kind.COUNT, "Those that it refused."),
            Column(
                "failed_percent",
                "Failed, %",
                Kind.PERCENT,
                "Refused ones as a share of all.",
                share_of=("failed_count", "total_count"),
            ),
            Column("reasons", "Why", Kind.TEXT, "How often for which reason, most often first."),
        ]

    def rows(self, question: Question) -> Iterator[Row]:
        """Yield one row a link (and day)."""
        by_day = question.option(PER) == "day"
        days = question.period.days
        for use in iterate_link_use(
            operator=question.operator, bounds=question.period.bounds(by_day=by_day)
        ):
            is_used = bool(use.accepted_count or use.failed_count)
            if by_day and not is_used:
                continue
            yield {**_row_of(use, is_used), "day": days[use.span]}

    def notes(self, question: Question) -> list[str]:
        """Say what a failure means."""
        return [
            "What a link could not pass on failed at its target alone.",
            "The jackpot that was contributed to has its own part all the same.",
        ]


def _row_of(use: LinkUse, is_used: bool) -> dict[str, object]:  # noqa: FBT001 -- of one row
    reasons = "; ".join(f"{code}: {number}" for code, number in use.failures.items())
    return {
        "source_id": str(use.source_id),
        "source": use.source_name,
        "target_id": str(use.target_id),
        "target": use.target_name,
        "link": "in place" if use.is_linked else "removed",
        "total_count": use.accepted_count + use.failed_count,
        "accepted_count": use.accepted_count,
        "failed_count": use.failed_count,
        "reasons": reasons or ("" if is_used else "no activity"),
    }
