"""
The indexes off which the page of a player tells what money moved, bets and contributions aside.

They hold none of these, so that play costs no more. Made concurrently: the ledger goes on.
"""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("wallets", "0006_lock_balances")]

    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(
                    ("debit_balance_after__isnull", False),
                    models.Q(("tag__in", ["BET", "JACKPOT"]), _negated=True),
                ),
                fields=["debit_account", "-posted_at", "-id"],
                name="transfer_debits_but_play",
            ),
        ),
        AddIndexConcurrently(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(
                    ("credit_balance_after__isnull", False),
                    models.Q(("tag", "WIN"), _negated=True),
                ),
                fields=["credit_account", "-posted_at", "-id"],
                name="transfer_credits_but_play",
            ),
        ),
    ]
