"""Everything that happened to a win: who found it, who decided, and the money."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from core.admin.display import amount_text, url_of
from core.admin.timeline import AFTER_DECISIONS, TimelineEvent, decisions_about
from jackpots.models import Win
from jackpots.rules.identities import payout_reference
from wallets.selectors import list_transfers

SAID = {
    "jackpot.win.found": "Won",
    "jackpot.win.approved": "Approved",
    "jackpot.win.rejected": "Rejected: the amount is in the pot's reserve again",
    "jackpot.win.paid": "Paid",
    "jackpot.win.retried": "Tried again by hand",
    "jackpot.win.retry_requested": "Tried again by hand",
}


def timeline_of(win: Win) -> Iterator[TimelineEvent]:
    """Yield what happened to the win."""
    yield from decisions_about("jackpots.win", [win.pk], said=SAID, describe=detail_of)
    reference = payout_reference(win_id=win.pk)
    for transfer in list_transfers(operator=win.operator, references=[reference]):
        yield TimelineEvent(
            at=transfer.posted_at,
            order=AFTER_DECISIONS + transfer.pk,
            what="Credited to the main balance",
            amount=amount_text(transfer.amount, transfer.currency),
            url=url_of("wallets.transfer", transfer.pk),
        )


def detail_of(after: dict[str, Any]) -> str:
    """Return what an entry about a win says of it, for people."""
    amount, currency = after.get("amount"), after.get("currency")
    told = [
        amount_text(Decimal(amount), currency) if amount and currency else "",
        f"pot {after['pot']}, cycle {after.get('cycle')}" if "pot" in after else "",
    ]
    return ", ".join(each for each in told if each)
