"""Instants as text."""

from datetime import UTC, datetime


def format_instant(value: datetime) -> str:
    """Return ``value`` as RFC 3339 in UTC with Z."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def tell_instant(value: datetime) -> str:
    """Return ``value`` as a sentence says it, in UTC: "29 Mar 2026, 00:59:00 UTC"."""
    return f"{value.astimezone(UTC):%d %b %Y, %H:%M:%S} UTC".lstrip("0")
