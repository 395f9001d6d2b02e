"""The form of a decision: why, and what was shown."""

from typing import Any

from django import forms

from core.admin import ReasonForm


class DecisionForm(ReasonForm):
    """
    Why somebody decides as they do, bound to what the page showed them.

    A form that comes back without it was shown nothing, and is refused as such.
    """

    fingerprint = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, fingerprint: str) -> None:
        super().__init__(data)
        self.fields["fingerprint"].initial = fingerprint
