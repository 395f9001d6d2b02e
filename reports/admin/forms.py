"""What a report is asked on its page: whose, of which days, and how."""

from datetime import datetime
from typing import Any

from django import forms

from core.admin.pages import REASON_LENGTH_MAX, dress
from core.errors import InvalidRequest
from operators.models import Operator
from reports.rules.periods import check_period, list_presets
from reports.selectors import Question, Report

_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
_PRESET = 2


class OperatorField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """An operator by its slug."""

    def __init__(self) -> None:
        operators = Operator.objects.order_by("name")
        super().__init__(queryset=operators, empty_label=None, to_field_name="slug")

    def to_python(self, value: Any) -> Operator | None:
        """Return the operator; what the database would not even look for is none."""
        if value not in self.empty_values and not str(value).isprintable():
            raise forms.ValidationError(
                self.error_messages["invalid_choice"], code="invalid_choice"
            )
        found: Operator | None = super().to_python(value)
        return found


class ReportForm(forms.Form):
    """The question, in the theme's widgets; a bound form knows its ``question``."""

    question: Question | None = None

    def __init__(
        self, data: Any, *, report: Report, now: datetime, shows_personal_data: bool = False
    ) -> None:
        super().__init__(data)
        self.report, self.now, self.shows_personal_data = report, now, shows_personal_data
        self.fields["operator"] = OperatorField()
        for name, label in (("from", "From"), ("to", "To, inclusive")):
            self.fields[name] = forms.DateField(label=label, widget=_DAY)
        for option in report.options:
            self.fields[option.name] = forms.ChoiceField(
                label=option.label,
                choices=report.choices_of(option, self.operator),
                required=False,
            )
        dress(self)

    @property
    def operator(self) -> Operator | None:
        """Return the operator that was chosen, whatever else was."""
        if not hasattr(self, "_operator"):
            self._operator = find_operator(self.data.get("operator"))
        return self._operator

    def clean(self) -> dict[str, Any]:
        """Make the question, or say at a field why there is none."""
        given = super().clean() or self.cleaned_data
        operator, first, last = (given.get(name) for name in ("operator", "from", "to"))
        if operator is None or first is None or last is None or self.errors:
            return given
        try:
            period = check_period(first=first, last=last, zone=operator.time_zone, now=self.now)
        except InvalidRequest as refused:
            for error in refused.members["errors"]:
                self.add_error(error["pointer"].strip("/"), error["detail"])
            return given
        self.question = Question(
            operator=operator,
            period=period,
            now=self.now,
            options={option.name: given[option.name] for option in self.report.options},
            shows_personal_data=self.shows_personal_data,
        )
        return given


class ExportForm(ReportForm):
    """The question whose answer is taken away, and why."""

    def __init__(self, data: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["reason"] = forms.CharField(
            max_length=REASON_LENGTH_MAX, required=self.report.needs_reason
        )

    def clean_reason(self) -> str:
        """Return the reason on one line."""
        reason = " ".join(self.cleaned_data["reason"].split())
        if not reason.isprintable():
            raise forms.ValidationError("It holds characters that cannot be printed.")
        return reason


def find_operator(slug: Any) -> Operator | None:
    """Return the operator with that slug, whatever it was typed as; null if there is none."""
    text = str(slug or "")
    return Operator.objects.filter(slug=text).first() if text and text.isprintable() else None


def first_question(data: Any, *, now: datetime) -> dict[str, Any]:
    """Return what is asked: ``data``, completed by the first operator and its last 7 days."""
    given = {name: value for name, value in data.items() if value}
    operator = find_operator(given.get("operator")) or Operator.objects.order_by("name").first()
    if operator is None:
        return given
    days = list_presets(zone=operator.time_zone, now=now)[_PRESET]
    asked = {"operator": operator.slug, "from": f"{days.first}", "to": f"{days.last}"}
    return {**asked, **given}
