"""
Proof that every balance and meter is the sum of its rows.

Every app with money registers its checks here; ``manage.py check_books`` and the nightly
task run them all. A check reads and never writes.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from core.models import BooksCheck


@dataclass(frozen=True, slots=True)
class Difference:
    """A number that is not what its rows say."""

    check: str
    subject: str
    recorded: Decimal
    computed: Decimal

    def __str__(self) -> str:
        return (
            f"{self.check}: {self.subject} is {self.recorded:f}, its rows say {self.computed:f} "
            f"(off by {self.recorded - self.computed:f})"
        )


Check = Callable[[], Iterator[Difference]]

_checks: dict[str, Check] = {}


def register_check(name: str) -> Callable[[Check], Check]:
    """Register the decorated function as the check ``name``; it yields every difference."""

    def register(check: Check) -> Check:
        assert name not in _checks, f"check {name} is registered twice"
        _checks[name] = check
        return check

    return register


def check_names() -> list[str]:
    """Return the names of all registered checks, in order."""
    return sorted(_checks)


@transaction.atomic(durable=True)
def find_differences(*, names: list[str] | None = None) -> list[Difference]:
    """
    Run the checks and return every difference.

    All of them look at one snapshot (REPEATABLE READ), so that what happens meanwhile
    neither hides a difference nor makes one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # It reads every row there is, and holds up nobody: it takes as long as it takes.
        cursor.execute("SET LOCAL statement_timeout = 0")
    found: list[Difference] = []
    for name in names or check_names():
        found.extend(_checks[name]())
    return found


def check_books(*, started_at: datetime, clock: Callable[[], datetime]) -> BooksCheck:
    """Run every check and store what it found."""
    found = find_differences()
    return BooksCheck.objects.create(
        started_at=started_at,
        finished_at=clock(),
        checked_count=len(_checks),
        differences=[
            {
                **asdict(difference),
                "recorded": f"{difference.recorded:f}",
                "computed": f"{difference.computed:f}",
            }
            for difference in found
        ],
    )


def find_last_check() -> BooksCheck | None:
    """Return the newest run of the checks, if there was one."""
    return BooksCheck.objects.order_by("-pk").first()
