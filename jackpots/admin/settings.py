"""How each operator runs jackpots: seen, and set, on pages of their own."""

from datetime import datetime
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
from core.admin import Panel, ReadOnlyAdmin, panel_on
from core.admin.display import amount_text, object_link, url_of
from core.admin.fields import DecimalTextField
from jackpots.models import JackpotSettings
from jackpots.rules.approval import WIN_APPROVAL_ABOVE
from jackpots.selectors import get_jackpot_settings
from jackpots.services.settings import put_jackpot_settings
from operators.models import Operator

_CHANGE = "jackpots.change_jackpotsettings"


class SettingsForm(ProtectionForm):
    """Above what a win waits for somebody; that none waits has to be said."""

    wins = forms.ChoiceField(
        label="Wins wait for approval",
        choices=[("", "Choose"), ("above", "Those above an amount"), ("never", "Never")],
    )
    win_approval_above = DecimalTextField(required=False, label="The amount")
    field_order: tuple[str, ...] = ("wins", "win_approval_above", "reason")

    def __init__(self, data: Any, *, settings: JackpotSettings | None) -> None:
        super().__init__(data)
        amount = self.fields["win_approval_above"]
        currency = "the operator's base currency"
        if settings is not None:
            currency = settings.operator.base_currency
            amount.initial = settings.win_approval_above
            self.fields["wins"].initial = "never" if amount.initial is None else "above"
        amount.help_text = f"In {currency}. With 0 every win waits."

    def clean(self) -> dict[str, Any]:
        """Refuse a choice that the amount does not belong to."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if "win_approval_above" in given and "wins" in given:
            has_amount = given["win_approval_above"] is not None
            if given["wins"] == "above" and not has_amount:
                self.add_error("win_approval_above", "Say above what.")
            if given["wins"] == "never" and has_amount:
                self.add_error("win_approval_above", "Leave it empty: no win waits.")
        return given


class NewSettingsForm(SettingsForm):
    """Whose settings, too."""

    operator = forms.ModelChoiceField(
        queryset=Operator.objects.order_by("name"), empty_label="Choose an operator"
    )
    field_order = ("operator", "wins", "win_approval_above", "reason")


class _SettingsPage(ProtectionPage):
    """Set above what a win waits."""

    permission = _CHANGE

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            "Wins found from now on that are above it are paid when somebody has approved them.",
            (
                "A win of exactly this is not above it. Without an exchange rate nobody knows "
                "what a win is worth, so it waits."
            ),
            (
                "A pot that staff drop by hand is something given by hand: the approval limit of "
                "bonuses by hand holds for it, too, whatever is set here."
            ),
            "Wins that wait already go on waiting.",
        ]

    def operator_of(self, form: Any) -> Operator:
        """Return whose settings the form is about."""
        raise NotImplementedError

    def changes(self, form: Any) -> list[Change]:
        """Return what the form would change, compared with what holds now."""
        operator = self.operator_of(form)
        return change_of_limit(
            "Wins wait for approval",
            get_jackpot_settings(operator=operator).win_approval_above,
            form.cleaned_data["win_approval_above"],
            currency=operator.base_currency,
            never="never",
        )

    def call(self, form: Any) -> str:
        """Set it."""
        operator = self.operator_of(form)
        put_jackpot_settings(
            operator=operator,
            win_approval_above=form.cleaned_data["win_approval_above"],
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"The jackpot settings of {operator} were set."


class AddSettingsPage(_SettingsPage):
    """Set up an operator for which the default has held."""

    name = "add"
    verb = "Set up"

    @property
    def title(self) -> str:
        """Say what the page does."""
        return "Set which wins of an operator wait for approval"

    def make_form(self, data: Any) -> NewSettingsForm:
        """Return the form with the operator that the address names."""
        form = NewSettingsForm(data, settings=None)
        form.fields["operator"].initial = self.request.GET.get("operator")
        return form

    def operator_of(self, form: Any) -> Operator:
        """Return the operator that was chosen."""
        operator: Operator = form.cleaned_data["operator"]
        return operator


class EditSettingsPage(_SettingsPage):
    """Set another threshold."""

    name = "edit"
    verb = "Edit"
    icon = "edit"

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Jackpot settings of {self.subject.operator}"

    def make_form(self, data: Any) -> SettingsForm:
        """Return the form with what holds."""
        return SettingsForm(data, settings=self.subject)

    def operator_of(self, form: Any) -> Operator:
        """Return the operator that the settings are of."""
        operator: Operator = self.subject.operator
        return operator


@admin.register(JackpotSettings)
class JackpotSettingsAdmin(ReadOnlyAdmin):
    """Look at how operators run jackpots; set it through a page of its own."""

    list_display = ("operator", "waits")
    list_select_related = ("operator",)
    fieldsets: ClassVar = [("Jackpots", {"fields": ["operator_link", "waits"]})]
    add_page = AddSettingsPage
    pages = (EditSettingsPage,)
    empty_icon = "tune"
    empty_text = (
        "No operator has jackpot settings of its own, so the default holds: a win above "
        f"{WIN_APPROVAL_ABOVE:,} of the base currency waits for somebody's approval."
    )

    @admin.display(description="Wins wait for approval")
    def waits(self, settings: JackpotSettings) -> str:
        """Return above what a win waits."""
        return _above(settings)

    @admin.display(description="Operator")
    def operator_link(self, settings: JackpotSettings) -> str:
        """Return a link to the operator."""
        return object_link(settings.operator)


@panel_on("operators.operator")
def settings_panel(request: HttpRequest, operator: Operator, now: datetime) -> Panel | None:
    """Return how the operator runs jackpots, on the operator's page."""
    if not request.user.has_perm("jackpots.view_jackpotsettings"):
        return None
    settings = get_jackpot_settings(operator=operator)
    # Nothing is stored while the defaults hold.
    is_default = settings._state.adding
    context: dict[str, Any] = {
        "rows": [("Wins wait for approval", _above(settings))],
        "is_default": is_default,
    }
    if request.user.has_perm(_CHANGE):
        context["url"] = (
            f"{reverse('admin:jackpots_jackpotsettings_add')}?operator={operator.pk}"
            if is_default
            else url_of("jackpots.jackpotsettings", operator.pk)
        )
    return Panel("Jackpots", "admin/backoffice/panels/settings.html", context)


def _above(settings: JackpotSettings) -> str:
    if settings.win_approval_above is None:
        return "Never, however large they are"
    return f"Above {amount_text(settings.win_approval_above, settings.operator.base_currency)}"
