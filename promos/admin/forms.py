"""The fields of a promo, by its type, and the rows of its games."""

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.forms import formset_factory

from core.admin import ReasonForm, ServiceForm
from core.admin.fields import CurrencyChoiceField, DecimalTextField, UtcDateTimeField
from core.admin.pages import dress
from core.errors import DomainError
from games.models import Game
from operators.models import Operator
from promos import rules
from promos.enums import PromoType
from promos.models import Promo
from promos.rules import CODE_LENGTH_MAX, PATTERN_LENGTH_MAX
from promos.services.batches import CODES_MAX
from promos.services.catalogue import GameTerms

#: What the columns can hold.
_INTEGER_MAX = 2_147_483_647
_SECONDS_A_DAY = 86_400
_DAYS_MAX = 3_650
_HOURS_MAX = 24 * _DAYS_MAX
_GAMES_MAX = 200
_ZERO = Decimal(0)
_TEXTS = ("title", "affiliate_code_to_claim")


class PromoForm(ServiceForm):
    """The terms of a promo; those of the other type are not on the form."""

    operator = forms.ModelChoiceField(
        queryset=Operator.objects.order_by("name"), empty_label="Choose an operator"
    )
    code = forms.CharField(
        max_length=CODE_LENGTH_MAX,
        help_text="What players type, in capitals or not: welcome100 is WELCOME100.",
        widget=forms.TextInput(attrs={"placeholder": "WELCOME100", "autocomplete": "off"}),
    )
    title = forms.CharField(max_length=200, required=False, help_text="What staff call it.")
    is_active = forms.BooleanField(required=False, initial=True, label="It can be claimed")
    amount = DecimalTextField(help_text="10 means: claim → 10.00 at once, nothing to wager.")
    currency = CurrencyChoiceField(
        help_text="Of the amount. A wallet in another currency gets it at the rate in force."
    )
    bonus_multiplier = DecimalTextField(
        label="Match",
        help_text="1 is 100 %: deposit 100 → bonus 100. 0.5 is 50 %: deposit 100 → bonus 50.",
    )
    max_bonus_usd_amount = DecimalTextField(
        label="Largest bonus, USD",
        help_text="With 500 and a match of 1: deposit 1000 → bonus 500 → at 30 × wager 15000.",
    )
    min_deposit_usd_to_activate = DecimalTextField(
        required=False,
        label="Smallest deposit, USD",
        help_text="Inclusive. With 20: the first deposit is 20 → active, 19.99 → cancelled.",
    )
    wager_multiplier_to_complete = DecimalTextField(
        required=False,
        label="Wager the bonus so many times",
        help_text="With 30: deposit 100 → bonus 100 → wager 3000. Either this or the next one.",
    )
    wager_usd_amount_to_complete = DecimalTextField(
        required=False,
        label="Or wager a fixed amount, USD",
        help_text="With 1500: deposit 100 → bonus 100 → wager 1500, whatever the deposit is.",
    )
    days_to_complete = DecimalTextField(
        label="Days to wager it",
        decimals=5,
        digits=4,
        above=_ZERO,
        up_to=Decimal(_DAYS_MAX),
        help_text="With 7, the bonus expires 7 days after the deposit. 0.5 is 12 hours.",
    )
    lock_withdraw_on_claim_hours = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=_HOURS_MAX,
        label="Lock withdrawals, hours",
        help_text="With 24: claimed on Monday 10:00 → no withdrawals until Tuesday 10:00.",
    )
    auto_vault_on_claim = forms.BooleanField(
        required=False, label="Move the main balance into the vault with the claim"
    )
    claims_left = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=_INTEGER_MAX,
        label="Claims",
        help_text="How many there may be altogether, over all players. Empty: no limit.",
    )
    starts_at = UtcDateTimeField(
        required=False, label="Starts (UTC)", help_text="Empty: it can be claimed at once."
    )
    expires_at = UtcDateTimeField(
        required=False, label="Expires (UTC)", help_text="Exclusive. Empty: never."
    )
    affiliate_code_to_claim = forms.CharField(
        required=False, max_length=64, label="Affiliate code", help_text="Empty: anybody."
    )
    min_kyc_level_to_claim = forms.IntegerField(
        required=False, min_value=0, max_value=_INTEGER_MAX, label="KYC level at least"
    )
    min_vip_level_to_claim = forms.IntegerField(
        required=False, min_value=0, max_value=_INTEGER_MAX, label="VIP level at least"
    )
    min_total_wager_usd_to_claim = DecimalTextField(
        required=False, label="Bets so far at least, USD"
    )
    min_total_deposit_usd_to_claim = DecimalTextField(
        required=False, label="Deposits so far at least, USD"
    )
    only_zero_deposits_to_claim = forms.BooleanField(
        required=False, label="Only before the first deposit"
    )

    _OF_INSTANT: ClassVar = rules.INSTANT_FIELDS
    _OF_DEPOSIT: ClassVar = (
        *(name for name in rules.DEPOSIT_FIELDS if name != "time_seconds_to_complete"),
        "days_to_complete",
    )

    def __init__(
        self,
        data: Any,
        *,
        promo_type: PromoType,
        promo: Promo | None = None,
    ) -> None:
        super().__init__(data, initial={} if promo is None else _initial_of(promo))
        self.promo_type = promo_type
        is_instant = promo_type == PromoType.INSTANT
        for name in self._OF_DEPOSIT if is_instant else self._OF_INSTANT:
            del self.fields[name]
        if promo is not None:
            # A promo stays with its operator; what is left is changed by a difference.
            for name in ("operator", "claims_left"):
                del self.fields[name]

    @property
    def layout(self) -> tuple[tuple[str, tuple[str, ...]], ...]:  # type: ignore[override]
        """Return the groups of fields."""
        return (
            ("Promo", ("operator", "code", "title", "is_active")),
            ("Bonus", (*self._OF_INSTANT, *self._OF_DEPOSIT)),
            ("With the claim", ("lock_withdraw_on_claim_hours", "auto_vault_on_claim")),
            ("When, and how often", ("starts_at", "expires_at", "claims_left")),
            (
                "Who may claim it",
                (
                    "affiliate_code_to_claim",
                    "min_kyc_level_to_claim",
                    "min_vip_level_to_claim",
                    "min_total_wager_usd_to_claim",
                    "min_total_deposit_usd_to_claim",
                    "only_zero_deposits_to_claim",
                ),
            ),
        )

    def clean(self) -> dict[str, Any]:
        """Require exactly one of the two ways to say what must be wagered."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first, second = rules.WAGER_FIELDS
        if first in self.fields and not {first, second} & set(self.errors):
            if cleaned.get(first) is None and cleaned.get(second) is None:
                self.add_error(first, "Fill in this one, or the fixed amount.")
            elif cleaned.get(first) is not None and cleaned.get(second) is not None:
                self.add_error(second, "Leave this empty, or the times above.")
        return cleaned

    def terms(self) -> dict[str, Any]:
        """Return the terms that the form describes, as far as it is valid."""
        terms = {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in ("operator", "form_token", "days_to_complete")
        }
        days = self.cleaned_data.get("days_to_complete")
        if days is not None:
            terms["time_seconds_to_complete"] = int(days * _SECONDS_A_DAY)
        return terms

    def field_of(self, pointer: str) -> str:
        """Return the field that a service means by ``pointer``."""
        return "days_to_complete" if pointer == "time_seconds_to_complete" else pointer


def _initial_of(promo: Promo) -> dict[str, Any]:
    names = [name for name in PromoForm.base_fields if hasattr(promo, name)]
    initial = {name: getattr(promo, name) for name in names if name != "operator"}
    if promo.time_seconds_to_complete is not None:
        initial["days_to_complete"] = Decimal(promo.time_seconds_to_complete) / _SECONDS_A_DAY
    return initial


class GameRowForm(forms.Form):
    """One game of a promo's list."""

    game = forms.ChoiceField(help_text="A game that is not listed cannot be bet on meanwhile.")
    wager_multiplier = DecimalTextField(
        label="Counts",
        initial="1",
        help_text="1: a bet of 10 counts 10. 0.1: it counts 1. 0: it may be placed, counts 0.",
    )
    max_bet_amount = DecimalTextField(
        required=False,
        label="Largest bet, USD",
        help_text="With 5: a bet of 5.00 is taken, 5.01 refused. Empty: no limit.",
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["game"].choices = [("", "Choose a game"), *choices]  # type: ignore[attr-defined]
        dress(self)


# The class is made by a function, which the type checker cannot follow.
GameFormSet: Any = formset_factory(
    GameRowForm, extra=0, max_num=_GAMES_MAX, validate_max=True, absolute_max=_GAMES_MAX + 1
)


class GamesForm(ServiceForm):
    """The list of games of a promo; the rows are forms of their own."""

    def __init__(self, data: Any, *, operator: Operator, initial: list[dict[str, Any]]) -> None:
        super().__init__(data)
        games = Game.objects.for_operator(operator).order_by("name").values_list("slug", "name")
        choices = [(slug, f"{name} ({slug})") for slug, name in games]
        self.rows = GameFormSet(
            data, prefix="games", initial=initial, form_kwargs={"choices": choices}
        )

    def is_valid(self) -> bool:
        """Tell whether all rows can be so."""
        parts = [super().is_valid(), self.rows.is_valid()]
        return all(parts)

    def games(self) -> list[GameTerms]:
        """Return the list that the rows describe."""
        return [
            GameTerms(
                slug=row.cleaned_data["game"],
                wager_multiplier=row.cleaned_data["wager_multiplier"],
                max_bet_amount=row.cleaned_data["max_bet_amount"],
            )
            for row in self._used()
        ]

    def show_refusal(self, error: DomainError) -> None:
        """Put a service's refusal beside the rows that it is about."""
        for entry in error.members.get("errors") or [{"pointer": "", "detail": error.detail}]:
            parts = entry["pointer"].strip("/").split("/")
            if parts[0] == "games" and len(parts) == 3:
                self._used()[int(parts[1])].add_error(parts[2], entry["detail"])
            else:
                self.add_error(None, entry["detail"])

    def _used(self) -> list[Any]:
        return [row for row in self.rows.forms if row.cleaned_data]


class ClaimsLeftForm(ReasonForm):
    """By how many the claims that are left change."""

    delta = forms.IntegerField(
        label="Change",
        min_value=-_INTEGER_MAX,
        max_value=_INTEGER_MAX,
        help_text="100 adds a hundred claims, -100 takes a hundred away. A difference is right "
        "whatever is claimed while you type.",
    )
    field_order = ("delta", "reason")

    def clean_delta(self) -> int:
        """Return the difference if it is one."""
        delta: int = self.cleaned_data["delta"]
        if delta == 0:
            raise forms.ValidationError("That changes nothing.")
        return delta


class MakeBatchForm(ServiceForm):
    """How many single-use codes, and what they look like."""

    count = forms.IntegerField(
        min_value=1, max_value=CODES_MAX, help_text=f"1 to {CODES_MAX:,}. Each is claimed once."
    )
    pattern = forms.CharField(
        max_length=PATTERN_LENGTH_MAX,
        help_text="# is a digit, @ a letter, * either, without look-alikes such as 0 and O; "
        "anything else is itself. VIP-@@@@#### makes codes such as VIP-KMRT7294.",
        widget=forms.TextInput(attrs={"placeholder": "VIP-@@@@####", "autocomplete": "off"}),
    )
