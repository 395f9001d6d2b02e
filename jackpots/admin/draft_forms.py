"""The fields of a draft, and how they become its terms."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms

from core.admin import ServiceForm
from core.admin.fields import CurrencyChoiceField, DecimalTextField, UtcDateTimeField
from core.errors import DomainError
from core.zones import zone_names
from jackpots.admin.draft_rows import (
    PotFormSet,
    PrintableField,
    PrizeFormSet,
    check_belonging,
    used_rows,
)
from jackpots.enums import ContributionType, DropType, Funding, InstanceKind, Recurrence
from jackpots.rules.contributions import ContributionTerms
from jackpots.services.terms import (
    DropTerms,
    InstanceTerms,
    PotTerms,
    PrizeTerms,
)
from operators.models import Operator

_ZERO = Decimal(0)
_ONE = Decimal(1)
_HUNDRED = Decimal(100)
_COUNT_MAX = 2_147_483_647

_FIELD_OF_CONTRIBUTION = {
    ContributionType.FIXED: "contribution_amount",
    ContributionType.PERCENT: "contribution_percent",
}


class DraftForm(ServiceForm):
    """The terms of a draft; its pots and its prizes are rows of their own."""

    operator = forms.ModelChoiceField(
        queryset=Operator.objects.order_by("name"), empty_label="Choose an operator"
    )
    name = PrintableField(max_length=120, help_text="What players and staff see: Daily, Weekly.")
    currency = CurrencyChoiceField(
        help_text="Of the pots. Wagers in another currency are converted at the rate in force."
    )
    contribution_type = forms.ChoiceField(
        label="A wager adds", choices=ContributionType.choices, initial=ContributionType.PERCENT
    )
    contribution_percent = DecimalTextField(
        required=False,
        digits=3,
        above=_ZERO,
        up_to=_HUNDRED,
        label="Percent of the wager",
        help_text="0.5 means: a wager of 100.00 adds 0.50.",
    )
    contribution_amount = DecimalTextField(
        required=False,
        above=_ZERO,
        label="Fixed amount",
        help_text="0.25 means: every wager adds 0.25, whatever its size.",
    )
    funding = forms.ChoiceField(
        label="Paid by",
        choices=Funding.choices,
        help_text="The operator pays from its own money; the player pays on top of the wager.",
    )
    opt_in_required = forms.BooleanField(
        required=False,
        label="Only players who have opted in take part",
    )
    ticket_cost = DecimalTextField(
        required=False,
        above=_ZERO,
        help_text="With 1, a player who has contributed 12.50 holds 12 tickets.",
    )
    opens_at = UtcDateTimeField(
        required=False, label="Opens (UTC)", help_text="Empty: as soon as it is activated."
    )
    closes_at = UtcDateTimeField(
        required=False, label="Closes (UTC)", help_text="Exclusive. Empty: until it is closed."
    )
    recurrence = forms.ChoiceField(
        required=False, label="Repeats", choices=[("", "Never"), *Recurrence.choices]
    )
    carry_opt_ins = forms.BooleanField(
        required=False, label="Opt-ins go on in the next run, when it repeats"
    )
    timezone = forms.ChoiceField(
        choices=[(name, name) for name in zone_names()],
        initial="UTC",
        label="Time zone",
        help_text="In which days, weeks and months begin when it repeats.",
    )

    def __init__(
        self,
        data: Any,
        *,
        kind: InstanceKind,
        operator: Operator | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        given = initial or {}
        super().__init__(data, initial=given)
        self.kind = kind
        self.is_raffle = kind == InstanceKind.RAFFLE
        if operator is not None:
            # A draft stays with its operator.
            del self.fields["operator"]
        if not self.is_raffle:
            for name in ("ticket_cost", "carry_opt_ins"):
                del self.fields[name]
        form_kwargs = {"kind": kind}
        pots = given.get("pots") or ([] if data is not None else [{"name": "main", "share": _ONE}])
        self.pots = PotFormSet(data, prefix="pots", initial=pots, form_kwargs=form_kwargs)
        self.prizes = PrizeFormSet(
            data if self.is_raffle else None,
            prefix="prizes",
            initial=given.get("prizes"),
            form_kwargs=form_kwargs,
        )

    @property
    def layout(self) -> tuple[tuple[str, tuple[str, ...]], ...]:  # type: ignore[override]
        """Return the groups of fields."""
        return (
            ("Jackpot", ("operator", "name", "currency")),
            (
                "Contribution",
                (
                    "contribution_type",
                    "contribution_percent",
                    "contribution_amount",
                    "funding",
                    "opt_in_required",
                    "ticket_cost",
                ),
            ),
            ("Schedule", ("opens_at", "closes_at", "recurrence", "timezone", "carry_opt_ins")),
        )

    def is_valid(self) -> bool:
        """Tell whether the fields, and all rows, can be so."""
        # Every part is asked, so that every mistake is shown at once.
        parts = [super().is_valid(), self.pots.is_valid()]
        if self.is_raffle:
            parts.append(self.prizes.is_valid())
        return all(parts)

    def clean(self) -> dict[str, Any]:
        """Require the one field that belongs to the contribution's type."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind = cleaned.get("contribution_type")
        if kind:
            wanted = _FIELD_OF_CONTRIBUTION[ContributionType(kind)]
            check_belonging(self, wanted, _FIELD_OF_CONTRIBUTION.values())
        return cleaned

    def show_refusal(self, error: DomainError) -> None:
        """Put a service's refusal beside the fields and the rows that it is about."""
        for entry in error.members.get("errors") or [{"pointer": "", "detail": error.detail}]:
            part, _slash, rest = entry["pointer"].strip("/").partition("/")
            rows = {"pots": self.pots, "prizes": self.prizes}.get(part)
            index, _slash, pointer = rest.partition("/")
            if rows is not None and index.isdecimal():
                row = used_rows(rows)[int(index)]
                name = row.field_of(pointer)
                row.add_error(name if name in row.fields else None, entry["detail"])
            elif rows is not None:
                rows.non_form_errors().append(entry["detail"])
            else:
                name = self.field_of(entry["pointer"].strip("/"))
                self.add_error(name if name in self.fields else None, entry["detail"])


