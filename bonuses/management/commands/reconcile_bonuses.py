"""Ask platforms how their active bonuses are, and replay what was not heard."""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from bonuses.errors import ReconciliationUnderWay
from bonuses.models import BonusGrant, ReconciliationRun
from bonuses.ports import get_adapters
from bonuses.services.reconciliation import Scope, count_to_reconcile, reconcile_bonuses
from core.errors import NotFound
from core.instants import format_instant

EPILOG = """\
Every active bonus that a platform holds is asked about. One that has ended there ends here,
as if its webhook had just come; one that the platform does not know opens a discrepancy and
changes nothing. A run that was interrupted, or is under way elsewhere, is gone on with
where it is.

exit status:
  0  the run is finished
  1  there is no such adapter; or another process is reconciling other bonuses, or has taken
     this run over
  2  so many bonuses are unknown to their platform that something else must be wrong

example:
  python manage.py reconcile_bonuses --adapter acme-casino --json
"""


class Command(BaseCommand):
    """Reconcile now, all of it, and say what came of it."""

    help = "Ask platforms how their active bonuses are, and replay what was not heard."

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(
            *args, epilog=EPILOG, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--adapter", default="", metavar="SLUG", help="only the bonuses of this adapter"
        )
        parser.add_argument(
            "--json", action="store_true", help="end with one JSON object, and print nothing else"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        scope = Scope(adapter_slug=options["adapter"])
        if scope.adapter_slug:
            _refuse_unknown_adapter(scope.adapter_slug)
        total = count_to_reconcile(scope=scope, now=timezone.now())
        is_quiet = options["json"]
        # None: a bar on a terminal, and nothing anywhere else.
        with tqdm(total=total, unit=" bonuses", disable=True if is_quiet else None) as bar:
            has_bar = not bar.disable
            dealt_with = 0

            def show(count: int) -> None:
                nonlocal dealt_with
                dealt_with += count
                bar.update(count)
                if count and not has_bar and not is_quiet:
                    self.stdout.write(f"{dealt_with} of {total}")

            try:
                run = reconcile_bonuses(
                    scope=scope, clock=timezone.now, idle_for=timedelta(0), on_progress=show
                )
            except ReconciliationUnderWay as refusal:
                raise CommandError(refusal.detail, returncode=1) from refusal
        self.stdout.write(json.dumps(_described(run)) if is_quiet else _told(run))
        if run.is_alarming:
            self.stderr.write("Platforms do not know so many bonuses that more must be wrong.")
            sys.exit(2)


def _refuse_unknown_adapter(slug: str) -> None:
    try:
        get_adapters().get_adapter(slug=slug)
    except NotFound as refusal:
        held = BonusGrant.objects.active().filter(is_internal=False)
        slugs = held.order_by("adapter_slug").values_list("adapter_slug", flat=True).distinct()
        there_are = f"Active bonuses are with: {', '.join(slugs)}."
        if not slugs:
            there_are = "No platform holds an active bonus."
        raise CommandError(f"There is no adapter {slug!r}. {there_are}") from refusal


def _described(run: ReconciliationRun) -> dict[str, Any]:
    assert run.finished_at is not None, "a run without an end"
    return {
        "id": str(run.pk),
        "adapter": run.adapter_slug or None,
        "status": str(run.status),
        "asked": run.asked_count,
        "replayed": run.replayed_count,
        "unknown": run.unknown_count,
        "unanswered": run.unanswered_count,
        "alarming": run.is_alarming,
        "started_at": format_instant(run.started_at),
        "finished_at": format_instant(run.finished_at),
    }


def _told(run: ReconciliationRun) -> str:
    return (
        f"Asked about {run.asked_count} bonuses: {run.replayed_count} replayed, "
        f"{run.unknown_count} unknown to their platform, {run.unanswered_count} unanswered."
    )
