"""
What ``manage.py check`` looks at beyond Django's own: what would go wrong later, told before.

Those of deployment run with ``--deploy``, and what needs the database with
``--database default``. A production image runs both before it migrates.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags
from django.db import connections
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.module_loading import import_string

from core.sealing import is_sealing_key

METRICS_TOKEN_LENGTH_MIN = 20
#: Settings that say after how many days something is deleted.
RETENTION_SETTINGS = ("WEBHOOK_INBOX_DAYS", "OUTBOX_DAYS", "CONTRIBUTION_REQUEST_DAYS")


@checks.register()
def check_retention(**_given: Any) -> list[CheckMessage]:
    """Find a retention that would delete what has only just happened."""
    return [
        Error(
            f"{name} is {getattr(settings, name)}: it has to be at least 1.",
            hint="To keep something for ever, give it a hundred years: 36500.",
            id="core.E001",
        )
        for name in RETENTION_SETTINGS
        if getattr(settings, name) < 1
    ]


@checks.register()
def check_sealing_keys(**_given: Any) -> list[CheckMessage]:
    """Find keys that can seal nothing, before the first secret has to be opened."""
    wrong = [
        number for number, key in enumerate(settings.SECRETS_KEYS, 1) if not is_sealing_key(key)
    ]
    if settings.SECRETS_KEYS and not wrong:
        return []
    return [
        Error(
            "SECRETS_KEYS is empty."
            if not settings.SECRETS_KEYS
            else f"SECRETS_KEYS: number {wrong[0]} is no key.",
            hint="A key is 32 random bytes in URL-safe base64.",
            id="core.E002",
        )
    ]


@checks.register(Tags.security, deploy=True)
def check_forms_are_protected(**_given: Any) -> list[CheckMessage]:
    """Find out that forms are not protected; security.W003 knows Django's own class only."""
    if any(_protects_forms(path) for path in settings.MIDDLEWARE):
        return []
    return [Error("No middleware protects forms against other sites.", id="core.E003")]


@checks.register(Tags.security, deploy=True)
def check_metrics_token(**_given: Any) -> list[CheckMessage]:
    """Find a token that could be guessed."""
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= METRICS_TOKEN_LENGTH_MIN:
        return []
    return [
        checks.Warning(
            f"METRICS_TOKEN has fewer than {METRICS_TOKEN_LENGTH_MIN} characters.",
            hint="openssl rand -hex 32",
            id="core.W004",
        )
    ]


@checks.register(Tags.database, deploy=True)
def check_waiting_ends(databases: Sequence[str] | None = None, **_given: Any) -> list[CheckMessage]:
    """
    Find a database whose waiters never give up.

    The timeouts are sent with the connection, and PgBouncer does not pass them on: then the
    role has to carry them.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            for name in ("lock_timeout", "statement_timeout"):
                cursor.execute("SELECT current_setting(%s)", [name])
                (value,) = cursor.fetchone() or ("0",)
                if value == "0":
                    found.append(
                        Error(
                            f"{name} is not in force in the database {alias!r}.",
                            hint=f"ALTER ROLE … SET {name} = …, as docs/operations.md has it.",
                            id="core.E005",
                        )
                    )
    return found


def _protects_forms(path: str) -> bool:
    middleware = import_string(path)
    return isinstance(middleware, type) and issubclass(middleware, CsrfViewMiddleware)
