"""Which casino platforms an operator has: adding them, changing them, rotating their secrets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from django.db import IntegrityError, transaction

from adapters.enums import AdapterKind
from adapters.errors import AdapterSlugTaken
from adapters.http.guard import AddressRefused, NameNotResolved, check_address, resolve_public
from adapters.http.signing import SecretMalformed, decode_secret
from adapters.models import AdapterConfig
from adapters.models.config import RESERVED_SUFFIX, SECRET_OVERLAP
from core import audit, locks
from core.actors import Actor
from core.errors import InvalidRequest
from core.instants import format_instant
from core.sealing import SealBroken, seal, unseal
from operators.models import Operator

# A name that is looked up while somebody waits for the form to be saved.
RESOLVE_S = 2.0
#: What the audit trail says of a secret: that it was given, or is another one now.
_GIVEN = {"secret": "given"}


class AdapterDetails(TypedDict, total=False):
    """What may be left out: the value then stays. A new http adapter needs the first two."""

    base_url: str
    secret: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class PutAdapter:
    """The adapter, and whether this call added it."""

    config: AdapterConfig
    is_new: bool


def put_adapter(
    *,
    operator: Operator,
    slug: str,
    kind: str,
    details: AdapterDetails,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> PutAdapter:
    """
    Add the adapter with that slug, or change it.

    A new secret leaves the old one valid for 24 hours; the same secret again changes
    nothing. Making an adapter the default takes it from the one that was; giving it up
    hands it back to the internal adapter that the operator was born with.

    The address is looked up before anything is locked, and again at every call.

    :raises AdapterSlugTaken: if another operator has an adapter of that slug.
    :raises InvalidRequest: if address or secret cannot be, are missing, or do not go with
        the kind; if the kind of an adapter would change; if the slug is reserved.
    """
    checked = _checked(kind, details)
    return _put(
        operator=operator,
        slug=slug,
        kind=kind,
        details=checked,
        actor=actor,
        now=now,
        reason=reason,
    )


@transaction.atomic(durable=True)
def _put(
    *,
    operator: Operator,
    slug: str,
    kind: str,
    details: AdapterDetails,
    actor: Actor,
    now: datetime,
    reason: str,
) -> PutAdapter:
    own = AdapterConfig.objects.for_operator(operator)
    # The one that is always there stands for the operator. Two statements on purpose: the
    # list must not use a snapshot from before the lock, or it lacks what was added meanwhile.
    locks.lock_one(own.built_in())
    # All of them: a default is taken from one and given to another.
    configs = locks.lock_many(own)
    config = next((each for each in configs if each.slug == slug), None)
    is_new = config is None
    if config is None:
        _refuse_taken(slug)
        config = AdapterConfig(
            operator=operator, slug=slug, kind=kind, created_at=now, updated_at=now
        )
        configs.append(config)
    elif config.kind != kind:
        raise InvalidRequest.for_field("kind", "The kind of an adapter cannot change.")
    before = {each.slug: _shown(each) for each in configs if each is not config or not is_new}
    replaced = _apply(config, details, now=now)
    _move_default(configs, config, to_it=details.get("is_default", config.is_default))
    # Who loses the default goes first: at no instant are there two.
    for each in sorted(configs, key=lambda each: each.is_default):
        known = before.get(each.slug, {})
        changed = {name: value for name, value in _shown(each).items() if known.get(name) != value}
        if replaced and each is config:
            changed |= _GIVEN
        if not changed:
            continue
        _save(each, now=now)
        audit.record_action(
            operator=operator,
            actor=actor,
            action="adapter.changed" if known else "adapter.added",
            subject=each,
            before={name: known[name] for name in changed if name in known},
            after=changed,
            reason=reason,
            now=now,
        )
    return PutAdapter(config=config, is_new=is_new)


def _checked(kind: str, details: AdapterDetails) -> AdapterDetails:
    """Return the details, the address in its one form; refuse what cannot be."""
    checked = details.copy()
    if kind == AdapterKind.INTERNAL:
        for name in ("base_url", "secret"):
            if name in details:
                raise InvalidRequest.for_field(name, "An internal adapter has none.")
    if "secret" in details:
        try:
            decode_secret(details["secret"])
        except SecretMalformed as error:
            raise InvalidRequest.for_field("secret", str(error)) from None
    if "base_url" in details:
        try:
            address = check_address(details["base_url"])
            resolve_public(address.host, address.port, timeout_s=RESOLVE_S)
            checked["base_url"] = address.url
        except AddressRefused as error:
            raise InvalidRequest.for_field("base_url", str(error)) from None
        except NameNotResolved:
            # A name may be registered later. What it then says is looked at by every call.
            checked["base_url"] = address.url
    return checked


def _refuse_taken(slug: str) -> None:
    if AdapterConfig.objects.with_slug(slug).exists():
        raise AdapterSlugTaken(f"There is an adapter {slug!r} already.")
    if slug.endswith(RESERVED_SUFFIX):
        raise InvalidRequest.for_field(
            "slug", f"{RESERVED_SUFFIX} ends the slug of the adapter an operator is born with."
        )


def _apply(config: AdapterConfig, details: AdapterDetails, *, now: datetime) -> bool:
    """Set address and secret, and tell whether the secret is another one now."""
    config.base_url = details.get("base_url", config.base_url)
    secret = details.get("secret")
    if config.kind == AdapterKind.HTTP:
        if not config.base_url:
            raise InvalidRequest.for_field("base_url", "An http adapter needs it.")
        if secret is None and not config.has_secret:
            raise InvalidRequest.for_field("secret", "An http adapter needs it.")
    current = _current_secret(config)
    if secret is None or secret == current:
        return False
    if current is not None:
        config.previous_sealed_secret = config.sealed_secret
        config.previous_valid_until = now + SECRET_OVERLAP
    config.sealed_secret = seal(secret)
    return True


def _current_secret(config: AdapterConfig) -> str | None:
    """Return the secret, or None if there is none or no key of ours opens it any more."""
    try:
        return unseal(config.sealed_secret) if config.has_secret else None
    except SealBroken:
        return None


def _move_default(configs: list[AdapterConfig], config: AdapterConfig, *, to_it: bool) -> None:
    if to_it == config.is_default:
        return
    built_in = next(each for each in configs if each.is_built_in)
    if config is built_in and not to_it:
        raise InvalidRequest.for_field("is_default", "Make another adapter the default instead.")
    heir = config if to_it else built_in
    for each in configs:
        each.is_default = each is heir


def _save(config: AdapterConfig, *, now: datetime) -> None:
    config.updated_at = now
    if config.pk is not None:
        config.save(
            update_fields=[
                "base_url",
                "is_default",
                "sealed_secret",
                "previous_sealed_secret",
                "previous_valid_until",
                "updated_at",
            ]
        )
        return
    try:
        with transaction.atomic():
            config.save(force_insert=True)
    except IntegrityError:
        # Another operator took the slug after we had looked; nothing else is in our way.
        _refuse_taken(config.slug)
        raise


def _shown(config: AdapterConfig) -> dict[str, Any]:
    """Return what the audit trail may know: everything but the secrets."""
    until = config.previous_valid_until
    return {
        "slug": config.slug,
        "kind": str(config.kind),
        "base_url": config.base_url,
        "is_default": config.is_default,
        "previous_valid_until": None if until is None else format_instant(until),
    }
