"""What one collector tells, for the tests of its figures."""

from datetime import datetime

from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import metrics
from tests.plans import conditions_by_index


def told_by(collector: str, now: datetime) -> dict[str, float]:
    """Return the figures of a collector by name, without the product's prefix."""
    collect, _reads_database = metrics._collectors[collector]
    return {
        sample.name.removeprefix("windfall_"): sample.value
        for family in collect(now)
        for sample in family.samples
    }


def searched_by(collector: str, now: datetime, *indexes: str) -> dict[str, list[str]]:
    """Return by what a collector's statements search each of the indexes (tests/plans.py)."""
    with CaptureQueriesContext(connection) as queries:
        told_by(collector, now)
    found: dict[str, list[str]] = {}
    for query in queries:
        for index, conditions in conditions_by_index(query["sql"], indexes=indexes).items():
            found.setdefault(index, []).extend(conditions)
    return found
