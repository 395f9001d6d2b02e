"""Pages that set what takes a second person: what changes is read before it is changed."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpResponse

from core.admin import ReasonForm, ServicePage
from core.admin.display import amount_text


@dataclass(frozen=True, slots=True)
class Change:
    """What a protection is and what it would be; whether less waits then, or nothing."""

    what: str
    before: str
    after: str
    is_lower: bool = False
    is_off: bool = False

    @property
    def sentence(self) -> str:
        """Return it for people."""
        told = f"{self.what}: {self.before} → {self.after}."
        if self.is_off:
            return f"{told} This switches the protection off: one person is enough."
        if self.is_lower:
            return f"{told} This lowers the protection: one person may do more alone."
        return told


class ProtectionForm(ReasonForm):
    """What takes two people, why it changes, and which change the page has shown."""

    shown = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def remember_shown(self, digest: str) -> None:
        """Let the form come back with the change that is shown now."""
        data: Any = self.data
        self.data = data.copy()
        self.data[self.add_prefix("shown")] = digest  # type: ignore[index]


class ProtectionPage(ServicePage[Any]):
    """Set what takes a second person, in two steps: read what changes, then change it."""

    template = "admin/approvals/protection.html"

    def changes(self, form: Any) -> list[Change]:
        """Return what the form would change, compared with what holds now."""
        raise NotImplementedError

    def respond(self) -> HttpResponse:
        """Answer the request; a change that was not shown yet is shown, and nothing else."""
        if self.request.method == "POST" and self.is_allowed():
            form: Any = self.make_form(self.request.POST)
            if form.is_valid():
                changes = self.changes(form)
                digest = _digest_of(changes)
                if changes and form.cleaned_data["shown"] != digest:
                    form.remember_shown(digest)
                    return self.review(form, changes)
        return super().respond()

    def review(self, form: Any, changes: Sequence[Change]) -> HttpResponse:
        """Return the page with what would change."""
        return self.show(
            form,
            is_review=True,
            consequences=[*(change.sentence for change in changes), *self.consequences()],
            is_lower=any(change.is_lower or change.is_off for change in changes),
        )


def change_of_limit(
    what: str, before: Decimal | None, after: Decimal | None, *, currency: str, never: str
) -> list[Change]:
    """Return how an amount changes above which something waits; null is ``never``."""
    if before == after:
        return []

    def told(amount: Decimal | None) -> str:
        return never if amount is None else f"above {amount_text(amount, currency)}"

    return [
        Change(
            what,
            told(before),
            told(after),
            is_lower=before is not None and after is not None and after > before,
            is_off=after is None,
        )
    ]


def _digest_of(changes: Sequence[Change]) -> str:
    told = json.dumps([change.sentence for change in changes])
    return hashlib.sha256(told.encode()).hexdigest()
