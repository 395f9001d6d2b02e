"""Ending a grant by hand: what is lost is said before anybody presses anything."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Count, Sum
from unfold.enums import ActionVariant

from bonuses.admin.display import held_by
from bonuses.enums import GrantStatus
from bonuses.models import BetFunding, BonusGrant
from bonuses.services import closing
from core.admin import ServicePage
from core.admin.display import amount_text


class _EndPage(ServicePage[BonusGrant]):
    """End an active grant, the platform told first where one holds its money."""

    variant = ActionVariant.DANGER
    is_dangerous = True
    service: ClassVar[Callable[..., BonusGrant]]

    @property
    def title(self) -> str:
        """Say what the page does."""
        grant = self.subject
        bonus = amount_text(grant.bonus_amount, grant.bonus_currency)
        return f"{self.verb}: {grant.template} of {grant.player}, {bonus}"

    def obstacle(self) -> str:
        """Refuse what has ended."""
        grant = self.subject
        if not grant.is_active:
            return f"The grant is {GrantStatus(grant.status).label.lower()}: it has ended."
        if grant.is_internal and grant.is_overdue(now=self.now):
            return "The grant's time is up: it expires within a minute."
        return ""

    def consequences(self) -> list[str]:
        """Say what money moves, and what becomes of bets that run."""
        return [*self._money(), "A grant that has ended cannot be opened again."]

    def call(self, form: Any) -> str:
        """Tell the platform, then end the grant."""
        reason = form.cleaned_data["reason"]
        closing.tell_platform_of_end(
            operator=self.subject.operator, grant_id=self.subject.pk, reason=reason
        )
        with transaction.atomic(durable=True):
            grant = type(self).service(
                operator=self.subject.operator,
                grant_id=self.subject.pk,
                reason=reason,
                actor=self.actor,
                now=self.now,
            )
        return f"The grant was {GrantStatus(grant.status).label.lower()}."

    def _money(self) -> list[str]:
        grant = self.subject
        if not grant.is_internal:
            return [
                (
                    f"The platform of {grant.adapter_slug} holds its money and is told first. If "
                    "it refuses, or does not answer, nothing is changed."
                )
            ]
        held = amount_text(held_by(grant), grant.bonus_currency)
        told = [
            (
                f"At this instant {held} is left of the bonus and its winnings: all of it goes "
                "back to the cost of bonuses. The player's main balance is not touched."
            )
        ]
        running = BetFunding.objects.filter(
            grant=grant, settled_at=None, rolled_back_at=None
        ).aggregate(count=Count("pk"), stake=Sum("stake_amount"))
        if running["count"]:
            stake = amount_text(running["stake"], grant.bonus_currency)
            told.append(
                f"{running['count']:,} of its bets {'is' if running['count'] == 1 else 'are'} not "
                f"settled, with {stake} of it: what they win for it stays with the house."
            )
        return told


class CancelGrantPage(_EndPage):
    """Take a bonus back."""

    name = "cancel"
    permission = "bonuses.cancel_bonusgrant"
    verb = "Cancel grant"
    icon = "cancel"
    service = staticmethod(closing.cancel_grant)


class ForfeitGrantPage(_EndPage):
    """Declare a bonus lost by the player."""

    name = "forfeit"
    permission = "bonuses.forfeit_bonusgrant"
    verb = "Forfeit grant"
    icon = "gavel"
    service = staticmethod(closing.forfeit_grant)

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            "For a player who broke the terms: the bonus is recorded as lost by the player.",
            *super().consequences(),
        ]
