"""Campaigns made, started, paused, resumed, given a budget: each says before what it does."""

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from unfold.enums import ActionVariant

from bonuses.admin.campaign_figures import progress_of
from bonuses.enums import CampaignStatus
from bonuses.errors import BonusTemplateNotActive
from bonuses.models import BonusCampaign, BonusTemplate
from bonuses.models.template import NAME_LENGTH_MAX
from bonuses.services import campaigns
from bonuses.services.previews import CampaignPreview, preview_campaign
from core.admin import ReasonForm, ServiceForm, ServicePage
from core.admin.display import amount_text, url_of
from core.admin.fields import DecimalTextField
from core.errors import DomainError
from operators.models import Operator
from players.models import Segment

_PAUSE = "bonuses.pause_bonuscampaign"


class CampaignForm(ServiceForm):
    """What is given to whom, and what it may cost."""

    name = forms.CharField(max_length=NAME_LENGTH_MAX, help_text="What staff call it.")
    template = forms.ModelChoiceField(
        queryset=BonusTemplate.objects.none(),
        empty_label="Choose a template",
        help_text="Those that are switched on.",
    )
    segment = forms.ModelChoiceField(
        queryset=Segment.objects.none(),
        empty_label="Choose a segment",
        help_text="Who belongs to it is written down when the campaign starts.",
    )
    budget_base = DecimalTextField(required=False, label="Budget")

    def __init__(self, data: Any, *, operator: Operator) -> None:
        super().__init__(data)
        choices: dict[str, Any] = {
            "template": BonusTemplate.objects.for_operator(operator).active().order_by("name"),
            "segment": Segment.objects.for_operator(operator).order_by("name"),
        }
        for name, queryset in choices.items():
            self.fields[name].queryset = queryset  # type: ignore[attr-defined]
        self.fields["budget_base"].help_text = _budget_help(operator)

    def field_of(self, pointer: str) -> str:
        """Return the field that a service means by ``pointer``."""
        return pointer.removesuffix("_id")


class BudgetForm(ReasonForm):
    """What the campaign may cost at most, and why."""

    budget_base = DecimalTextField(required=False, label="Budget")
    field_order = ("budget_base", "reason")

    def __init__(self, data: Any, *, campaign: BonusCampaign) -> None:
        super().__init__(data, initial={"budget_base": campaign.budget_base})
        self.fields["budget_base"].help_text = _budget_help(campaign.operator)


class AddCampaignPage(ServicePage[None]):
    """Make a draft: choose the operator first, whose templates and segments there are."""

    name = "add"
    permission = "bonuses.add_bonuscampaign"
    verb = "Create campaign"
    form_class = CampaignForm
    template = "admin/bonuses/campaign_form.html"
    operators_template: ClassVar[str] = "admin/bonuses/operators.html"

    @property
    def title(self) -> str:
        """Say what the page does."""
        operator = self.operator
        return "Create a campaign" if operator is None else f"Create a campaign of {operator}"

    @property
    def operator(self) -> Operator | None:
        """Return the operator that was chosen, or the only one there is."""
        chosen = self.request.GET.get("operator", "")
        if chosen.isdecimal() and len(chosen) < 19:
            return Operator.objects.filter(pk=int(chosen)).first()
        operators = list(Operator.objects.order_by("pk")[:2])
        return operators[0] if len(operators) == 1 else None

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return ["It is a draft: nobody gets anything before it is started."]

    def respond(self) -> HttpResponse:
        """Answer the request; without an operator, let the person choose one."""
        if self.operator is None and self.is_allowed():
            self.template = self.operators_template  # type: ignore[misc]
            return self.show(None, operators=Operator.objects.order_by("name"))
        return super().respond()

    def make_form(self, data: Any) -> CampaignForm:
        """Return the form with what the operator has."""
        assert self.operator is not None, "a form without an operator"
        return CampaignForm(data, operator=self.operator)

    def call(self, form: CampaignForm) -> str:
        """Create the draft."""
        assert self.operator is not None, "a form without an operator"
        self.created = campaigns.create_campaign(
            operator=self.operator,
            segment_id=form.cleaned_data["segment"].pk,
            template_id=form.cleaned_data["template"].pk,
            name=form.cleaned_data["name"],
            budget_base=form.cleaned_data["budget_base"],
            actor=self.actor,
            now=self.now,
        )
        return f"{self.created} was created. Look at its preview, then start it."

    def conclude(self, done: str) -> HttpResponse:
        """Lead to the campaign."""
        messages.success(self.request, done)
        if not self.model_admin.has_view_permission(self.request):
            return HttpResponseRedirect(self.back_url())
        return HttpResponseRedirect(url_of("bonuses.bonuscampaign", self.created.pk))


