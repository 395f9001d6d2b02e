"""The reports that there are, each in a module of its own."""

from core.errors import NotFound
from reports.selectors.audit import AuditExport
from reports.selectors.base import Option, Question, Report
from reports.selectors.bonus_cost import BonusCostReport
from reports.selectors.jackpot_statement import JackpotStatement
from reports.selectors.link_health import LinkHealthReport
from reports.selectors.promo_usage import PromoUsageReport

__all__ = ["REPORTS", "Option", "Question", "Report", "get_report"]

#: By name, in the order in which they are listed.
REPORTS: dict[str, Report] = {
    report.name: report
    for report in (
        JackpotStatement(),
        BonusCostReport(),
        PromoUsageReport(),
        LinkHealthReport(),
        AuditExport(),
    )
}


def get_report(*, name: str) -> Report:
    """
    Return the report of that name.

    :raises NotFound: if there is none.
    """
    try:
        return REPORTS[name]
    except KeyError:
        raise NotFound(f"There is no report {name!r}.") from None
