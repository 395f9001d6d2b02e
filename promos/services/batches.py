"""
Batches of single-use codes: asked for, made by a worker in chunks, disabled.

A chunk draws codes at random, copies them to the database and keeps those that nobody has;
it moves the batch's count in the same transaction. So a worker that dies costs one chunk,
and any number of workers make exactly as many codes as were asked for.
"""

import logging
from datetime import datetime
from uuid import UUID

from celery import current_app
from django.db import connection, transaction

from core import audit, locks
from core.actors import Actor
from core.errors import InvalidRequest, NotFound
from operators.models import Operator
from promos import rules
from promos.errors import PromoArchived
from promos.models import CodeBatch, Promo
from promos.selectors import promo_not_found

logger = logging.getLogger(__name__)

CODES_MAX = 1_000_000
# Half a second of work: what a dying worker loses, and how often progress is seen.
CHUNK = 20_000
_TASK = "promos.tasks.make_batch_codes"

_DRAWN = """
CREATE TEMPORARY TABLE IF NOT EXISTS promos_drawn_codes (code text, code_key text)
ON COMMIT DROP;
TRUNCATE promos_drawn_codes
"""

_KEEP = """
INSERT INTO promos_promobatchcode (operator_id, batch_id, code, code_key)
SELECT %(operator)s, %(batch)s, drawn.code, drawn.code_key
FROM promos_drawn_codes AS drawn
WHERE NOT EXISTS (
    SELECT FROM promos_promobatchcode AS taken
    WHERE taken.operator_id = %(operator)s AND taken.code_key = drawn.code_key)
  AND NOT EXISTS (
    SELECT FROM promos_promo AS promo
    WHERE promo.operator_id = %(operator)s AND promo.code_key = drawn.code_key)
LIMIT %(wanted)s
ON CONFLICT DO NOTHING
"""


@transaction.atomic(savepoint=False)
def create_batch(
    *,
    operator: Operator,
    promo_id: UUID,
    count: int,
    pattern: str,
    actor: Actor,
    now: datetime,
) -> CodeBatch:
    """
    Ask for ``count`` single-use codes of the promo; a worker makes them after the commit.

    Joins the caller's transaction. If the broker is away, the minute's sweep finds the batch.

    :raises PromoNotFound: if the operator has no such promo.
    :raises PromoArchived: if it has been archived.
    :raises InvalidRequest: if the pattern cannot be codes, or cannot make that many.
    :raises ResourceBusy: if the promo is in use; nothing was changed.
    """
    try:
        promo = locks.lock_one(Promo.objects.for_operator(operator).filter(pk=promo_id))
    except NotFound:
        raise promo_not_found() from None
    if promo.archived_at is not None:
        raise PromoArchived("The promo has been archived.")
    _check(count, pattern)
    batch = CodeBatch(operator=operator, promo=promo, pattern=pattern, count=count, created_at=now)
    batch.save(force_insert=True)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="promo.batch.created",
        subject=batch,
        after={"promo_id": str(promo.pk), "pattern": pattern, "count": count},
        now=now,
    )
    transaction.on_commit(
        lambda: current_app.send_task(_TASK, kwargs={"batch_id": str(batch.pk)}), robust=True
    )
    return batch


@transaction.atomic(durable=True)
def disable_batch(
    *, operator: Operator, batch_id: UUID, reason: str, actor: Actor, now: datetime
) -> CodeBatch:
    """
    Disable the batch for ever: none of its codes can be claimed, and no more are made.

    When this returns, no claim through one of its codes is under way. Again, it changes
    nothing. What has been claimed stays claimed.

    :raises NotFound: if the operator has no such batch.
    :raises ResourceBusy: if the batch is in use; nothing was changed.
    """
    batch = locks.lock_one(CodeBatch.objects.for_operator(operator).filter(pk=batch_id))
    if batch.disabled_at is not None:
        return batch
    batch.disabled_at = now
    batch.save(update_fields=["disabled_at"])
    audit.record_action(
        operator=operator,
        actor=actor,
        action="promo.batch.disabled",
        subject=batch,
        after={"made_count": batch.made_count},
        reason=reason,
        now=now,
    )
    return batch


def make_batch_codes(*, batch_id: UUID, now: datetime) -> int:
    """
    Make the codes that a batch still lacks, chunk by chunk; return how many were made.

    Several at once are harmless: whoever does not hold the batch leaves it to who does.
    """
    made_count = 0
    while made := _make_chunk(batch_id, now=now):
        made_count += made
    return made_count


def make_unfinished_batches(*, now: datetime, limit: int) -> int:
    """Make the codes of up to ``limit`` batches that no worker has finished, oldest first."""
    made_count = 0
    unfinished = CodeBatch.objects.unfinished().order_by("created_at", "pk")
    for batch_id in list(unfinished.values_list("pk", flat=True)[:limit]):
        try:
            made_count += make_batch_codes(batch_id=batch_id, now=now)
        except Exception:
            # One batch that cannot be made must not hold up the others.
            logger.exception("batch %s could not be made", batch_id)
    return made_count


def _check(count: int, pattern: str) -> None:
    if not rules.can_be_code(pattern):
        raise InvalidRequest.for_field("pattern", "A code has 1 to 64 characters and no spaces.")
    if len(pattern) > rules.PATTERN_LENGTH_MAX:
        raise InvalidRequest.for_field(
            "pattern", f"It has more than {rules.PATTERN_LENGTH_MAX} characters."
        )
    space = rules.code_space(pattern)
    if space < count:
        raise InvalidRequest.for_field(
            "pattern", f"It makes only {space} different codes; {count} are asked for."
        )


@transaction.atomic(durable=True)
def _make_chunk(batch_id: UUID, *, now: datetime) -> int:
    found = locks.lock_many_skipping(CodeBatch.objects.unfinished().filter(pk=batch_id))
    if not found:
        return 0
    [batch] = found
    wanted = min(batch.count - batch.made_count, CHUNK)
    space = rules.code_space(batch.pattern)
    # Some of what is drawn is taken already; all of a small space is looked at.
    drawn = rules.draw_codes(batch.pattern, min(space, 2 * wanted + 10))
    made = _keep(batch, drawn, wanted)
    batch.made_count += made
    if batch.made_count == batch.count:
        batch.finished_at = now
    elif made == 0 and len(drawn) == space:
        logger.error("batch %s: other codes of the operator use its pattern up", batch.pk)
        batch.failed_at = now
    batch.save(update_fields=["made_count", "finished_at", "failed_at"])
    return made


def _keep(batch: CodeBatch, drawn: list[str], wanted: int) -> int:
    # Two codes of one batch that differ in case only are one code.
    by_key = {rules.canonical_code(code): code for code in drawn}
    with connection.cursor() as cursor:
        cursor.execute(_DRAWN)
        with cursor.copy("COPY promos_drawn_codes (code, code_key) FROM STDIN") as copy:
            for key, code in by_key.items():
                copy.write_row((code, key))
        cursor.execute(_KEEP, {"operator": batch.operator_id, "batch": batch.pk, "wanted": wanted})
        kept: int = cursor.rowcount
        return kept
