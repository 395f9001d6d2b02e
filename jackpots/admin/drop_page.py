"""Dropping a pot by hand: somebody names the winner, and reads before what they get."""

from typing import Any

from django import forms
from django.db import transaction
from unfold.enums import ActionVariant

from core.admin import ReasonForm, ServicePage
from core.admin.display import amount_text
from jackpots.admin.draft_rows import PrintableField
from jackpots.enums import DropType, InstanceStatus, WinCause, WinStatus
from jackpots.models import Instance
from jackpots.selectors import read_meters
from jackpots.services import drops
from jackpots.services.thresholds import find_win_threshold

_DROPPING = (InstanceStatus.ACTIVE, InstanceStatus.CLOSING)


class DropForm(ReasonForm):
    """Which pot, to whom, and why."""

    pot = forms.ChoiceField()
    player = PrintableField(
        max_length=64, label="Player id", help_text="The winner, by the id of your own systems."
    )
    field_order = ("pot", "player", "reason")

    def __init__(self, data: Any, *, names: list[str]) -> None:
        super().__init__(data)
        self.fields["pot"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]

    def field_of(self, pointer: str) -> str:
        """Return the field that a service means by ``pointer``."""
        return "player" if pointer.startswith("player") else super().field_of(pointer)


class DropPage(ServicePage[Instance]):
    """Let a manual pot drop to a player."""

    name = "drop"
    permission = "jackpots.drop_pot"
    verb = "Drop a pot"
    prefilled = ("player",)
    icon = "celebration"
    variant = ActionVariant.DANGER
    is_dangerous = True

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Drop a pot of {self.subject}"

    def obstacle(self) -> str:
        """Refuse what does not run, and what nobody drops by hand."""
        subject = self.subject
        if subject.is_raffle:
            return f"{subject} is a raffle: it is drawn, and its pots do not drop."
        if subject.status not in _DROPPING:
            return (
                f"{subject} is {subject.get_status_display().lower()}: only the pots of an active "
                "or closing instance drop."
            )
        if not self._names():
            return "Nobody drops the pots of this instance by hand: each drops by its own terms."
        return ""

    def consequences(self) -> list[str]:
        """Say what will happen."""
        subject = self.subject
        meters = read_meters(instance_ids=[subject.pk])[subject.pk]
        names = self._names()
        values = [
            f"{each.name} {amount_text(each.value, subject.currency)}"
            for each in meters
            if each.name in names
        ]
        return [
            f"The player wins all that the pot holds when it drops. Now: {', '.join(values)}.",
            "The pot then begins again with its seed, from its reserve first, then from the house.",
            self._waiting(),
            "A drop cannot be taken back.",
        ]

    def make_form(self, data: Any) -> DropForm:
        """Return the form with the pots that are dropped by hand."""
        return DropForm(data, names=self._names())

    def call(self, form: Any) -> str:
        """Drop it."""
        given = form.cleaned_data
        with transaction.atomic(durable=True):
            win = drops.drop_pot(
                operator=self.subject.operator,
                instance_id=self.subject.pk,
                pot_name=given["pot"],
                player_reference=given["player"],
                reason=given["reason"],
                actor=self.actor,
                now=self.now,
            )
        amount = amount_text(win.amount, win.currency)
        done = f"{given['pot']} dropped: {given['player']} has won {amount}."
        if win.status == WinStatus.AWAITING_APPROVAL:
            return f"{done} It is not paid before somebody else has approved it."
        return done

    def _waiting(self) -> str:
        operator = self.subject.operator
        above = find_win_threshold(
            operator=operator, cause=WinCause.MANUAL, initiated_by=self.actor
        )
        if above is None:
            return "The win is paid within seconds."
        told = amount_text(above, operator.base_currency)
        return (
            f"A win above {told} waits for somebody else's approval: you cannot approve it "
            "yourself. Any other is paid within seconds."
        )

    def _names(self) -> list[str]:
        pots = self.subject.pots.filter(drop_type=DropType.MANUAL).order_by("position")
        return list(pots.values_list("name", flat=True))
