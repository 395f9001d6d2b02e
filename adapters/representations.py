"""How an adapter looks on the wire: one form for every door, and never its secret."""

from typing import Any

from adapters.models import AdapterConfig
from core.instants import format_instant


def represent_adapter(config: AdapterConfig) -> dict[str, Any]:
    """Return an adapter as the API shows it. Whether there is a secret is all that is told."""
    until = config.previous_valid_until
    return {
        "slug": config.slug,
        "kind": str(config.kind),
        "base_url": config.base_url or None,
        "is_default": config.is_default,
        "has_secret": config.has_secret,
        "previous_valid_until": None if until is None else format_instant(until),
        "created_at": format_instant(config.created_at),
        "updated_at": format_instant(config.updated_at),
    }
