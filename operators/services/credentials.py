"""Operators and their API keys."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from core import audit, locks, money
from core.actors import Actor
from operators.enums import Scope
from operators.errors import OperatorSlugTaken
from operators.models import ApiKey, Operator
from operators.services.clocks import known_zone

KEY_PREFIX = "wf_"


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key: the row, and the secret that is shown this once."""

    api_key: ApiKey
    secret: str


@transaction.atomic(durable=True)
def create_operator(
    *,
    slug: str,
    name: str,
    base_currency: str,
    time_zone: str = "UTC",
    actor: Actor,
    now: datetime,
) -> IssuedKey:
    """
    Create a tenant and a first key with every scope (API.md, bootstrap).

    :raises OperatorSlugTaken: if the slug is in use.
    :raises CurrencyUnknown: if the base currency is not in the registry.
    :raises InvalidRequest: if there is no such time zone.
    """
    operator = Operator(
        slug=slug,
        name=name,
        base_currency=money.get_currency(base_currency).code,
        time_zone=known_zone(name=time_zone),
        created_at=now,
    )
    operator.clean_fields()
    try:
        with transaction.atomic():
            operator.save(force_insert=True)
    except IntegrityError:
        raise OperatorSlugTaken(f"There is an operator {slug!r} already.") from None
    audit.record_action(
        operator=operator, actor=actor, action="operator.created", subject=operator, now=now
    )
    return _issue(
        operator, label="First key", scopes=Scope.values, expires_at=None, actor=actor, now=now
    )


@transaction.atomic(durable=True)
def issue_api_key(
    *,
    operator: Operator,
    label: str,
    scopes: Sequence[str],
    expires_at: datetime | None,
    actor: Actor,
    now: datetime,
) -> IssuedKey:
    """Make a further key for the operator; its secret is in the result and nowhere else."""
    return _issue(operator, label=label, scopes=scopes, expires_at=expires_at, actor=actor, now=now)


@transaction.atomic(durable=True)
def revoke_api_key(
    *, operator: Operator, api_key_id: int, reason: str, actor: Actor, now: datetime
) -> ApiKey:
    """
    Revoke a key; processes that have cached it obey within API_KEY_CACHE_S.

    Revoking a revoked key changes nothing.

    :raises NotFound: if the operator has no such key.
    """
    api_key = locks.lock_one(ApiKey.objects.for_operator(operator).filter(pk=api_key_id))
    if api_key.revoked_at is None:
        api_key.revoked_at = now
        api_key.save(update_fields=["revoked_at"])
        audit.record_action(
            operator=operator,
            actor=actor,
            action="operator.api_key.revoked",
            subject=api_key,
            after={"revoked_at": now.isoformat()},
            reason=reason,
            now=now,
        )
    return api_key


def digest_of(*, secret: str) -> str:
    """Return what is stored of a key. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _issue(
    operator: Operator,
    *,
    label: str,
    scopes: Sequence[str],
    expires_at: datetime | None,
    actor: Actor,
    now: datetime,
) -> IssuedKey:
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    api_key = ApiKey(
        operator=operator,
        label=label,
        prefix=secret[:9],
        digest=digest_of(secret=secret),
        scopes=sorted(scopes),
        created_at=now,
        expires_at=expires_at,
    )
    api_key.save(force_insert=True)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="operator.api_key.issued",
        subject=api_key,
        after={"label": label, "prefix": api_key.prefix, "scopes": api_key.scopes},
        now=now,
    )
    return IssuedKey(api_key=api_key, secret=secret)
