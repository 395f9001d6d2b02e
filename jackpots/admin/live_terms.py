"""New terms for the pots of a running progressive, which wait for each pot's next win."""

from dataclasses import replace
from typing import Any

from django import forms
from django.forms import formset_factory

from approvals.admin.asking import AskingPage
from approvals.models import Approval
from approvals.selectors import get_settings
from core.admin import ReasonForm
from core.errors import DomainError
from jackpots.admin.draft_forms import pot_terms_from
from jackpots.admin.draft_rows import PotForm
from jackpots.enums import InstanceKind, InstanceStatus
from jackpots.models import Instance
from jackpots.services.live_terms import read_pending_terms
from jackpots.services.live_terms_requests import change_or_ask_live_terms
from jackpots.services.terms import POTS_MAX, PotTerms, read_terms


class LivePotForm(PotForm):
    """What can change of a pot that runs: its seed, its ceiling and its drop."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, kind=InstanceKind.PROGRESSIVE, **kwargs)
        for name in ("name", "share"):
            del self.fields[name]


LivePotFormSet: Any = formset_factory(LivePotForm, extra=0, max_num=POTS_MAX, absolute_max=POTS_MAX)


class LiveTermsForm(ReasonForm):
    """The terms of every pot from its next win on, and why they change."""

    def __init__(self, data: Any, *, running: tuple[PotTerms, ...], wanted: list[PotTerms]) -> None:
        super().__init__(data)
        self.running = running
        self.wanted = wanted
        initial = [
            {
                "seed": pot.seed,
                "ceiling": pot.ceiling,
                "drop_type": pot.drop.type,
                "drop_amount": pot.drop.amount,
                "drop_at": pot.drop.at,
                "drop_probability": pot.drop.probability,
            }
            for pot in wanted
        ]
        self.pots = LivePotFormSet(data, prefix="pots", initial=initial)

    @property
    def rows(self) -> list[tuple[str, Any]]:
        """Return each pot's name with its fields."""
        names = [pot.name for pot in self.running]
        return list(zip(names, self.pots.forms, strict=False))

    def is_valid(self) -> bool:
        """Tell whether the reason, and the terms of every pot, can be so."""
        parts = [super().is_valid(), self.pots.is_valid()]
        return all(parts)

    def clean(self) -> dict[str, Any]:
        """Require exactly the pots that there are."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if len(self.pots.forms) != len(self.running):
            raise forms.ValidationError("The pots are not those of the instance. Load it again.")
        return cleaned

    def terms(self) -> list[PotTerms]:
        """Return the terms of all pots, in their order."""
        return [
            _to_the_second(
                pot_terms_from({**row.cleaned_data, "name": pot.name, "share": pot.share}), wanted
            )
            for pot, wanted, row in zip(self.running, self.wanted, self.pots.forms, strict=True)
        ]

    def show_refusal(self, error: DomainError) -> None:
        """Put a service's refusal beside the fields that it is about."""
        for entry in error.members.get("errors") or [{"pointer": "", "detail": error.detail}]:
            part, _slash, rest = entry["pointer"].strip("/").partition("/")
            index, _slash, pointer = rest.partition("/")
            if part == "pots" and index.isdecimal() and int(index) < len(self.pots.forms):
                row = self.pots.forms[int(index)]
                name = row.field_of(pointer)
                row.add_error(name if name in row.fields else None, entry["detail"])
            else:
                self.add_error(None, entry["detail"])


class LiveTermsPage(AskingPage[Instance]):
    """Give the pots of an active progressive other seeds, ceilings and drops."""

    name = "terms"
    permission = "jackpots.change_live_terms"
    verb = "Change terms"
    icon = "tune"
    template = "admin/jackpots/live_terms.html"

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Terms of {self.subject} from each pot's next win on"

    def obstacle(self) -> str:
        """Refuse what does not run, and raffles: their pots do not drop."""
        subject = self.subject
        if subject.is_raffle:
            return f"{subject} is a raffle: its terms are fixed until it is drawn."
        if subject.status != InstanceStatus.ACTIVE:
            return (
                f"{subject} is {subject.get_status_display().lower()}: only the pots of an active "
                "progressive take new terms."
            )
        return ""

    @property
    def is_asking(self) -> bool:
        """Tell whether the operator wants two people for it."""
        return get_settings(operator=self.subject.operator).live_terms

    def consequences(self) -> list[str]:
        """Say what will happen."""
        asking = (
            "It takes two people, so nothing is changed now: the request waits for a second "
            "person. Once approved, this follows."
        )
        return [
            *([asking] if self.is_asking else []),
            "Nothing of the running cycles changes: players have seen what they promise.",
            "Each pot takes its new terms when it is won next; until then they are seen to wait.",
            "Terms that are set back to the running ones withdraw what waits.",
            "Names and shares of the pots are fixed.",
        ]

    def make_form(self, data: Any) -> LiveTermsForm:
        """Return the form with the terms that wait, or else those that run."""
        running = read_terms(instance=self.subject).pots
        pots = self.subject.pots.order_by("position")
        wanted = [
            read_pending_terms(pot=pot) or terms for pot, terms in zip(pots, running, strict=True)
        ]
        return LiveTermsForm(data, running=running, wanted=wanted)

    def call(self, form: LiveTermsForm) -> str:
        """Let the terms wait, or ask for it."""
        changed = change_or_ask_live_terms(
            operator=self.subject.operator,
            instance_id=self.subject.pk,
            pots=form.terms(),
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        if isinstance(changed, Approval):
            return self.ask(changed)
        waiting = self.subject.pots.filter(pending_terms__isnull=False).order_by("position")
        names = ", ".join(pot.name for pot in waiting)
        if not names:
            return f"No terms wait: {self.subject} keeps those that it has."
        return f"New terms wait for the next win of: {names}."


def _to_the_second(typed: PotTerms, wanted: PotTerms) -> PotTerms:
    """Return the terms with the instant that was shown, if nobody typed another minute."""
    at, shown = typed.drop.at, wanted.drop.at
    if at is None or shown is None or at != shown.replace(second=0, microsecond=0):
        return typed
    return replace(typed, drop=replace(typed.drop, at=shown))