def terms_from(form: DraftForm, *, kind: InstanceKind) -> InstanceTerms:
    """Return the terms that a valid form describes."""
    given = form.cleaned_data
    return InstanceTerms(
        name=given["name"],
        kind=kind,
        currency=given["currency"],
        contribution=ContributionTerms(
            type=ContributionType(given["contribution_type"]),
            amount=given["contribution_amount"],
            percent=given["contribution_percent"],
        ),
        funding=Funding(given["funding"]),
        opt_in_required=given["opt_in_required"],
        opens_at=given["opens_at"],
        closes_at=given["closes_at"],
        pots=tuple(pot_terms_from(row.cleaned_data) for row in used_rows(form.pots)),
        ticket_cost=given.get("ticket_cost"),
        prizes=tuple(_prize_terms(form)),
        recurrence=Recurrence(given["recurrence"]) if given["recurrence"] else None,
        timezone=given["timezone"],
        carry_opt_ins=given.get("carry_opt_ins", False),
    )


def initial_of(terms: InstanceTerms) -> dict[str, Any]:
    """Return the terms as a form is first filled in with them."""
    return {
        "name": terms.name,
        "currency": terms.currency,
        "contribution_type": terms.contribution.type,
        "contribution_amount": terms.contribution.amount,
        "contribution_percent": terms.contribution.percent,
        "funding": terms.funding,
        "opt_in_required": terms.opt_in_required,
        "opens_at": terms.opens_at,
        "closes_at": terms.closes_at,
        "ticket_cost": terms.ticket_cost,
        "recurrence": terms.recurrence or "",
        "timezone": terms.timezone,
        "carry_opt_ins": terms.carry_opt_ins,
        "pots": [
            {
                "name": pot.name,
                "share": pot.share,
                "seed": pot.seed,
                "ceiling": pot.ceiling,
                "drop_type": pot.drop.type,
                "drop_amount": pot.drop.amount,
                "drop_at": pot.drop.at,
                "drop_probability": pot.drop.probability,
            }
            for pot in terms.pots
        ],
        "prizes": [
            {
                "name": prize.name,
                "amount": prize.amount,
                "share": prize.share,
                "count": prize.count,
                "priority": prize.priority,
                "min_tickets": prize.min_tickets,
            }
            for prize in terms.prizes
        ],
    }


def pot_terms_from(row: dict[str, Any]) -> PotTerms:
    """Return the terms that the fields of a pot describe."""
    return PotTerms(
        name=row["name"],
        share=row["share"],
        seed=row["seed"] or _ZERO,
        ceiling=row["ceiling"],
        drop=DropTerms(
            type=DropType(row.get("drop_type") or DropType.MANUAL),
            amount=row.get("drop_amount"),
            at=row.get("drop_at"),
            probability=row.get("drop_probability"),
        ),
    )


def _prize_terms(form: DraftForm) -> Iterator[PrizeTerms]:
    if form.is_raffle:
        for row in used_rows(form.prizes):
            yield PrizeTerms(**row.cleaned_data)
