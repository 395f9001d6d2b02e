"""Boosts: asked for by one person on the page of an instance, decided by another."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect

from approvals.admin.pages import Approving, DecisionPage, Rejecting
from core.admin import ReasonForm, ServicePage
from core.admin.display import amount_text, url_of
from core.admin.fields import DecimalTextField
from jackpots.enums import BoostStatus, InstanceStatus
from jackpots.models import Boost, Instance
from jackpots.selectors import read_meters
from jackpots.services import boosts


class BoostForm(ReasonForm):
    """Which pot, how much, and why."""

    pot = forms.ChoiceField()
    amount = DecimalTextField(help_text="House money, in the currency of the instance.")
    field_order = ("pot", "amount", "reason")

    def __init__(self, data: Any, *, instance: Instance) -> None:
        super().__init__(data)
        names = list(instance.pots.order_by("position").values_list("name", flat=True))
        self.fields["pot"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]
        self.fields["amount"].label = f"Amount in {instance.currency}"


class RequestBoostPage(ServicePage[Instance]):
    """Ask for house money for a pot."""

    name = "boost"
    permission = "jackpots.request_boost"
    verb = "Request a boost"
    icon = "add_circle"

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Request a boost of {self.subject}"

    def obstacle(self) -> str:
        """Refuse what does not run."""
        if self.subject.status == InstanceStatus.ACTIVE:
            return ""
        return (
            f"{self.subject} is {self.subject.get_status_display().lower()}: only the pots of an "
            "active instance can be boosted."
        )

    def consequences(self) -> list[str]:
        """Say what will happen."""
        subject = self.subject
        meters = read_meters(instance_ids=[subject.pk])[subject.pk]
        values = [f"{each.name} {amount_text(each.value, subject.currency)}" for each in meters]
        days = boosts.BOOST_VALID_FOR.days
        return [
            f"At this instant the pots hold: {', '.join(values)}.",
            (
                f"The request waits for a second person, at most {days} days. Until they apply "
                "it, nothing moves."
            ),
            "Once applied, the pot grows by the amount at once, and the house bears it.",
            "What goes beyond a pot's ceiling is kept in its reserve.",
        ]

    def make_form(self, data: Any) -> BoostForm:
        """Return the form with the instance's pots."""
        return BoostForm(data, instance=self.subject)

    def call(self, form: Any) -> str:
        """Ask for it."""
        given = form.cleaned_data
        with transaction.atomic(durable=True):
            self.requested = boosts.request_boost(
                operator=self.subject.operator,
                instance_id=self.subject.pk,
                pot_name=given["pot"],
                amount=given["amount"],
                reason=given["reason"],
                actor=self.actor,
                now=self.now,
            )
        amount = amount_text(given["amount"], self.subject.currency)
        return f"A boost of {given['pot']} by {amount} was requested. A second person decides."

    def conclude(self, done: str) -> HttpResponse:
        """Lead to the request, for whoever may see it."""
        if not self.request.user.has_perm("jackpots.view_boost"):
            return super().conclude(done)
        messages.success(self.request, done)
        return HttpResponseRedirect(url_of("jackpots.boost", self.requested.pk))


class _BoostDecisionPage(DecisionPage[Boost]):
    """A decision about the request for a boost."""

    permission = "jackpots.approve_boost"
    waiting = BoostStatus.REQUESTED

    @property
    def title(self) -> str:
        """Say what the page does: "Apply: 500.00 EUR into main of Daily"."""
        return f"{self.verb}: {self.amount} into {self.subject.pot} of {self.subject.pot.instance}"

    @property
    def amount(self) -> str:
        """Return what was asked for."""
        return amount_text(self.subject.amount, self.subject.pot.instance.currency)

    @property
    def is_own(self) -> bool:
        """Tell whether the person asked for it."""
        boost = self.subject
        asked_by = (boost.requested_by_kind, boost.requested_by_ref)
        return asked_by == (self.actor.kind, self.actor.ref)

    @property
    def fingerprint(self) -> str:
        """Return what the decision is bound to."""
        return boosts.fingerprint_of_boost(boost=self.subject)

    def obstacle(self) -> str:
        """Refuse what has been decided."""
        if self.is_waiting:
            return ""
        return f"The boost has been {self.subject.get_status_display().lower()} already."


class ApplyBoostPage(Approving, _BoostDecisionPage):
    """Put the money into the pot."""

    name = "apply"
    verb = "Apply"

    def obstacle(self) -> str:
        """Refuse whoever asked for it, what is too old, and what no longer runs."""
        if known := super().obstacle():
            return known
        if self.is_own:
            return "You asked for this boost yourself, so somebody else has to apply it."
        if self.subject.expires_at <= self.now:
            return "The request is too old to be applied. It can be rejected, and asked for again."
        instance = self.subject.pot.instance
        if instance.status != InstanceStatus.ACTIVE:
            return f"{instance} is {instance.get_status_display().lower()}: it takes no boosts."
        return ""

    def consequences(self) -> list[str]:
        """Say what will happen."""
        boost = self.subject
        instance = boost.pot.instance
        meters = read_meters(instance_ids=[instance.pk])[instance.pk]
        value = next(each.value for each in meters if each.position == boost.pot.position)
        return [
            (
                f"{self.amount} of house money goes into {boost.pot}, which holds "
                f"{amount_text(value, instance.currency)} at this instant."
            ),
            "Players see it at once. It cannot be taken out again.",
            "A pot that passes its hidden amount with it drops at the next contribution.",
        ]

    def call(self, form: Any) -> str:
        """Apply it."""
        with transaction.atomic(durable=True):
            boosts.apply_boost(boost_id=self.subject.pk, **self.decision(form))
        return f"{self.amount} was put into {self.subject.pot}."


class RejectBoostPage(Rejecting, _BoostDecisionPage):
    """Decide that the money is not put in."""

    def consequences(self) -> list[str]:
        """Say what will happen."""
        told = [f"{self.amount} is not put into {self.subject.pot}. Nothing has moved, or moves."]
        if self.is_own:
            told.append("You asked for it yourself, so it is recorded as withdrawn by you.")
        return [*told, "The request cannot be opened again; a new one can be made."]

    def call(self, form: Any) -> str:
        """Reject it."""
        with transaction.atomic(durable=True):
            boosts.reject_boost(boost_id=self.subject.pk, **self.decision(form))
        return "The boost was rejected."
