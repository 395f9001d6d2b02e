"""A platform that is configured, and signs what it sends us."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from rest_framework.test import APIClient

from adapters.enums import AdapterKind
from adapters.http import signing
from adapters.models import AdapterConfig
from bonuses.models import BonusGrant
from core.sealing import seal
from tests.factories.operators import LONG_AGO

#: What the sender's clock and ours say, unless a test moves one of them.
CLOCK = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)


class Platform:
    """One adapter's other end."""

    def __init__(self, config: AdapterConfig, secret: str) -> None:
        self.config = config
        self.secret = secret

    @property
    def path(self) -> str:
        return f"/v1/adapters/{self.config.slug}/webhooks/bonus-events"

    def sign(self, body: bytes, *, at: datetime = CLOCK, **kwargs: Any) -> dict[str, str]:
        message_id = kwargs.get("message_id", f"msg_{uuid4()}")
        secret = kwargs.get("secret", self.secret)
        return signing.sign(secret, message_id, int(at.timestamp()), body)

    def send(self, event: Any, *, headers: dict[str, str] | None = None, **kwargs: Any) -> Any:
        """Post an event (or raw bytes), signed unless ``headers`` says otherwise."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self.post(body, self.sign(body, **kwargs) if headers is None else headers)

    def post(self, body: bytes, headers: dict[str, str]) -> Any:
        return APIClient().generic(
            "POST", self.path, body, content_type="application/json", headers=headers
        )


def platform_of(grant: Any, **kwargs: Any) -> Platform:
    """Configure the platform behind a grant, or behind an issuance."""
    secret = signing.make_secret()
    config = AdapterConfig.objects.create(
        **{
            "operator": grant.operator,
            "slug": grant.adapter_slug,
            "kind": AdapterKind.HTTP,
            "base_url": "https://casino.example",
            "sealed_secret": seal(secret),
            "created_at": LONG_AGO,
            "updated_at": LONG_AGO,
            **kwargs,
        }
    )
    return Platform(config, secret)


def event_about(grant: BonusGrant, kind: str = "credited", **data: Any) -> dict[str, Any]:
    """Return an event as a platform words it."""
    return {
        "event_id": f"evt-{uuid4()}",
        "event": f"bonus.{kind}",
        "ts": "2026-03-28T12:30:00Z",
        "data": {"grant_id": str(grant.pk), **data},
    }
