"""The fields of a template, by its type: what it gives, the wagering, and the limits."""

import re
from decimal import Decimal
from typing import Any, ClassVar

from django import forms

from bonuses.enums import DEPOSIT_TYPES, BonusType, WageringBasis
from bonuses.models import BonusTemplate
from bonuses.models.template import NAME_LENGTH_MAX
from core.admin import ServiceForm
from core.admin.fields import CurrencyChoiceField, DecimalTextField
from core.money import format_decimal
from games.enums import GameCategory
from operators.models import Operator

#: What the columns can hold; what makes sense is for the service to say.
_INTEGER_MAX = 2_147_483_647
_TEXT_LENGTH_MAX = 100_000
_CONFIG_FIELDS: dict[BonusType, tuple[str, ...]] = {
    BonusType.FREE_SPINS: ("count", "value_per_spin", "currency", "eligible_games"),
    BonusType.DEPOSIT_MATCH: ("match_percent", "cap_amount", "currency"),
    BonusType.NO_DEPOSIT: ("amount", "currency"),
    BonusType.CASHBACK: ("percent", "window_days", "min_loss", "currency"),
    BonusType.RELOAD: ("match_percent", "cap_amount", "currency"),
}
_ALL_CONFIG_FIELDS = frozenset(name for names in _CONFIG_FIELDS.values() for name in names)
_WEIGHTS = ("default", *GameCategory.values)


def _whole(**kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(min_value=0, max_value=_INTEGER_MAX, **kwargs)


class GameListField(forms.CharField):
    """Slugs of games, separated by commas, spaces or lines."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=_TEXT_LENGTH_MAX, widget=forms.Textarea(attrs={"rows": 2}), **kwargs
        )

    def clean(self, value: Any) -> list[str]:
        """Return the slugs."""
        return [slug for slug in re.split(r"[\s,]+", super().clean(value)) if slug]

    def prepare_value(self, value: Any) -> Any:
        """Return stored slugs as they would be typed."""
        return ", ".join(value) if isinstance(value, list) else value


class GameWeightsField(forms.CharField):
    """A weight for each of some games: ``book-of-ra: 50``, one a line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=_TEXT_LENGTH_MAX, widget=forms.Textarea(attrs={"rows": 2}), **kwargs
        )

    def clean(self, value: Any) -> dict[str, int]:
        """Return the weights by slug."""
        weights: dict[str, int] = {}
        for line in super().clean(value).splitlines():
            if not line.strip():
                continue
            found = re.fullmatch(r"\s*(\S+?)\s*[:=]\s*([0-9]{1,6})\s*%?\s*", line, re.ASCII)
            if found is None:
                raise forms.ValidationError("Type lines such as blackjack: 10.")
            if found[1] in weights:
                raise forms.ValidationError(f"{found[1]} is there twice.")
            weights[found[1]] = int(found[2])
        return weights

    def prepare_value(self, value: Any) -> Any:
        """Return stored weights as they would be typed."""
        if not isinstance(value, dict):
            return value
        return "\n".join(f"{slug}: {weight}" for slug, weight in value.items())


