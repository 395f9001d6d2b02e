"""Questions to ask reports, and days to ask them about."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from operators.models import Operator
from reports.rules.periods import Period
from reports.selectors import Question, get_report
from tests.admin.conftest import office, staff_with, superuser
from tests.factories.operators import OperatorFactory

__all__ = ["office", "staff_with", "superuser"]

MALTA = "Europe/Malta"


@pytest.fixture
def operator(db: Any) -> Operator:
    """An operator in Malta that reports in US dollars."""
    return OperatorFactory.create(name="Lucky Star", slug="lucky-star", time_zone=MALTA)


@pytest.fixture
def ask(operator: Operator) -> Callable[..., list[dict[str, Any]]]:
    """Ask a report about days of ``operator``, and return its rows with their percentages."""

    def rows(
        name: str,
        first: str,
        last: str = "",
        *,
        other: Operator | None = None,
        now: datetime = datetime(2026, 12, 31, tzinfo=UTC),
        personal: bool = False,
        **options: str,
    ) -> list[dict[str, Any]]:
        whose = other or operator
        days = Period(date.fromisoformat(first), date.fromisoformat(last or first), whose.time_zone)
        question = Question(whose, days, now, options, shows_personal_data=personal)
        report = get_report(name=name)
        columns = report.columns(question)
        return [
            {column.name: column.value_of(row) for column in columns}
            for row in report.rows(question)
        ]

    return rows


def at(text: str) -> datetime:
    """Return an instant in UTC: "2026-03-28 23:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def sign_in(user: User) -> Client:
    """Return a browser in which the user is signed in."""
    client = Client()
    client.force_login(user)
    return client
