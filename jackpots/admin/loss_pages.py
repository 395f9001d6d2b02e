"""Explaining a rollback loss: nothing moves, but it no longer waits for anybody."""

from typing import Any

from core.admin import ServicePage
from core.admin.display import amount_text, instant_text
from jackpots.models import RollbackLoss
from jackpots.services.rollbacks import explain_rollback_loss


class ExplainLossPage(ServicePage[RollbackLoss]):
    """Say how a loss came about, so that it no longer waits for anybody."""

    name = "explain"
    permission = "jackpots.explain_rollbackloss"
    verb = "Explain"
    icon = "chat"

    @property
    def title(self) -> str:
        """Say what the page does."""
        loss = self.subject
        return f"Explain: a loss of {amount_text(loss.amount, loss.currency)}"

    def obstacle(self) -> str:
        """Refuse what has been explained."""
        if self.subject.explained_at is None:
            return ""
        return "The loss has been explained already."

    def consequences(self) -> list[str]:
        """Say what will happen."""
        loss = self.subject
        original = loss.reversal.reverses
        when = instant_text(original.created_at) if original is not None else "earlier"
        return [
            (
                f"{loss.reversal.player} contributed to {loss.pot.instance} on {when} UTC. That "
                f"was rolled back on {instant_text(loss.reversal.created_at)} UTC, when {loss.pot} "
                "had been won already."
            ),
            (
                f"The house bears {amount_text(loss.amount, loss.currency)}, explained or not: no "
                "money moves, and the winner keeps it."
            ),
            "The explanation is kept with the incident and cannot be changed.",
        ]

    def call(self, form: Any) -> str:
        """Keep the explanation."""
        explain_rollback_loss(
            operator=self.subject.operator,
            loss_id=self.subject.pk,
            explanation=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return "The loss was explained."
