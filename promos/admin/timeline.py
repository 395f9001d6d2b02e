"""Everything that happened to a claim: what was decided, and what money moved."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User

from core.actors import ActorKind
from core.admin.display import amount_text, instant, url_of
from core.models import AuditEntry
from promos.models import UserPromo
from wallets.enums import Direction
from wallets.selectors import list_player_transactions

_ENTRIES_MAX = 100
_SAID = {
    "promo.claim.made": "Claimed",
    "promo.claim.activated": "Activated by a deposit",
    "promo.claim.completed": "Completed: the target was met",
    "promo.claim.cancelled": "Cancelled",
    "promo.claim.expired": "Expired",
    "promo.withdrawal_lock.lifted": "A withdrawal lock was lifted",
}
_MOVES = {"bonus": "Bonus", "clawback": "Taken back", "vault": "Moved into the vault"}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    at: datetime
    #: Decisions come before the money that they moved at the same instant.
    order: int
    what: str
    detail: str = ""
    who: str = ""
    reason: str = ""
    amount: str = ""
    url: str = ""

    @property
    def when(self) -> str:
        """Return the instant, for people."""
        return instant(self.at)


def timeline_of(user_promo: UserPromo) -> list[Event]:
    """Return what happened to the claim, oldest first."""
    events = [*_decisions(user_promo), *_transfers(user_promo)]
    return sorted(events, key=lambda event: (event.at, event.order))


def _decisions(user_promo: UserPromo) -> Iterator[Event]:
    locks = list(user_promo.withdrawal_locks.values_list("pk", flat=True))
    found = list(
        AuditEntry.objects.filter(
            subject_type="promos.userpromo", subject_id=str(user_promo.pk)
        ).order_by("pk")[:_ENTRIES_MAX]
    )
    found += AuditEntry.objects.filter(
        subject_type="promos.withdrawallock", subject_id__in=[str(pk) for pk in locks]
    )
    names = _staff_names(found)
    for entry in found:
        who = names.get((entry.actor_kind, entry.actor_ref), entry.actor_ref)
        yield Event(
            at=entry.created_at,
            order=entry.pk,
            what=_SAID.get(entry.action, entry.action),
            detail=_detail_of(entry.after),
            who=f"{ActorKind(entry.actor_kind).label}: {who}",
            reason=entry.reason,
            url=url_of("core.auditentry", entry.pk),
        )


def _transfers(user_promo: UserPromo) -> Iterator[Event]:
    references = {f"promo:{user_promo.pk}:{move}": said for move, said in _MOVES.items()}
    transfers = list_player_transactions(player=user_promo.player).filter(reference__in=references)
    for transfer in transfers:
        sign = "+" if transfer.type == Direction.DEPOSIT else "−"
        yield Event(
            at=transfer.posted_at,
            order=2**62 + transfer.pk,
            what=references[transfer.reference],
            detail=f"{transfer.tag}, balance "
            f"{amount_text(transfer.balance_after, transfer.currency)}",
            amount=f"{sign}{amount_text(transfer.amount, transfer.currency)}",
            url=url_of("wallets.transfer", transfer.pk),
        )


def _detail_of(after: dict[str, Any]) -> str:
    currency = after.get("bonus_currency") or ""
    told = [
        ("deposit", after.get("deposit_usd_amount"), "USD"),
        ("to wager", after.get("target_usd_amount"), "USD"),
        ("wagered", after.get("wagered_usd_amount"), "USD"),
        ("taken back", after.get("clawback_amount"), currency),
        ("not there", after.get("clawback_shortfall"), currency),
    ]
    return ", ".join(
        f"{name} {_plain(value)} {unit}" for name, value, unit in told if value and Decimal(value)
    )


def _plain(value: str) -> str:
    return value.rstrip("0").rstrip(".") if "." in value else value


def _staff_names(entries: list[AuditEntry]) -> dict[tuple[str, str], str]:
    refs = [entry.actor_ref for entry in entries if entry.actor_kind == ActorKind.STAFF]
    known = User.objects.filter(pk__in=[int(ref) for ref in refs if ref.isdecimal()])
    return {(ActorKind.STAFF.value, str(user.pk)): user.username for user in known}
