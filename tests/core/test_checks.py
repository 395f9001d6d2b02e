"""manage.py check: what would go wrong later is said before."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection

from core import checks


def ids(found: list[Any]) -> list[str]:
    return [message.id for message in found]


@pytest.mark.parametrize("name", checks.RETENTION_SETTINGS)
def test_a_retention_that_would_delete_at_once_is_an_error(settings: Any, name: str) -> None:
    setattr(settings, name, 0)

    [error] = checks.check_retention()

    assert (error.id, error.is_serious()) == ("core.E001", True)
    assert name in error.msg


@pytest.mark.parametrize(
    "keys", [[], ["build"], ["d2luZGZhbGwtdGVzdHMtb25seS13aW5kZmFsbC1rZXk=", "x"]]
)
def test_a_key_that_can_seal_nothing_is_an_error(settings: Any, keys: list[str]) -> None:
    settings.SECRETS_KEYS = keys

    assert ids(checks.check_sealing_keys()) == ["core.E002"]


def test_no_key_is_told(settings: Any) -> None:
    settings.SECRETS_KEYS = ["a-secret-that-is-no-key"]

    [error] = checks.check_sealing_keys()

    assert "a-secret" not in f"{error.msg} {error.hint}"


def test_forms_without_protection_are_an_error(settings: Any) -> None:
    settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if "Csrf" not in path]

    assert ids(checks.check_forms_are_protected()) == ["core.E003"]


def test_a_short_token_is_a_warning(settings: Any) -> None:
    settings.METRICS_TOKEN = "x" * (checks.METRICS_TOKEN_LENGTH_MIN - 1)

    assert ids(checks.check_metrics_token()) == ["core.W004"]


@pytest.mark.django_db
def test_waiters_that_never_give_up_are_an_error() -> None:
    assert checks.check_waiting_ends(databases=["default"]) == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")

    assert ids(checks.check_waiting_ends(databases=["default"])) == ["core.E005"]


def test_these_settings_have_nothing_to_object_to() -> None:
    assert [found for found in run_checks() if found.id and found.id.startswith("core.")] == []
