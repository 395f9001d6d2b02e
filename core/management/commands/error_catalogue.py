"""Print the catalogue of refusals, docs/errors.md, from the classes themselves."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.utils.module_loading import autodiscover_modules

from core.errors import DomainError

HEAD = """# Errors

Every error is an RFC 9457 problem document (`application/problem+json`) with the members
`type`, `title`, `status`, `detail`, `code` and `instance`. Branch on `code`: it never changes.
`detail` is a sentence about this occurrence, safe to show. A validation error lists each field
under `errors` with its JSON `pointer`.

Refusals of the product, written by `manage.py error_catalogue` from the classes:

| code | status | means |
| --- | --- | --- |
"""

TAIL = """
Answers of the HTTP layer:

| code | status | means |
| --- | --- | --- |
| `UNAUTHENTICATED` | 401 | No API key, or not a valid one. |
| `INSUFFICIENT_SCOPE` | 403 | The key lacks the scope that the endpoint needs. |
| `METHOD_NOT_ALLOWED` | 405 | The path does not take this method. |
| `BODY_TOO_LARGE` | 413 | The body is larger than the endpoint takes. |
| `UNSUPPORTED_MEDIA_TYPE` | 415 | Send `application/json`. |
| `RATE_LIMITED` | 429 | The key's allowance of this minute is used up; see `Retry-After`. |
| `INTERNAL_ERROR` | 500 | A bug. Quote `request_id`. |
"""


class Command(BaseCommand):
    """Print docs/errors.md."""

    help = "Print the catalogue of error codes in Markdown (docs/errors.md)."

    def handle(self, *args: Any, **options: Any) -> None:
        # A class that nothing has imported yet would be missing from the catalogue.
        autodiscover_modules("errors")
        rows = sorted({error.code: error for error in _refusals(DomainError)}.items())
        lines = [f"| `{code}` | {error.status} | {_meaning(error)} |" for code, error in rows]
        self.stdout.write(HEAD + "\n".join(lines) + "\n" + TAIL, ending="")


def _refusals(error: type[DomainError]) -> Iterator[type[DomainError]]:
    # Subclasses first: a parent that shares its code then has the last word.
    for subclass in error.__subclasses__():
        yield from _refusals(subclass)
    # A test may refuse in words of its own: they are not the product's.
    if "code" in vars(error) and apps.is_installed(error.__module__.partition(".")[0]):
        yield error


def _meaning(error: type[DomainError]) -> str:
    return " ".join((error.__doc__ or "").split())