class StartCampaignPage(ServicePage[BonusCampaign]):
    """Write the audience down and issue to it."""

    name = "start"
    permission = "bonuses.start_bonuscampaign"
    verb = "Start"
    icon = "play_circle"
    variant = ActionVariant.PRIMARY
    is_dangerous = True

    def obstacle(self) -> str:
        """Refuse what has been started, or gives nothing."""
        if self.subject.status != CampaignStatus.DRAFT:
            return f"{self.subject} has been started already."
        if not self.subject.template.is_active:
            return f"Its template, {self.subject.template}, is switched off."
        return ""

    def consequences(self) -> list[str]:
        """Say how many players get it, and what that costs."""
        if self.obstacle():
            return []
        last = "It can be paused, but what has been granted is granted."
        preview = try_preview(self.subject, now=self.now)
        if isinstance(preview, str):
            return [preview, last]
        told = [
            (
                f"At this instant {_players(preview.audience_size)} in {self.subject.segment}: "
                "they are written down, and whoever joins the segment later gets nothing."
            ),
            f"{_players(preview.eligible_count, verb=False)} would get {self.subject.template}.",
            f"Estimated cost: {cost_sentence(preview)}.",
        ]
        if self.subject.budget_base is not None:
            budget = amount_text(self.subject.budget_base, preview.base_currency)
            told.append(f"The budget of {budget} pauses it before it is exceeded.")
        return [*told, last]

    def call(self, form: Any) -> str:
        """Start it."""
        with transaction.atomic(durable=True):
            campaign = campaigns.start_campaign(
                operator=self.subject.operator,
                campaign_id=self.subject.pk,
                reason=form.cleaned_data["reason"],
                actor=self.actor,
                now=self.now,
            )
        return f"{campaign} was started: {campaign.audience_size or 0:,} players."


class PauseCampaignPage(ServicePage[BonusCampaign]):
    """Let no further bonus be issued for a while."""

    name = "pause"
    permission = _PAUSE
    verb = "Pause"
    icon = "pause_circle"

    def obstacle(self) -> str:
        """Refuse what does not run."""
        if self.subject.status != CampaignStatus.ISSUING:
            return (
                f"{self.subject} is {self.subject.get_status_display().lower()}: it does not run."
            )
        return f"{self.subject} is paused already." if self.subject.is_paused else ""

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            "No further bonus is asked for, until it is resumed.",
            "Bonuses that a platform has been asked for already are still granted.",
        ]

    def call(self, form: Any) -> str:
        """Pause it."""
        campaigns.pause_campaign(
            operator=self.subject.operator,
            campaign_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"{self.subject} was paused."


class ResumeCampaignPage(ServicePage[BonusCampaign]):
    """Go on."""

    name = "resume"
    permission = _PAUSE
    verb = "Resume"
    icon = "play_circle"
    variant = ActionVariant.PRIMARY

    def obstacle(self) -> str:
        """Refuse what is not paused, or was by a budget that has not been raised."""
        if not self.subject.is_paused:
            return f"{self.subject} is not paused."
        if self.subject.pause_reason.startswith(campaigns.BUDGET_REACHED):
            return f"Raise the budget first. {self.subject.pause_reason}"
        return ""

    def consequences(self) -> list[str]:
        """Say what will happen."""
        pending = progress_of(self.subject)["pending"]
        return [f"Workers go on with the {pending} players who are pending."]

    def call(self, form: Any) -> str:
        """Resume it."""
        campaigns.resume_campaign(
            operator=self.subject.operator,
            campaign_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"{self.subject} was resumed."


class BudgetPage(ServicePage[BonusCampaign]):
    """Cap what a campaign may cost, or lift the cap."""

    name = "budget"
    permission = "bonuses.change_bonuscampaign"
    verb = "Set budget"
    icon = "account_balance_wallet"

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Set the budget of {self.subject}"

    def obstacle(self) -> str:
        """Refuse what is finished."""
        if self.subject.status == CampaignStatus.ISSUED:
            return f"{self.subject} is finished: it costs nothing more."
        return ""

    def consequences(self) -> list[str]:
        """Say what will happen."""
        committed = amount_text(self.subject.committed_base, self.subject.operator.base_currency)
        told = [f"At this instant {committed} is committed: a budget cannot be less."]
        if self.subject.is_paused:
            told.append("The campaign stays paused: resume it afterwards.")
        return told

    def make_form(self, data: Any) -> BudgetForm:
        """Return the form with the budget as it is."""
        return BudgetForm(data, campaign=self.subject)

    def call(self, form: BudgetForm) -> str:
        """Set it."""
        budget: Decimal | None = form.cleaned_data["budget_base"]
        campaigns.set_campaign_budget(
            operator=self.subject.operator,
            campaign_id=self.subject.pk,
            budget_base=budget,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        if budget is None:
            return f"{self.subject} has no budget any more: its cost is not capped."
        return (
            f"{self.subject} may cost {amount_text(budget, self.subject.operator.base_currency)}."
        )


def try_preview(campaign: BonusCampaign, *, now: Any) -> CampaignPreview | str:
    """Return what a start would come to, or a sentence that says why that is not known."""
    try:
        return preview_campaign(operator=campaign.operator, campaign_id=campaign.pk, now=now)
    except BonusTemplateNotActive:
        return "Its template is switched off: switch it on before the campaign is started."
    except DomainError as refusal:
        # Amounts that no grant could store at the rates of now, for one.
        return f"Who would get it, and at what cost, cannot be worked out. {refusal.detail}"


def cost_sentence(preview: CampaignPreview) -> str:
    """Return what it would cost, in words."""
    cost = amount_text(preview.cost_base, preview.base_currency)
    if preview.is_upper_bound:
        return f"{cost} at most, if every deposit reaches the cap"
    return f"{cost} at the rates of now"


def _players(count: int, *, verb: bool = True) -> str:
    noun = "player" if count == 1 else "players"
    return f"{count:,} {noun}{(' is' if count == 1 else ' are') if verb else ''}"


def _budget_help(operator: Operator) -> str:
    return f"In {operator.base_currency}. Reaching it pauses the campaign. Empty: no cap."
