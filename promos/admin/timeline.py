"""Everything that happened to a claim: what was decided, and what money moved."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from core.admin.display import amount_text, url_of
from core.admin.timeline import AFTER_DECISIONS, TimelineEvent, decisions_about
from promos.models import UserPromo
from wallets.enums import Direction
from wallets.selectors import list_player_transactions

SAID = {
    "promo.claim.made": "Claimed",
    "promo.claim.activated": "Activated by a deposit",
    "promo.claim.completed": "Completed: the target was met",
    "promo.claim.cancelled": "Cancelled",
    "promo.claim.expired": "Expired",
    "promo.withdrawal_lock.lifted": "A withdrawal lock was lifted",
}
_MOVES = {"bonus": "Bonus", "clawback": "Taken back", "vault": "Moved into the vault"}


def timeline_of(user_promo: UserPromo) -> Iterator[TimelineEvent]:
    """Yield what happened to the claim, and to its withdrawal locks."""
    locks = user_promo.withdrawal_locks.values_list("pk", flat=True)
    for subject_type, keys in (
        ("promos.userpromo", [user_promo.pk]),
        ("promos.withdrawallock", list(locks)),
    ):
        yield from decisions_about(subject_type, keys, said=SAID, describe=detail_of)
    yield from _transfers(user_promo)


def _transfers(user_promo: UserPromo) -> Iterator[TimelineEvent]:
    references = {f"promo:{user_promo.pk}:{move}": said for move, said in _MOVES.items()}
    transfers = list_player_transactions(player=user_promo.player).filter(reference__in=references)
    for transfer in transfers:
        sign = "+" if transfer.type == Direction.DEPOSIT else "−"
        yield TimelineEvent(
            at=transfer.posted_at,
            order=AFTER_DECISIONS + transfer.pk,
            what=references[transfer.reference],
            detail=f"{transfer.tag}, balance "
            f"{amount_text(transfer.balance_after, transfer.currency)}",
            amount=f"{sign}{amount_text(transfer.amount, transfer.currency)}",
            url=url_of("wallets.transfer", transfer.pk),
        )


def detail_of(after: dict[str, Any]) -> str:
    """Return the amounts of an entry about a claim, for people."""
    currency = after.get("bonus_currency") or ""
    told = [
        ("deposit", after.get("deposit_usd_amount"), "USD"),
        ("to wager", after.get("target_usd_amount"), "USD"),
        ("wagered", after.get("wagered_usd_amount"), "USD"),
        ("taken back", after.get("clawback_amount"), currency),
        ("not there", after.get("clawback_shortfall"), currency),
    ]
    return ", ".join(
        f"{name} {amount_text(Decimal(value), unit)}"
        for name, value, unit in told
        if unit and value and Decimal(value)
    )
