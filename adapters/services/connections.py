"""From a configured adapter to one that can be asked."""

from django.conf import settings

from adapters.enums import AdapterKind
from adapters.http.breaker import Breaker, NoBreaker
from adapters.http.client import HttpAdapter, LiveSecret
from adapters.internal.adapter import InternalAdapter
from adapters.models import AdapterConfig
from bonuses.ports import BonusAdapter
from core.sealing import unseal


def connect_adapter(*, config: AdapterConfig) -> BonusAdapter:
    """Return the adapter that ``config`` describes; nothing is sent yet."""
    match AdapterKind(config.kind):
        case AdapterKind.INTERNAL:
            return InternalAdapter(slug=config.slug)
        case AdapterKind.HTTP:
            return _http_adapter(config, breaker=Breaker(config.slug))


def connect_for_probe(*, config: AdapterConfig) -> HttpAdapter:
    """Return an http adapter that asks although others have found nobody there."""
    return _http_adapter(config, breaker=NoBreaker())


def _http_adapter(config: AdapterConfig, *, breaker: Breaker | NoBreaker) -> HttpAdapter:
    secrets = [LiveSecret(unseal(config.sealed_secret))]
    if config.previous_valid_until is not None:
        secrets.append(
            LiveSecret(
                unseal(config.previous_sealed_secret),
                until_s=config.previous_valid_until.timestamp(),
            )
        )
    return HttpAdapter(
        slug=config.slug,
        base_url=config.base_url,
        secrets=tuple(secrets),
        breaker=breaker,
        deadline_s=settings.ADAPTER_DEADLINE_S,
    )
