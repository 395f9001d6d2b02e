"""A bonus given to one player by hand, and issuances that somebody hurries or gives up."""

import hashlib
import json
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone
from unfold.enums import ActionVariant

from approvals.admin.asking import AskingPage, above_sentence, limit_sentences
from approvals.enums import Limit
from approvals.models import Approval
from approvals.selectors import get_limit, is_worth_more
from bonuses.admin.display import gift_sentence, hours_text, wagering_sentence
from bonuses.enums import IssuanceStatus
from bonuses.errors import AdapterRejected, AdapterUnavailable
from bonuses.models import BonusIssuance, BonusTemplate
from bonuses.ports import get_adapters
from bonuses.rules.costs import stated_worth
from bonuses.selectors import get_issuance
from bonuses.services import issuing, manual_grants
from bonuses.services.requests import BonusRequest
from core.admin import ReasonForm, ServicePage
from core.admin.display import instant_text, url_of
from core.admin.fields import DecimalTextField
from core.idempotency import IdempotencyKey
from players.rules import REFERENCE_LENGTH_MAX


class IssueForm(ReasonForm):
    """Who gets the bonus, for which deposit if it matches one, and why."""

    player_id = forms.CharField(
        max_length=REFERENCE_LENGTH_MAX,
        label="Player",
        help_text="The id by which the operator knows the player.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    deposit_amount = DecimalTextField(
        required=False,
        label="Deposit",
        help_text="The deposit that is matched, in the player's currency.",
    )
    await_deposit = forms.BooleanField(
        required=False, label="Offer it: the player's next deposit that qualifies is matched"
    )
    field_order = ("player_id", "deposit_amount", "await_deposit", "reason")

    def __init__(self, data: Any, *, template: BonusTemplate) -> None:
        super().__init__(data)
        if not template.needs_deposit:
            del self.fields["deposit_amount"], self.fields["await_deposit"]

    def clean(self) -> dict[str, Any]:
        """Require a deposit, or an offer for the next one, where the bonus matches one."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "deposit_amount" in self.fields and "deposit_amount" not in self.errors:
            has_amount = cleaned.get("deposit_amount") is not None
            if has_amount and cleaned.get("await_deposit"):
                self.add_error("deposit_amount", "Leave this empty for an offer.")
            elif not has_amount and not cleaned.get("await_deposit"):
                self.add_error("deposit_amount", "Say which deposit is matched, or offer it.")
        return cleaned


class IssueFromTemplatePage(AskingPage[BonusTemplate]):
    """Give the template's bonus to one player."""

    name = "issue"
    permission = "bonuses.issue_bonusgrant"
    verb = "Issue to a player"
    prefilled = ("player_id",)
    icon = "redeem"
    variant = ActionVariant.PRIMARY

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Issue {self.subject} to a player"

    def obstacle(self) -> str:
        """Refuse a template that is switched off."""
        return "" if self.subject.is_active else f"{self.subject} is switched off."

    def consequences(self) -> list[str]:
        """Say what will happen."""
        template = self.subject
        adapter = get_adapters().default_adapter(operator=template.operator)
        gift = gift_sentence(template.type, template.config, template.currency)
        wagering = wagering_sentence(template.wagering_multiplier, template.wagering_basis)
        told = [*self.limits(), f"The player gets: {gift}.", f"To wager: {wagering}."]
        if template.time_limit_hours is not None:
            told.append(f"It expires {hours_text(template.time_limit_hours)} after it is granted.")
        if adapter.is_internal:
            told.append("Our own ledger is credited: the bonus can be bet at once.")
        else:
            told.append(
                f"The platform of {adapter.slug} is asked now. If it does not answer, it is asked "
                "again until it does."
            )
        return told

    def limits(self) -> list[str]:
        """Say above what it waits for a second person; of a stated amount, whether it does."""
        template, operator = self.subject, self.subject.operator
        above = get_limit(operator=operator, limit=Limit.MANUAL_GRANT)
        worth = stated_worth(template=template)
        if above is None or worth is None:
            return limit_sentences(operator, Limit.MANUAL_GRANT, "A bonus")
        is_above = is_worth_more(
            operator=operator,
            amount=worth.amount,
            currency=worth.currency,
            than=above,
            now=self.now,
        )
        return [above_sentence(above, operator)] if is_above else []

    def make_form(self, data: Any) -> IssueForm:
        """Return the form of the type."""
        return IssueForm(data, template=self.subject)

    def call(self, form: IssueForm) -> str:
        """Issue the bonus, once for this form, or ask for it."""
        request = BonusRequest(
            template_id=self.subject.pk,
            player_reference=form.cleaned_data["player_id"],
            idempotency_key=f"backoffice:{form.cleaned_data.get('form_token') or uuid.uuid4()}",
            deposit_amount=form.cleaned_data.get("deposit_amount"),
            is_offer=form.cleaned_data.get("await_deposit", False),
            granted_by={"kind": "staff", "ref": self.actor.ref},
            references={"reason": form.cleaned_data["reason"]},
            reason=form.cleaned_data["reason"],
        )
        try:
            issued = manual_grants.issue_or_ask(
                operator=self.subject.operator,
                request=request,
                key=_key_of(request),
                actor=self.actor,
                clock=timezone.now,
            )
        except AdapterRejected as error:
            said = error.members.get("platform_code") or "no code"
            raise AdapterRejected(f"The platform refused the bonus: {said}.") from error
        except AdapterUnavailable as error:
            # It is written down and will be tried again: the form has done what it was for.
            self.issuance = get_issuance(
                operator=self.subject.operator,
                issuance_id=uuid.UUID(error.members["issuance_id"]),
            )
            return error.detail
        if isinstance(issued, Approval):
            return self.ask(issued)
        self.issuance = issued.issuance
        return outcome_sentence(self.issuance)

    def conclude(self, done: str) -> HttpResponse:
        """Lead to the grant; while there is none, to the issuance, or to the request for it."""
        if self.asked is not None:
            return super().conclude(done)
        return conclude_with(self, self.issuance, done)


