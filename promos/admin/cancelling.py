"""Cancelling a claim: every choice says what it takes before anybody presses anything."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpResponse
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminRadioSelectWidget

from approvals.admin.asking import AskingPage, limit_sentences
from approvals.enums import Limit
from approvals.models import Approval
from core.admin import ReasonForm
from core.admin.display import amount_text
from core.admin.fields import DecimalTextField
from promos import rules
from promos.admin.display import usd
from promos.models import UserPromo
from promos.services import clawbacks
from wallets.selectors import get_balances

_BY_RULE = "rule"
_NOTHING = "nothing"
_CUSTOM = "custom"
_ZERO = Decimal(0)
#: Taking another amount than the rule takes: what the operator's limit is about.
_CHOOSE = "promos.claw_back_userpromo"


@dataclass(frozen=True, slots=True)
class Preview:
    """What cancelling by rule takes at this instant, and what an amount of choice may be."""

    taken: Decimal
    shortfall: Decimal
    balance: Decimal
    currency: str
    is_given: bool

    def text(self, amount: Decimal) -> str:
        """Return an amount of the bonus's currency for people."""
        return amount_text(amount, self.currency)


def preview_of(user_promo: UserPromo) -> Preview:
    """Return what cancelling the claim would take now; the service decides again, and locks."""
    currency = user_promo.bonus_currency
    balance = sum(
        (each.main for each in get_balances(player=user_promo.player) if each.currency == currency),
        _ZERO,
    )
    due = rules.due_to_claw_back(
        bonus_amount=user_promo.bonus_amount,
        wagered_usd=user_promo.wagered_usd_amount,
        target_usd=user_promo.target_usd_amount,
    )
    taken = min(due, balance)
    return Preview(taken, due - taken, balance, currency, user_promo.bonus_amount is not None)


class CancelClaimForm(ReasonForm):
    """What is taken back, and why."""

    choice = forms.ChoiceField(
        required=False,
        label="Take back",
        initial=_BY_RULE,
        widget=UnfoldAdminRadioSelectWidget,
    )
    custom_decrease_amount = DecimalTextField(required=False, label="Amount")
    field_order = ("choice", "custom_decrease_amount", "reason")

    def __init__(self, data: Any, *, preview: Preview, may_choose: bool) -> None:
        super().__init__(data)
        shortfall = f", {preview.text(preview.shortfall)} is not there" if preview.shortfall else ""
        choices = [
            (_BY_RULE, f"By the rule: takes {preview.text(preview.taken)}{shortfall}"),
            (_NOTHING, f"Nothing: takes {preview.text(_ZERO)}"),
        ]
        if preview.is_given and may_choose:
            choices.append(
                (_CUSTOM, f"Another amount: takes it, {preview.text(preview.balance)} at most")
            )
            self.fields["custom_decrease_amount"].help_text = (
                f"In {preview.currency}, only for “another amount”. "
                f"The main balance is {preview.text(preview.balance)}."
            )
        else:
            del self.fields["custom_decrease_amount"]
        self.fields["choice"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Require an amount exactly where one is chosen."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        amount = cleaned.get("custom_decrease_amount")
        if "custom_decrease_amount" in self.fields and not self.errors:
            if cleaned.get("choice") == _CUSTOM and amount is None:
                self.add_error("custom_decrease_amount", "Say how much.")
            elif cleaned.get("choice") != _CUSTOM and amount is not None:
                self.add_error(
                    "custom_decrease_amount", "Leave this empty, or choose “another amount”."
                )
        return cleaned

    def decrease(self) -> Decimal | None:
        """Return what to take; null for what the rule takes."""
        if self.cleaned_data["choice"] == _NOTHING:
            return _ZERO
        amount: Decimal | None = self.cleaned_data.get("custom_decrease_amount")
        return amount


class CancelClaimPage(AskingPage[UserPromo]):
    """End an open claim."""

    name = "cancel"
    permission = "promos.cancel_userpromo"
    verb = "Cancel claim"
    icon = "cancel"
    variant = ActionVariant.DANGER
    is_dangerous = True
    template = "admin/promos/cancel.html"

    @property
    def may_choose(self) -> bool:
        """Tell whether the person may take another amount than the rule takes."""
        return self.request.user.has_perm(_CHOOSE)

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Cancel {self.subject.code} of {self.subject.player}"

    def obstacle(self) -> str:
        """Refuse what has ended."""
        claim = self.subject
        if not claim.is_open:
            return f"The claim is {claim.get_status_display().lower()}: it has ended."
        if claim.is_overdue(now=self.now):
            return "The claim's time is up: it expires within a minute, by the rule."
        return ""

    def consequences(self) -> list[str]:
        """Say what will happen."""
        claim = self.subject
        if claim.target_usd_amount is None:
            state = "It waits for its deposit: no bonus was given, so there is nothing to take."
        elif claim.is_wagered:
            state = "The target is met, so the rule takes nothing."
        else:
            bonus = amount_text(claim.bonus_amount, claim.bonus_currency)
            state = (
                f"{usd(claim.wagered_usd_amount)} of {usd(claim.target_usd_amount)} is wagered, so "
                f"the rule takes the bonus of {bonus} "
                "as far as the main balance holds it."
            )
        limits: list[str] = []
        if claim.bonus_amount is not None and self.may_choose:
            limits = limit_sentences(claim.operator, Limit.CLAWBACK, "An amount of choice")
        return [
            state,
            *limits,
            "The player may then withdraw, tip and bet freely, unless a withdrawal lock runs.",
            "A cancelled claim cannot be opened again, nor the promo claimed again by the player.",
        ]

    def make_form(self, data: Any) -> CancelClaimForm:
        """Return the form, whose choices say what each takes."""
        preview = preview_of(self.subject)
        return CancelClaimForm(data, preview=preview, may_choose=self.may_choose)

    def show(self, form: Any, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page with what each choice would take now."""
        preview = preview_of(self.subject)
        context.update(
            by_rule=preview.text(preview.taken),
            shortfall=preview.text(preview.shortfall) if preview.shortfall else "",
            nothing=preview.text(_ZERO),
            most=preview.text(preview.balance) if preview.is_given and self.may_choose else "",
        )
        return super().show(form, status=status, **context)

    def call(self, form: CancelClaimForm) -> str:
        """Cancel the claim, or ask for it."""
        claim = clawbacks.cancel_or_ask(
            operator=self.subject.operator,
            user_promo_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            custom_decrease_amount=form.decrease(),
            actor=self.actor,
            now=self.now,
        )
        if isinstance(claim, Approval):
            return self.ask(claim)
        taken = amount_text(claim.clawback_amount, claim.bonus_currency)
        if claim.clawback_shortfall:
            missing = amount_text(claim.clawback_shortfall, claim.bonus_currency)
            return f"The claim was cancelled. {taken} was taken, {missing} was not there."
        return f"The claim was cancelled. {taken} was taken."
