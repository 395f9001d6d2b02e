"""The limits of terms: added, changed and removed through pages of their own."""

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.enums import ActionVariant

from core.admin import NamedRowsAdmin, ReasonForm, ServicePage
from core.admin.display import instant, list_url, object_link
from core.admin.fields import DecimalTextField
from core.money import format_decimal
from operators.models import Operator
from simulations.admin.simulating import simulate_view
from simulations.models import LABEL_LENGTH_MAX, TermsLimits
from simulations.services import limits

_CHANGE = "simulations.change_termslimits"
_WARNS_ONLY = (
    "Simulations, and the pages of templates and promos, warn of terms above it. Nothing is "
    "refused."
)


def _multiple_field() -> DecimalTextField:
    return DecimalTextField(
        label="Wager the bonus so many times at most",
        digits=5,
        above=Decimal(0),
        help_text="With 10: a bonus of 100 may have to be wagered 1000 at most.",
    )


class AddLimitsForm(ReasonForm):
    """What terms may ask for in one market."""

    operator = forms.ModelChoiceField(
        queryset=Operator.objects.order_by("name"), empty_label="Choose an operator"
    )
    label = forms.CharField(
        max_length=LABEL_LENGTH_MAX,
        label="Market",
        help_text="Warnings begin with it.",
        widget=forms.TextInput(attrs={"placeholder": "Great Britain"}),
    )
    wagering_multiple_max = _multiple_field()
    field_order = ("operator", "label", "wagering_multiple_max", "reason")


class ChangeLimitsForm(ReasonForm):
    """What terms may ask for from now on."""

    wagering_multiple_max = _multiple_field()
    field_order = ("wagering_multiple_max", "reason")


class AddLimitsPage(ServicePage[None]):
    """Say what terms may ask for in one market."""

    name = "add"
    permission = _CHANGE
    verb = "Add limits"
    form_class = AddLimitsForm

    @property
    def title(self) -> str:
        """Say what the page does."""
        return "Add limits of terms"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [_WARNS_ONLY]

    def call(self, form: AddLimitsForm) -> str:
        """Add them."""
        cleaned = form.cleaned_data
        added = limits.add_terms_limits(
            operator=cleaned["operator"],
            label=cleaned["label"],
            wagering_multiple_max=cleaned["wagering_multiple_max"],
            reason=cleaned["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"{added} was added: {_told(added)}."


class EditLimitsPage(ServicePage[TermsLimits]):
    """Change what terms may ask for in one market."""

    name = "edit"
    permission = _CHANGE
    verb = "Edit"
    icon = "edit"
    form_class = ChangeLimitsForm

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Change the limits for {self.subject}"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [_WARNS_ONLY]

    def make_form(self, data: Any) -> ChangeLimitsForm:
        """Return the form with the limit as it is."""
        initial = {"wagering_multiple_max": self.subject.wagering_multiple_max}
        return ChangeLimitsForm(data, initial=initial)

    def call(self, form: ChangeLimitsForm) -> str:
        """Change it."""
        changed = limits.change_terms_limits(
            operator=self.subject.operator,
            limits_id=self.subject.pk,
            wagering_multiple_max=form.cleaned_data["wagering_multiple_max"],
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"{changed}: {_told(changed)}."


class RemoveLimitsPage(ServicePage[TermsLimits]):
    """Warn of one market no more."""

    name = "remove"
    permission = _CHANGE
    verb = "Remove"
    icon = "delete"
    variant = ActionVariant.DANGER
    is_dangerous = True

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Remove the limits for {self.subject}"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            f"Nothing warns of terms above {_told(self.subject)} any more.",
            "The audit trail keeps what the limits were.",
        ]

    def call(self, form: Any) -> str:
        """Remove them."""
        name = str(self.subject)
        limits.remove_terms_limits(
            operator=self.subject.operator,
            limits_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"The limits for {name} were removed."

    def conclude(self, done: str) -> HttpResponse:
        """Lead to the list: the row is gone."""
        if not self.model_admin.has_view_permission(self.request):
            return super().conclude(done)
        messages.success(self.request, done)
        return HttpResponseRedirect(list_url("simulations.termslimits"))


@admin.register(TermsLimits)
class TermsLimitsAdmin(NamedRowsAdmin):
    """Look at the limits of terms; change them through their own pages, and simulate terms."""

    list_display = ("label", "limit", "operator", "added")
    list_filter = (("operator", RelatedDropdownFilter),)
    list_select_related = ("operator",)
    search_fields = ("label",)
    search_help_text = "Search by market or id"
    fieldsets: ClassVar = [
        ("Limits", {"fields": ["label", "limit", "operator_link", "added"]}),
    ]
    add_page = AddLimitsPage
    pages = (EditLimitsPage, RemoveLimitsPage)
    empty_icon = "speed"
    empty_text = (
        "Some markets limit how often a bonus may have to be wagered: in Great Britain ten times. "
        "Add the limits that the operator is bound by, and terms above them are warned of."
    )

    def get_urls(self) -> list[URLPattern]:
        """Return the model's addresses, the simulator's first."""
        view = self.admin_site.admin_view(simulate_view)
        return [
            path("simulate/", view, name="simulations_termslimits_simulate"),
            *super().get_urls(),
        ]

    @admin.display(description="Wager the bonus at most")
    def limit(self, limits: TermsLimits) -> str:
        """Return the largest multiple."""
        return _told(limits)

    @admin.display(description="Operator")
    def operator_link(self, limits: TermsLimits) -> str:
        """Return a link to the operator."""
        return object_link(limits.operator)

    @admin.display(description="Added")
    def added(self, limits: TermsLimits) -> str:
        """Return since when there are limits."""
        return instant(limits.created_at)


def _told(limits: TermsLimits) -> str:
    return f"{format_decimal(limits.wagering_multiple_max)} ×"
