"""Deciding upon a win that waits, and paying one again: what it does is said before."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone

from approvals.admin.pages import Approving, DecisionPage, Rejecting
from core.admin import ServicePage
from core.admin.display import amount_text
from jackpots.enums import WinStatus
from jackpots.models import Win
from jackpots.services import payouts, wins


class _WinPage(ServicePage[Win]):
    """One command about a win."""

    @property
    def title(self) -> str:
        """Say what the page does: "Approve: 1,500.00 EUR for anna"."""
        win = self.subject
        return f"{self.verb}: {amount_text(win.amount, win.currency)} for {win.player}"

    def what(self) -> str:
        """Say what was won, and how."""
        win = self.subject
        how = win.get_cause_display().lower()
        won = f"{win.prize or 'the whole pot'} of {win.instance}" if win.draw_id else ""
        pot = f"the pot {win.pot} of {win.instance}, cycle {win.cycle}"
        return f"{win.player} has won {won or pot}: {how}."


class _WinDecisionPage(_WinPage, DecisionPage[Win]):
    """A decision that only a second person may take."""

    permission = "jackpots.approve_win"
    waiting = WinStatus.AWAITING_APPROVAL

    @property
    def is_own(self) -> bool:
        """Tell whether the person initiated the win."""
        win = self.subject
        return (win.initiated_by_kind, win.initiated_by_ref) == (self.actor.kind, self.actor.ref)

    @property
    def fingerprint(self) -> str:
        """Return what the decision is bound to."""
        return wins.fingerprint_of_win(win=self.subject)

    def obstacle(self) -> str:
        """Refuse what does not wait, and whoever initiated the win."""
        if not self.is_waiting:
            status = self.subject.get_status_display().lower()
            return f"The win does not wait for approval: it is {status}."
        if self.is_own:
            return "You asked for this win yourself, so somebody else has to decide upon it."
        return ""


class ApproveWinPage(Approving, _WinDecisionPage):
    """Let a win above the threshold be paid."""

    def consequences(self) -> list[str]:
        """Say what will happen."""
        win = self.subject
        amount = amount_text(win.amount, win.currency)
        return [
            self.what(),
            (
                f"{amount} is paid to {win.player} within seconds, in their own currency at the "
                "rate then in force."
            ),
            "An approval cannot be taken back.",
        ]

    def call(self, form: Any) -> str:
        """Approve it."""
        wins.approve_win(win_id=self.subject.pk, **self.decision(form))
        return f"The win of {self.subject.player} was approved, and is paid within seconds."


class RejectWinPage(Rejecting, _WinDecisionPage):
    """Refuse to pay a win above the threshold."""

    def consequences(self) -> list[str]:
        """Say what will happen."""
        win = self.subject
        amount = amount_text(win.amount, win.currency)
        return [
            self.what(),
            f"{win.player} gets nothing, for good: a rejected win cannot be approved later.",
            f"{amount} goes back into the reserve of the pot {win.pot}, and so to a later winner.",
        ]

    def call(self, form: Any) -> str:
        """Reject it."""
        wins.reject_win(win_id=self.subject.pk, **self.decision(form))
        return f"The win of {self.subject.player} was rejected."


class RetryWinPage(_WinPage):
    """Try at once to pay a win that could not be paid."""

    name = "retry"
    permission = "jackpots.retry_win"
    verb = "Pay now"
    icon = "replay"

    def obstacle(self) -> str:
        """Refuse what is not to be paid."""
        win = self.subject
        if win.status == WinStatus.PAYABLE:
            return ""
        if win.status == WinStatus.AWAITING_APPROVAL:
            return "The win waits for approval, and is paid once it has it."
        return f"The win is {win.get_status_display().lower()}."

    def consequences(self) -> list[str]:
        """Say what will happen."""
        win = self.subject
        told = [self.what()]
        if win.last_error:
            told.append(f"The last of {win.attempts} attempts failed: {win.last_error}")
        told.append(
            f"{amount_text(win.amount, win.currency)} is paid to {win.player} now, rather than "
            "when its next attempt is due."
        )
        told.append("However often it is tried, it is paid once: every attempt names the same win.")
        return told

    def call(self, form: Any) -> str:
        """Try to pay it."""
        self.win = payouts.retry_win_now(
            operator=self.subject.operator,
            win_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            clock=timezone.now,
        )
        if self.win.status == WinStatus.PAID:
            amount = amount_text(self.win.payout_amount, self.win.payout_currency)
            return f"{amount} was paid to {self.subject.player}."
        return f"The win could not be paid, and is tried again: {self.win.last_error}"

    def conclude(self, done: str) -> HttpResponse:
        """Lead back to the win, and say how it went."""
        is_paid = self.win.status == WinStatus.PAID
        messages.add_message(self.request, messages.SUCCESS if is_paid else messages.ERROR, done)
        return HttpResponseRedirect(self.back_url())
