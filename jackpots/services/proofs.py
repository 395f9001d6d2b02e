"""
Proofs: the verification of a draw, remembered for a while.

A draw that was made never changes, and recomputing one among a million entries takes a process
for many seconds: it is done once, however often somebody asks.
"""

import json
import logging
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.cache import cache

from core.errors import ResourceBusy
from jackpots.models import Draw
from jackpots.services.verification import find_made_draw, recompute_draw
from operators.models import Operator

logger = logging.getLogger(__name__)

#: How long a proof is given again. Big ones take megabytes of the cache: they go again.
KEPT_S = 3_600
#: Of draws among more entries than this, one at a time is recomputed, and others come again.
ALONE_ABOVE_ENTRIES = 10_000
#: A process that died while it recomputed one keeps others from it so long.
_CLAIMED_S = 120


@dataclass(frozen=True, slots=True)
class Proof:
    """What recomputing a draw has shown; ``document`` is the published JSON."""

    is_verified: bool
    checks: list[dict[str, Any]]
    recomputed_at: datetime
    document: bytes


def prove_draw(*, operator: Operator, draw_id: UUID, now: datetime) -> Proof:
    """
    Return what recomputing a draw has shown, within the last hour or now.

    :raises NotFound: if the operator has no such draw.
    :raises InstanceWrongState: if it has not been made: until then its seed is a secret.
    :raises ResourceBusy: if it is a big one, and is being recomputed for somebody else.
    """
    draw = find_made_draw(operator=operator, draw_id=draw_id)
    proof = _recall(draw)
    if proof is not None:
        return proof
    if not _claim(draw):
        raise ResourceBusy("The draw is being recomputed. Ask again in some seconds.")
    try:
        proof = _prove(draw, now=now)
        _remember(draw, proof)
    finally:
        _release(draw)
    return proof


def _prove(draw: Draw, *, now: datetime) -> Proof:
    document = recompute_draw(draw=draw)
    return Proof(
        is_verified=document["verified"],
        checks=document["checks"],
        recomputed_at=now,
        document=json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(),
    )


def _recall(draw: Draw) -> Proof | None:
    try:
        kept = cache.get(_key(draw))
    except Exception:
        # The client raises its own errors and the socket's; none may hide a proof.
        logger.exception("the cache of proofs is away")
        return None
    if kept is None:
        return None
    is_verified, checks, recomputed_at, packed = kept
    return Proof(is_verified, checks, recomputed_at, zlib.decompress(packed))


def _remember(draw: Draw, proof: Proof) -> None:
    packed = zlib.compress(proof.document, level=1)
    kept = (proof.is_verified, proof.checks, proof.recomputed_at, packed)
    try:
        cache.set(_key(draw), kept, timeout=KEPT_S)
    except Exception:
        # The client raises its own errors and the socket's; none may hide a proof.
        logger.exception("the cache of proofs is away")


def _claim(draw: Draw) -> bool:
    """Tell whether the draw may be recomputed now: a big one by one process at a time."""
    if (draw.entries_count or 0) <= ALONE_ABOVE_ENTRIES:
        return True
    try:
        return bool(cache.add(f"{_key(draw)}:claimed", 1, timeout=_CLAIMED_S))
    except Exception:
        # Without the cache nobody can tell; who asks shall not be refused for it.
        logger.exception("the cache of proofs is away")
        return True


def _release(draw: Draw) -> None:
    try:
        cache.delete(f"{_key(draw)}:claimed")
    except Exception:
        # It is forgotten by itself.
        logger.exception("the cache of proofs is away")


def _key(draw: Draw) -> str:
    return f"draw-proof:{draw.pk}"
