"""What the timeline of a grant says of an entry of the audit trail."""

import pytest

from bonuses.admin.timeline import detail_of


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ({"released_amount": "5"}, "released 5.00 EUR"),
        (
            {"released_amount": "5", "platform_at": "2026-03-28T23:00:00Z"},
            "released 5.00 EUR, by the platform's clock 28 Mar 2026, 23:00:00 UTC",
        ),
        ({"platform_at": "yesterday"}, ""),
        ({"platform_at": None}, ""),
    ],
)
def test_the_platforms_clock_is_told_as_what_it_is(after: dict[str, str], told: str) -> None:
    assert detail_of(after, "EUR") == told
