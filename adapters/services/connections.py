"""From a configured adapter to one that can be asked."""

import logging

from django.conf import settings

from adapters.enums import AdapterKind
from adapters.http.breaker import Breaker, NoBreaker
from adapters.http.client import HttpAdapter, LiveSecret
from adapters.internal.adapter import InternalAdapter
from adapters.models import AdapterConfig
from bonuses.ports import BonusAdapter
from core.sealing import SealBroken, unseal
from jackpots.ports import PayoutChannel

logger = logging.getLogger(__name__)


def connect_adapter(*, config: AdapterConfig) -> BonusAdapter:
    """Return the adapter that ``config`` describes; nothing is sent yet."""
    return _connect(config)


def connect_payouts(*, config: AdapterConfig) -> PayoutChannel:
    """Return the adapter that ``config`` describes, as a way to pay wins."""
    return _connect(config)


def connect_for_probe(*, config: AdapterConfig) -> HttpAdapter:
    """Return an http adapter that asks although others have found nobody there."""
    return _http_adapter(config, breaker=NoBreaker())


def _connect(config: AdapterConfig) -> InternalAdapter | HttpAdapter:
    match AdapterKind(config.kind):
        case AdapterKind.INTERNAL:
            return InternalAdapter(slug=config.slug)
        case AdapterKind.HTTP:
            return _http_adapter(config, breaker=Breaker(config.slug))


def _http_adapter(config: AdapterConfig, *, breaker: Breaker | NoBreaker) -> HttpAdapter:
    return HttpAdapter(
        slug=config.slug,
        base_url=config.base_url,
        secrets=_live_secrets(config),
        breaker=breaker,
        deadline_s=settings.ADAPTER_DEADLINE_S,
    )


def _live_secrets(config: AdapterConfig) -> tuple[LiveSecret, ...]:
    """Return the secrets that sign; none if our keys are not those that sealed them."""
    try:
        current = LiveSecret(unseal(config.sealed_secret))
        if config.previous_valid_until is None:
            return (current,)
        previous = unseal(config.previous_sealed_secret)
    except SealBroken:
        # The adapter then answers "unavailable": what waits for it is tried again later.
        logger.exception("the secret of adapter %s cannot be opened", config.slug)
        return ()
    return (current, LiveSecret(previous, until_s=config.previous_valid_until.timestamp()))
