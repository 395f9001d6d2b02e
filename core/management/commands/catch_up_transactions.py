"""Bring a restored database's counter of transactions beyond what its rows know of."""

from typing import Any

from django.core.management.base import BaseCommand

from core.transactions import advance_counter, highest_stored_id, next_transaction_id


class Command(BaseCommand):
    """Run it after pg_restore, before anything else writes; where nothing is behind, it is done."""

    help = (
        "After a dump was restored into another cluster: use up transactions until the next "
        "one comes after all that the ledger knows of. Safe to stop, and to run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        known, following = highest_stored_id(), next_transaction_id()
        self.stdout.write(f"The ledger knows of transaction {known}, the next one is {following}.")
        used_count = advance_counter(beyond=known, notify=self._say)
        self.stdout.write(
            f"Used up {used_count} transactions." if used_count else "Nothing is behind."
        )

    def _say(self, missing: int) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"{missing} to go", ending="\r")
