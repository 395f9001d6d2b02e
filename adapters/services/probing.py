"""Finding out whether a platform is there and knows us: the admin's "test connection"."""

import time
from dataclasses import dataclass
from uuid import uuid4

from adapters.enums import AdapterKind
from adapters.models import AdapterConfig
from adapters.selectors import get_adapter_config
from adapters.services.connections import connect_for_probe
from bonuses.ports import PlatformBonusUnknown, PlatformRejected, PlatformUnavailable
from operators.models import Operator


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a probe found: a sentence to show, and how long the platform took, if it answered."""

    is_ok: bool
    detail: str
    latency_ms: int | None = None


def probe_adapter(*, operator: Operator, slug: str) -> ProbeResult:
    """
    Ask the platform for a bonus that nobody has; that it knows of none is the good answer.

    Nothing is changed on either side. The circuit breaker is not asked, and learns nothing.

    :raises NotFound: if the operator has no such adapter.
    """
    config = get_adapter_config(operator=operator, slug=slug)
    if config.kind == AdapterKind.INTERNAL:
        return ProbeResult(is_ok=True, detail="There is no platform to reach: it is our ledger.")
    started_s = time.monotonic()
    is_ok, detail, answered = _ask(config)
    latency_ms = round((time.monotonic() - started_s) * 1000) if answered else None
    return ProbeResult(is_ok=is_ok, detail=detail, latency_ms=latency_ms)


def _ask(config: AdapterConfig) -> tuple[bool, str, bool]:
    try:
        adapter = connect_for_probe(config=config)
        # Any currency does: there is nothing to be counted in it.
        adapter.get_bonus(platform_bonus_id=f"probe-{uuid4()}", currency="USD")
    except PlatformBonusUnknown:
        return True, "The platform answered, and accepted our signature.", True
    except PlatformRejected as refusal:
        return False, f"The platform refused us: {refusal.code} {refusal.detail}".strip(), True
    except PlatformUnavailable as failure:
        return False, failure.detail, False
    return False, "The platform says that it has a bonus that nobody granted.", True