class RetryIssuancePage(ServicePage[BonusIssuance]):
    """Ask the platform again, at once."""

    name = "retry"
    permission = "bonuses.retry_bonusissuance"
    verb = "Retry now"
    icon = "refresh"
    variant = ActionVariant.PRIMARY

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Ask the platform again for {self.subject.template} of {self.subject.player}"

    def obstacle(self) -> str:
        """Refuse what is not pending, or under way."""
        if not self.subject.is_pending:
            return f"The issuance is not pending: {_state_of(self.subject)}."
        return _under_way(self.subject, self)

    def consequences(self) -> list[str]:
        """Say what will happen."""
        tried = self.subject.attempts
        return [
            f"{self.subject.adapter_slug} is asked at once. So far it was asked {_times(tried)}.",
            "It is asked for the same grant: however often it is asked, it grants once.",
            f"By itself it would be asked {instant_text(self.subject.next_attempt_at)} UTC.",
        ]

    def call(self, form: Any) -> str:
        """Attempt it."""
        self.issuance = issuing.retry_issuance_now(
            operator=self.subject.operator,
            issuance_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            clock=timezone.now,
        )
        return outcome_sentence(self.issuance)

    def conclude(self, done: str) -> HttpResponse:
        """Lead to the grant; while there is none, to the issuance."""
        return conclude_with(self, self.issuance, done)


class GiveUpIssuancePage(ServicePage[BonusIssuance]):
    """Try no more, or wait for a deposit no more."""

    name = "give-up"
    permission = "bonuses.give_up_bonusissuance"
    verb = "Give up"
    icon = "cancel"
    variant = ActionVariant.DANGER
    is_dangerous = True

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Give up {self.subject.template} of {self.subject.player}"

    def obstacle(self) -> str:
        """Refuse what is settled, or under way."""
        if not self.subject.is_open:
            return f"The issuance is settled: {_state_of(self.subject)}."
        return _under_way(self.subject, self)

    def consequences(self) -> list[str]:
        """Say what will happen."""
        if self.subject.status == IssuanceStatus.AWAITING_DEPOSIT:
            return [
                "The offer is withdrawn: the player's next deposit is not matched by it.",
                "It does not count against the template's limit any more.",
            ]
        return [
            f"{self.subject.adapter_slug} is not asked any more, and the player gets nothing.",
            (
                "A platform that was asked is asked whether it granted it after all, and to "
                "cancel it then. Should it not answer, or have ended the bonus, you are told."
            ),
            "It does not count against the template's limit any more.",
        ]

    def call(self, form: Any) -> str:
        """Give it up."""
        issuance = issuing.give_up_issuance(
            operator=self.subject.operator,
            issuance_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            clock=timezone.now,
        )
        return outcome_sentence(issuance)


def outcome_sentence(issuance: BonusIssuance) -> str:
    """Return what became of an issuance, in words."""
    match issuance.status:
        case IssuanceStatus.SUCCEEDED:
            return f"{issuance.template} was granted to {issuance.player}."
        case IssuanceStatus.AWAITING_DEPOSIT:
            return f"{issuance.template} was offered: {issuance.player}'s next deposit arms it."
        case IssuanceStatus.REJECTED:
            return (
                f"The platform rejected it: {issuance.error_code}. {issuance.error_detail}".strip()
            )
        case IssuanceStatus.FAILED:
            return f"The issuance was given up. {issuance.error_detail}".strip()
        case _:
            again = instant_text(issuance.next_attempt_at)
            return f"There was no usable answer: {issuance.error_detail} Next attempt {again} UTC."


def conclude_with(page: ServicePage[Any], issuance: BonusIssuance, done: str) -> HttpResponse:
    """Say what was done, as good news or as a warning, and lead to the grant or the issuance."""
    is_good = issuance.status in (IssuanceStatus.SUCCEEDED, IssuanceStatus.AWAITING_DEPOSIT)
    (messages.success if is_good else messages.warning)(page.request, done)
    where = ("bonuses.bonusissuance", issuance.pk)
    if issuance.status == IssuanceStatus.SUCCEEDED:
        where = ("bonuses.bonusgrant", issuance.grant_id)
    model = where[0].partition(".")[2]
    if not page.request.user.has_perm(f"bonuses.view_{model}"):
        return HttpResponseRedirect(page.back_url())
    return HttpResponseRedirect(url_of(*where))


def _key_of(request: BonusRequest) -> IdempotencyKey:
    asked = [
        str(request.template_id),
        request.player_reference,
        str(request.deposit_amount),
        request.is_offer,
    ]
    digest = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    return IdempotencyKey(value=request.idempotency_key, fingerprint=digest)


def _state_of(issuance: BonusIssuance) -> str:
    return IssuanceStatus(issuance.status).label.lower()


def _under_way(issuance: BonusIssuance, page: ServicePage[Any]) -> str:
    if issuance.is_leased(now=page.now):
        return "An attempt is under way. Look again in some seconds."
    return ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
