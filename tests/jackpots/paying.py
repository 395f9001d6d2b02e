"""A casino platform that holds the wallets, as jackpots see one; and what is told of wins."""

from dataclasses import dataclass, field
from typing import Any

from core.models import AuditEntry, OutboxMessage
from jackpots.models import Win
from jackpots.ports import PaidOut, PayoutOrder
from operators.models import Operator


@dataclass
class FakeChannel:
    """Pays what it is asked to, unless ``outcomes`` (an exception, or a function) come first."""

    slug: str = "fake"
    is_internal: bool = False
    asked: list[PayoutOrder] = field(default_factory=list)
    outcomes: list[Any] = field(default_factory=list)

    def pay_out(self, order: PayoutOrder) -> PaidOut:
        self.asked.append(order)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if callable(outcome):
            outcome = outcome()
        if isinstance(outcome, Exception):
            raise outcome
        return PaidOut(platform_payout_id=f"fake:{order.payout_id}")


class FakeRegistry:
    """Every wallet is behind one channel; the setting JACKPOT_PAYOUTS names ``payouts``."""

    def __init__(self) -> None:
        self.channel = FakeChannel()

    def default_channel(self, *, operator: Operator) -> FakeChannel:
        return self.channel

    def get_channel(self, *, slug: str) -> FakeChannel:
        assert slug == self.channel.slug, f"a win was bound to {slug}"
        return self.channel


payouts = FakeRegistry()


def pay_outside(settings: Any) -> FakeChannel:
    """Let a fake platform pay all wins, and return it."""
    settings.JACKPOT_PAYOUTS = "tests.jackpots.paying.payouts"
    payouts.channel = FakeChannel()
    return payouts.channel


def read(win: Win) -> Win:
    """Return the win as it is stored."""
    return Win.objects.select_related("pot", "prize", "player", "operator").get(pk=win.pk)


def told(win: Win) -> list[tuple[str, str]]:
    """Return what the outbox holds of the win: topics, and the status that each shows."""
    messages = OutboxMessage.objects.filter(subject_id=str(win.pk)).order_by("pk")
    return [(message.topic, message.payload["status"]) for message in messages]


def audited(win: Win) -> list[tuple[str, str]]:
    """Return the audit trail of the win: what was done, and by whom."""
    entries = AuditEntry.objects.filter(subject_id=str(win.pk)).order_by("pk")
    return [(entry.action, f"{entry.actor_kind}:{entry.actor_ref}") for entry in entries]
