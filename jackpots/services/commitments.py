"""
Commitments: what a raffle will be drawn with is fixed, and published as a hash, beforehand.

The seed is 64 hexadecimal digits: 32 bytes of the system's random numbers. What is hashed
is that text, in ASCII and without a line end: ``printf %s "$seed" | sha256sum``.
"""

import secrets
from datetime import datetime

from django.db import transaction

from core import sealing
from jackpots.models import Draw, Instance
from jackpots.rules.draws import commitment_of

SEED_BYTES = 32


@transaction.atomic(savepoint=False)
def commit_to_draw(*, instance: Instance, now: datetime) -> Draw:
    """
    Fix the seed of a raffle's draw, sealed until it is drawn, and return the draw.

    Joins the caller's transaction, which holds the instance's row. A raffle has one draw:
    called again, returns the one that stands.
    """
    assert instance.is_raffle, "only a raffle is drawn"
    standing = Draw.objects.filter(instance=instance).first()
    if standing is not None:
        return standing
    seed = secrets.token_hex(SEED_BYTES)
    draw = Draw(
        operator=instance.operator,
        instance=instance,
        seed_sealed=sealing.seal(seed),
        commitment=commitment_of(seed),
        committed_at=now,
    )
    draw.save(force_insert=True)
    return draw
