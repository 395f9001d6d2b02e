"""
What a contribution looks up is looked up by an index, however small the table was at first.

A session plans a function's statements once. In one that began when there were few idempotency
records that plan read all of them, and went on doing so, until ANALYZE had seen the table grow:
after a batch or two each contribution read a hundred thousand rows.
"""

from typing import ClassVar

from django.db import migrations

_FUNCTIONS = (
    "core_claim_idempotency_key(bigint, text)",
    "jackpots_contribute(bigint, text, text, text, jsonb, jsonb, integer[], jsonb, timestamptz)",
    (
        "jackpots_contribute_batch(bigint, jsonb, text[], jsonb, uuid[], uuid[], integer[],"
        " integer[], jsonb, jsonb, jsonb, jsonb, timestamptz)"
    ),
    "jackpots_contribution_answer(text)",
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("core", "0002_claim_idempotency_key"),
        ("jackpots", "0019_indexes_of_reports"),
    ]

    operations: ClassVar = [
        migrations.RunSQL(
            [f"ALTER FUNCTION {function} SET enable_seqscan = off" for function in _FUNCTIONS],
            [f"ALTER FUNCTION {function} RESET enable_seqscan" for function in _FUNCTIONS],
        )
    ]
