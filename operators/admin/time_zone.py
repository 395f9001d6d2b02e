"""The page that sets where an operator's days begin."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from core.admin.pages import ReasonForm, ServicePage
from core.zones import zone_names
from operators.models import Operator
from operators.services import clocks


class ZoneChoiceField(forms.ChoiceField):
    """A time zone by its IANA name; an empty one is up to whoever asks."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault("label", "Time zone")
        kwargs.setdefault("help_text", "Where its days begin and end: the days of reports.")
        super().__init__(choices=[(name, name) for name in zone_names()], **kwargs)


class SetTimeZoneForm(ReasonForm):
    """Where the operator's days begin."""

    time_zone = ZoneChoiceField(required=True)
    field_order = ("time_zone", "reason")


class SetTimeZonePage(ServicePage[Operator]):
    """Let an operator's days begin on other clocks."""

    name = "time-zone"
    permission = "operators.change_operator"
    verb = "Set time zone"
    icon = "schedule"
    form_class = SetTimeZoneForm

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Set the time zone of {self.subject}"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        there = f"{self.now.astimezone(ZoneInfo(self.subject.time_zone)):%H:%M}"
        return [
            f"It is {self.subject.time_zone} now, where the clocks show {there}.",
            "The days of its reports begin on the new clocks, those of the past too.",
            "Nothing that is stored changes: a report of last month may just count other rows.",
            "Recurring jackpots keep the time zones of their own.",
        ]

    def make_form(self, data: Any) -> SetTimeZoneForm:
        """Return the form, with the zone that is set."""
        return SetTimeZoneForm(data, initial={"time_zone": self.subject.time_zone})

    def call(self, form: Any) -> str:
        """Set it."""
        operator = clocks.set_time_zone(
            operator_id=self.subject.pk,
            time_zone=form.cleaned_data["time_zone"],
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"The days of {operator} begin on the clocks of {operator.time_zone}."
