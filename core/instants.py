"""Instants as text."""

from datetime import UTC, datetime


def format_instant(value: datetime) -> str:
    """Return ``value`` as RFC 3339 in UTC with Z."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