class TemplateForm(ServiceForm):
    """The terms of a template; those of other types are not on the form."""

    operator = forms.ModelChoiceField(
        queryset=Operator.objects.order_by("name"), empty_label="Choose an operator"
    )
    name = forms.CharField(max_length=NAME_LENGTH_MAX, help_text="What staff call it.")
    is_active = forms.BooleanField(
        required=False, initial=True, label="Bonuses may be issued from it"
    )
    count = _whole(label="Spins", help_text="20 spins of 0.50 are a bonus of 10.00.")
    value_per_spin = DecimalTextField(label="Value of a spin")
    match_percent = DecimalTextField(
        label="Match, %", help_text="100: deposit 100 → bonus 100. 50: deposit 100 → bonus 50."
    )
    cap_amount = DecimalTextField(
        label="Largest bonus", help_text="With 200 and 100 %: deposit 500 → bonus 200."
    )
    amount = DecimalTextField(help_text="What every player gets.")
    percent = DecimalTextField(label="Paid back, %", help_text="10: lost 100 → bonus 10.")
    window_days = _whole(label="Losses of the last days")
    min_loss = DecimalTextField(
        label="Smallest loss", help_text="Inclusive. A smaller loss pays nothing back."
    )
    currency = CurrencyChoiceField(
        help_text="Of all amounts here. Another wallet gets them at the rate in force."
    )
    eligible_games = GameListField(
        label="Games", help_text="Slugs, separated by commas or lines. The money is for these only."
    )
    wagering_requirement_multiplier = DecimalTextField(
        label="Wager so many times", help_text="30: bonus 100 → wager 3000. 0: nothing to wager."
    )
    wagering_basis = forms.ChoiceField(
        choices=WageringBasis.choices,
        required=False,
        label="What is multiplied",
        help_text="With the deposit: deposit 100, bonus 100, 30 × → wager 6000.",
    )
    max_bet = DecimalTextField(
        required=False, label="Largest bet", help_text="A larger one forfeits. Empty: no limit."
    )
    max_win_cap = DecimalTextField(
        required=False,
        label="Win cap",
        help_text="The most winnings that are released beside the bonus. Empty: all.",
    )
    weight_default = _whole(
        required=False, initial=100, label="Any other game, %", help_text="Empty: 0."
    )
    weight_games = GameWeightsField(
        required=False,
        label="Single games, %",
        help_text="One a line: blackjack: 10. They come before their category.",
    )
    time_limit_hours = _whole(
        required=False,
        label="Hours to wager it",
        help_text="168 is a week; then it expires. Empty: no limit.",
    )
    max_grants_per_player = _whole(
        required=False,
        label="Grants a player",
        help_text="Those under way are counted. Empty: no limit.",
    )

    #: Forms have fields for weights of categories; what they are is decided by the catalogue.
    _LIMITS: ClassVar = ("max_bet", "max_win_cap", "time_limit_hours", "max_grants_per_player")

    def __init__(
        self, data: Any, *, bonus_type: BonusType, template: BonusTemplate | None = None
    ) -> None:
        super().__init__(data, initial={} if template is None else _initial_of(template))
        self.bonus_type = bonus_type
        for name in _ALL_CONFIG_FIELDS - set(_CONFIG_FIELDS[bonus_type]):
            del self.fields[name]
        if bonus_type not in DEPOSIT_TYPES:
            del self.fields["wagering_basis"]
        if template is not None:
            # A template stays with its operator; switching it on and off has its own page.
            for name in ("operator", "is_active"):
                del self.fields[name]

    @property
    def layout(self) -> tuple[tuple[str, tuple[str, ...]], ...]:  # type: ignore[override]
        """Return the groups of fields."""
        return (
            ("Template", ("operator", "name", "is_active")),
            ("Bonus", _CONFIG_FIELDS[self.bonus_type]),
            ("Wagering", ("wagering_requirement_multiplier", "wagering_basis")),
            (
                "What counts of a bet",
                (*(f"weight_{name}" for name in GameCategory.values), *_OTHER_WEIGHTS),
            ),
            ("Limits", self._LIMITS),
        )

    def terms(self) -> dict[str, Any]:
        """Return the terms that the form describes, as far as it is valid."""
        cleaned = self.cleaned_data
        terms: dict[str, Any] = {
            name: cleaned[name]
            for name in ("name", "is_active", "wagering_requirement_multiplier", *self._LIMITS)
            if name in cleaned
        }
        terms["wagering_basis"] = cleaned.get("wagering_basis") or WageringBasis.BONUS.value
        terms["config"] = {
            name: _as_sent(cleaned[name])
            for name in _CONFIG_FIELDS[self.bonus_type]
            if cleaned.get(name) not in (None, "")
        }
        weights: dict[str, Any] = {
            name: cleaned[f"weight_{name}"]
            for name in _WEIGHTS
            if cleaned.get(f"weight_{name}") is not None
        }
        if cleaned.get("weight_games"):
            weights["games"] = cleaned["weight_games"]
        terms["game_contribution"] = weights
        return terms

    def field_of(self, pointer: str) -> str:
        """Return the field that a service means by ``pointer``: "config/eligible_games/0"."""
        first, *rest = pointer.split("/")
        if first == "config" and rest:
            return rest[0]
        if first == "game_contribution" and rest:
            return f"weight_{rest[0]}"
        return first


_OTHER_WEIGHTS = ("weight_default", "weight_games")
for _value, _label in GameCategory.choices:
    TemplateForm.base_fields[f"weight_{_value}"] = _whole(required=False, label=f"{_label}, %")


def _as_sent(value: Any) -> Any:
    """Return a value as the API would take it in a config."""
    return format_decimal(value) if isinstance(value, Decimal) else value


def _initial_of(template: BonusTemplate) -> dict[str, Any]:
    weights = template.game_contribution
    return {
        **template.config,
        "name": template.name,
        "wagering_requirement_multiplier": template.wagering_multiplier,
        "wagering_basis": template.wagering_basis,
        **{name: getattr(template, name) for name in TemplateForm._LIMITS},
        "weight_default": weights.get("default"),
        **{f"weight_{name}": weights.get(name) for name in (*GameCategory.values, "games")},
    }
