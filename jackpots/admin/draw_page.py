"""Drawing a raffle by hand: among whom, and for what, is said before."""

from decimal import Decimal
from typing import Any

from unfold.enums import ActionVariant

from core.admin import ServicePage
from core.admin.display import amount_text, instant_text
from jackpots.admin.display import prize_value
from jackpots.enums import InstanceStatus
from jackpots.growth import count_tickets
from jackpots.models import Draw, Instance
from jackpots.selectors import read_meters
from jackpots.services import draws

_DRAWABLE = (InstanceStatus.ACTIVE, InstanceStatus.CLOSING)
_PRIZES_TOLD_MAX = 8


class DrawPage(ServicePage[Instance]):
    """Draw the winners of a raffle."""

    name = "draw"
    permission = "jackpots.draw_instance"
    verb = "Draw"
    icon = "confirmation_number"
    variant = ActionVariant.DANGER
    is_dangerous = True

    def obstacle(self) -> str:
        """Refuse what is no raffle, or cannot be drawn now."""
        subject = self.subject
        if not subject.is_raffle:
            return f"{subject} is a progressive: its pots drop, and are not drawn."
        if subject.status not in _DRAWABLE:
            return (
                f"{subject} is {subject.get_status_display().lower()}: only an active or closing "
                "raffle can be drawn."
            )
        return ""

    def consequences(self) -> list[str]:
        """Say what will happen."""
        subject = self.subject
        if self.obstacle():
            return []
        told = []
        if subject.status == InstanceStatus.ACTIVE:
            told.append("It takes no more contributions from this instant on, for good.")
        return [*told, self._entries(), self._prizes(), *self._after()]

    def call(self, form: Any) -> str:
        """Draw it."""
        draws.draw_instance(
            operator=self.subject.operator,
            instance_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        draw = Draw.objects.get(instance=self.subject)
        if draw.drawn_at is None:
            return f"{self.subject} was closed, and is drawn within a minute."
        count = draw.wins.count()
        winners = "1 winner" if count == 1 else f"{count:,} winners"
        return (
            f"{self.subject} was drawn: {winners}, among {draw.entries_count:,} players with "
            f"{draw.tickets_total:,} tickets."
        )

    def _entries(self) -> str:
        players, tickets = count_tickets(instance=self.subject)
        if not tickets:
            return "Nobody holds a ticket: nothing is given, and the pot rolls over."
        who = "1 player holds" if players == 1 else f"{players:,} players hold"
        what = "1 ticket" if tickets == 1 else f"{tickets:,} tickets"
        return f"At this instant {who} {what}. Contributions under way until it closes count, too."

    def _prizes(self) -> str:
        subject = self.subject
        meters = read_meters(instance_ids=[subject.pk])[subject.pk]
        held = sum((meter.value + meter.reserve for meter in meters), Decimal(0))
        pot = amount_text(held, subject.currency)
        prizes = list(subject.prizes.order_by("priority", "pk"))
        if not prizes:
            return f"One winner gets the whole pot: {pot}."
        told = [
            f"{prize.count:,} × {prize.name} ({prize_value(prize, subject.currency)})"
            for prize in prizes[:_PRIZES_TOLD_MAX]
        ]
        more = len(prizes) - len(told)
        rest = f", and {more:,} more kinds" if more else ""
        return f"The pot is {pot}. Drawn for: {', '.join(told)}{rest}."

    def _after(self) -> list[str]:
        subject = self.subject
        told = [
            (
                "The winners follow from the seed that was committed to and from the tickets: "
                "nobody can choose them, and anybody can recompute them afterwards."
            ),
            "The wins are paid within seconds; those above the operator's threshold wait.",
        ]
        if subject.recurrence:
            told.append(
                "The next run opens at once; by the schedule this one would be drawn on "
                f"{instant_text(subject.closes_at)} UTC."
            )
        return [*told, "A draw cannot be made again."]
