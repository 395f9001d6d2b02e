"""docs/errors.md is what the classes say."""

from io import StringIO
from pathlib import Path

from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]


def test_the_catalogue_of_errors_is_up_to_date() -> None:
    out = StringIO()

    call_command("error_catalogue", stdout=out)

    assert (ROOT / "docs/errors.md").read_text() == out.getvalue(), (
        "run: manage.py error_catalogue > docs/errors.md"
    )
