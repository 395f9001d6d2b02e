"""What the staff of each operator may do alone: seen, and set, on pages of their own."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from approvals.admin.protections import (
    Change,
    ProtectionForm,
    ProtectionPage,
    change_of_limit,
)
from approvals.models import ApprovalSettings
from approvals.rules import VALID_HOURS_MAX
from approvals.selectors import get_settings
from approvals.services.settings import put_approval_settings
from core.admin import Panel, ReadOnlyAdmin, panel_on
from core.admin.display import amount_text, object_link, url_of
from core.admin.fields import DecimalTextField
from operators.models import Operator

_NEVER = "Never: one person is enough"
_FIELDS = ("clawback_above", "manual_grant_above", "live_terms", "valid_hours")
_CLAWBACKS = "Custom clawbacks"
_GIFTS = "Bonuses given, and pots dropped, by hand"
_TERMS = "New terms of running jackpots"


class LimitsForm(ProtectionForm):
    """From what on it takes two people."""

    clawback_above = DecimalTextField(required=False, label="Custom clawbacks above")
    manual_grant_above = DecimalTextField(
        required=False, label="Bonuses given, and pots dropped, by hand above"
    )
    live_terms = forms.BooleanField(
        required=False, label="New terms of running jackpots take two people"
    )
    valid_hours = forms.IntegerField(
        label="Hours in which a request can be approved",
        min_value=1,
        max_value=VALID_HOURS_MAX,
        help_text=f"From 1 to {VALID_HOURS_MAX}. What waits already keeps its own.",
    )
    field_order: tuple[str, ...] = (*_FIELDS, "reason")

    def __init__(self, data: Any, *, settings: ApprovalSettings | None) -> None:
        super().__init__(data)
        currency = "the operator's base currency"
        if settings is not None:
            currency = settings.operator.base_currency
        for name in ("clawback_above", "manual_grant_above"):
            self.fields[name].help_text = f"In {currency}. Leave it empty for never."
        shown = settings or ApprovalSettings()
        for name in _FIELDS:
            self.fields[name].initial = getattr(shown, name)


class NewLimitsForm(LimitsForm):
    """Whose limits, too."""

    operator = forms.ModelChoiceField(
        queryset=Operator.objects.order_by("name"), empty_label="Choose an operator"
    )
    field_order = ("operator", *_FIELDS, "reason")


class _LimitsPage(ProtectionPage):
    """Set what one person may do alone."""

    permission = "approvals.change_approvalsettings"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            "From now on, what staff want above this is a request that somebody else decides.",
            (
                "What is worth exactly a limit is not above it. Without an exchange rate nobody "
                "knows what something is worth, so it waits."
            ),
            "The operator's own systems (API keys) are not limited by this.",
        ]

    def operator_of(self, form: Any) -> Operator:
        """Return whose limits the form is about."""
        raise NotImplementedError

    def changes(self, form: Any) -> list[Change]:
        """Return what the form would change, compared with what holds now."""
        operator, given = self.operator_of(form), form.cleaned_data
        held = get_settings(operator=operator)
        told = {"currency": operator.base_currency, "never": "never"}
        changed = [
            *change_of_limit(_CLAWBACKS, held.clawback_above, given["clawback_above"], **told),
            *change_of_limit(_GIFTS, held.manual_grant_above, given["manual_grant_above"], **told),
        ]
        if held.live_terms != given["live_terms"]:
            words = ("two people", "one person")
            before, after = words if held.live_terms else reversed(words)
            changed.append(Change(_TERMS, before, after, is_off=held.live_terms))
        if held.valid_hours != given["valid_hours"]:
            before, after = (f"{each} hours" for each in (held.valid_hours, given["valid_hours"]))
            changed.append(Change("Requests can be approved within", before, after))
        return changed

    def call(self, form: Any) -> str:
        """Set them."""
        operator = self.operator_of(form)
        given = form.cleaned_data
        put_approval_settings(
            operator=operator,
            clawback_above=given["clawback_above"],
            manual_grant_above=given["manual_grant_above"],
            live_terms=given["live_terms"],
            valid_hours=given["valid_hours"],
            reason=given["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"The limits of {operator} were set."


class AddLimitsPage(_LimitsPage):
    """Set the limits of an operator for which the defaults have held."""

    name = "add"
    verb = "Set limits"

    @property
    def title(self) -> str:
        """Say what the page does."""
        return "Set the approval limits of an operator"

    def make_form(self, data: Any) -> NewLimitsForm:
        """Return the form with the operator that the address names."""
        form = NewLimitsForm(data, settings=None)
        form.fields["operator"].initial = self.request.GET.get("operator")
        return form

    def operator_of(self, form: Any) -> Operator:
        """Return the operator that was chosen."""
        operator: Operator = form.cleaned_data["operator"]
        return operator


class EditLimitsPage(_LimitsPage):
    """Set other limits."""

    name = "edit"
    verb = "Edit"
    icon = "edit"

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Approval limits of {self.subject.operator}"

    def make_form(self, data: Any) -> LimitsForm:
        """Return the form with what holds."""
        return LimitsForm(data, settings=self.subject)

    def operator_of(self, form: Any) -> Operator:
        """Return the operator that the limits are of."""
        operator: Operator = self.subject.operator
        return operator


@admin.register(ApprovalSettings)
class ApprovalSettingsAdmin(ReadOnlyAdmin):
    """Look at the limits that were set; set others through their own page."""

    list_display = ("operator", "clawbacks", "grants_by_hand", "terms", "hours")
    list_select_related = ("operator",)
    fieldsets: ClassVar = [
        (
            "It takes two people",
            {"fields": ["operator_link", "clawbacks", "grants_by_hand", "terms", "hours"]},
        ),
    ]
    add_page = AddLimitsPage
    pages = (EditLimitsPage,)
    empty_icon = "rule_settings"
    empty_text = (
        "No operator has limits of its own, so the defaults hold: it takes two people above 500 "
        "of the base currency, and for new terms of running jackpots."
    )

    @admin.display(description=_CLAWBACKS)
    def clawbacks(self, settings: ApprovalSettings) -> str:
        """Return above what a custom clawback waits."""
        return _above(settings.clawback_above, settings)

    @admin.display(description=_GIFTS)
    def grants_by_hand(self, settings: ApprovalSettings) -> str:
        """Return above what a bonus given, or a pot dropped, by hand waits."""
        return _above(settings.manual_grant_above, settings)

    @admin.display(description=_TERMS)
    def terms(self, settings: ApprovalSettings) -> str:
        """Return whether new terms of a running jackpot wait."""
        return "Always" if settings.live_terms else _NEVER

    @admin.display(description="To be approved within")
    def hours(self, settings: ApprovalSettings) -> str:
        """Return for how long requests can be approved."""
        return f"{settings.valid_hours} hours"

    @admin.display(description="Operator")
    def operator_link(self, settings: ApprovalSettings) -> str:
        """Return a link to the operator."""
        return object_link(settings.operator)


@panel_on("operators.operator")
def limits_panel(request: HttpRequest, operator: Operator, now: datetime) -> Panel | None:
    """Return what the operator's staff may do alone, on the operator's page."""
    if not request.user.has_perm("approvals.view_approvalsettings"):
        return None
    settings = get_settings(operator=operator)
    # Nothing is stored while the defaults hold.
    is_default = settings._state.adding
    context: dict[str, Any] = {
        "rows": [
            (_CLAWBACKS, _above(settings.clawback_above, settings)),
            (_GIFTS, _above(settings.manual_grant_above, settings)),
            (_TERMS, "Always" if settings.live_terms else _NEVER),
            ("Requests can be approved within", f"{settings.valid_hours} hours"),
        ],
        "is_default": is_default,
    }
    if request.user.has_perm(_LimitsPage.permission):
        context["url"] = (
            f"{reverse('admin:approvals_approvalsettings_add')}?operator={operator.pk}"
            if is_default
            else url_of("approvals.approvalsettings", operator.pk)
        )
    return Panel("What takes two people", "admin/backoffice/panels/settings.html", context)


def _above(amount: Decimal | None, settings: ApprovalSettings) -> str:
    if amount is None:
        return _NEVER
    return f"Above {amount_text(amount, settings.operator.base_currency)}"
