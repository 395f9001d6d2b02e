"""How players play, and on what terms: as people type it."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms

from bonuses.admin.template_forms import TemplateForm
from bonuses.enums import DEPOSIT_TYPES, BonusType
from core.admin import ServiceForm
from core.admin.fields import CurrencyChoiceField, DecimalTextField
from core.money import EXACT
from games.enums import GameCategory
from promos.admin.forms import PromoForm
from promos.enums import PromoType
from promos.rules import DEPOSIT_FIELDS, INSTANT_FIELDS
from simulations.admin.typed import scenario_texts, usual_texts
from simulations.enums import Volatility
from simulations.rules.scenario import (
    BETS_PER_HOUR_MAX,
    GAMES_MAX,
    HORIZON_DAYS_MAX,
    PLAYERS_MAX,
    PLAYERS_MIN,
    SEED_MAX,
    STAKES_MAX,
    Scenario,
    Stake,
)

_HUNDRED = Decimal(100)
_TEXT_LENGTH_MAX = 5_000
_NUMBER = r"[0-9]{1,10}(?:\.[0-9]{1,8})?"
_STAKE = re.compile(rf"\s*({_NUMBER})(?:\s*:\s*({_NUMBER}))?\s*", re.ASCII)
_GAME = re.compile(
    rf"\s*([a-z0-9_-]+)(?:\s*:\s*({_NUMBER}))?(?:\s*,\s*({_NUMBER})\s*%?)?(?:\s*,\s*([a-z]+))?\s*",
    re.ASCII,
)
#: What only some terms ask.
_ASKED_BY: dict[str, tuple[str, ...]] = {
    "deposit": (*DEPOSIT_TYPES, PromoType.DEPOSIT),
    "loss": (BonusType.CASHBACK,),
    "play_currency": (PromoType.DEPOSIT,),
}
MONEY_FIELDS = ("deposit", "loss", "own_money", "play_currency")
PLAY_FIELDS = ("stakes", "games", "rtp", "volatility", "bets_per_hour", "hours_per_day")
RUN_FIELDS = ("gives_up", "horizon_days", "acceptable", "players", "seed")
#: Names of the API whose field is called something else here.
_FIELDS = {
    "gives_up_per_day": "gives_up",
    "acceptable_share": "acceptable",
    "currency": "play_currency",
    "time_seconds_to_complete": "days_to_complete",
}


class _LinesField(forms.CharField):
    """One thing a line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=_TEXT_LENGTH_MAX,
            required=False,
            widget=forms.Textarea(attrs={"rows": 3}),
            **kwargs,
        )

    def lines(self, value: Any, most: int) -> list[str]:
        """Return the lines that hold something."""
        found = [line for line in super().clean(value).splitlines() if line.strip()]
        if len(found) > most:
            raise forms.ValidationError(f"Type at most {most} lines.")
        return found


class StakesField(_LinesField):
    """Stakes, and how often each beside the others: ``0.50: 3``."""

    def clean(self, value: Any) -> list[Stake]:
        """Return the stakes."""
        found = []
        for line in self.lines(value, STAKES_MAX):
            read = _STAKE.fullmatch(line)
            if read is None or Decimal(read[1]) == 0 or (read[2] and Decimal(read[2]) == 0):
                raise forms.ValidationError("Type lines such as 0.50: 3, or just 0.50.")
            found.append(Stake(Decimal(read[1]), Decimal(read[2] or 1)))
        return found


class GamesField(_LinesField):
    """Games or categories: how often beside the others, perhaps with RTP and volatility."""

    def clean(self, value: Any) -> list[dict[str, Any]]:
        """Return the games as the API has them."""
        return [self._game_in(line) for line in self.lines(value, GAMES_MAX)]

    def _game_in(self, line: str) -> dict[str, Any]:
        read = _GAME.fullmatch(line)
        if read is None or (read[4] and read[4] not in Volatility.values):
            raise forms.ValidationError("Type lines such as slots: 80, or table: 20, 99.5 %, low.")
        name, part, rtp, volatility = read.groups()
        if part and Decimal(part) == 0:
            raise forms.ValidationError(f"How often {name} is played must be above 0.")
        if rtp and Decimal(rtp) > _HUNDRED:
            raise forms.ValidationError(f"The RTP of {name} must not be above 100 %.")
        return {
            "category" if name in GameCategory.values else "game": name,
            "share": Decimal(part or 1),
            "rtp": EXACT.divide(Decimal(rtp), _HUNDRED) if rtp else None,
            "volatility": Volatility(volatility) if volatility else None,
        }


class PercentField(DecimalTextField):
    """A share of 1, typed as a percentage."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(decimals=4, digits=3, up_to=_HUNDRED, required=False, **kwargs)

    def clean(self, value: Any) -> Decimal | None:
        """Return the share."""
        percent = super().clean(value)
        return None if percent is None else EXACT.divide(percent, _HUNDRED)


class ScenarioFields(forms.Form):
    """How players play. What is left empty is as usual."""

    deposit = DecimalTextField(
        required=False, label="Deposit", help_text="Empty: the one that gets the largest bonus."
    )
    loss = DecimalTextField(
        required=False, label="Loss", help_text="Empty: five times the smallest that pays back."
    )
    own_money = DecimalTextField(
        required=False, label="Other money of the player", help_text="It is bet first. Empty: none."
    )
    play_currency = CurrencyChoiceField(
        required=False, label="Wallet", help_text="Empty: US dollars."
    )
    stakes = StakesField(help_text="One a line, with how often: 0.50: 3. Empty: one plain stake.")
    games = GamesField(
        help_text="One a line: slots: 80, or table: 20, 99.5 %, low. A category or the slug of a "
        "game, how often, then its own RTP and volatility. Empty: what the terms are for."
    )
    rtp = PercentField(label="RTP, %", help_text="What games pay back of what is staked.")
    volatility = forms.ChoiceField(required=False, choices=Volatility.choices)
    bets_per_hour = forms.IntegerField(required=False, min_value=1, max_value=BETS_PER_HOUR_MAX)
    hours_per_day = forms.IntegerField(required=False, min_value=1, max_value=24)
    gives_up = PercentField(
        label="Give up, % a day", help_text="Stop for good, each day anew, from the second on."
    )
    horizon_days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=HORIZON_DAYS_MAX,
        label="Days at most",
        help_text="For terms without a time limit, or with a longer one.",
    )
    acceptable = PercentField(
        label="Acceptable cost, % of the bonus",
        help_text="Empty: 0 with money of the player, else 50; 100 if nothing has to be wagered.",
    )
    players = forms.IntegerField(required=False, min_value=PLAYERS_MIN, max_value=PLAYERS_MAX)
    seed = forms.IntegerField(
        required=False, min_value=0, max_value=SEED_MAX, help_text="The same seed, the same answer."
    )

    def leave_out_what_is_not_asked(self, kind: str) -> None:
        """Delete the fields that terms of this kind have no use for."""
        for name, kinds in _ASKED_BY.items():
            if kind not in kinds:
                del self.fields[name]
        if kind == PromoType.INSTANT:
            for name in (*PLAY_FIELDS, "gives_up", "horizon_days"):
                del self.fields[name]

    def wanted(self) -> dict[str, Any]:
        """Return the scenario by the names of the API."""
        names = {field: name for name, field in _FIELDS.items() if name in _WANTED}
        found = {}
        for field in (*MONEY_FIELDS, *PLAY_FIELDS, *RUN_FIELDS):
            value = self.cleaned_data.get(field)
            if value not in (None, "", []):
                found[names.get(field, field)] = value
        if "volatility" in found:
            found["volatility"] = Volatility(found["volatility"])
        return found


_WANTED = ("gives_up_per_day", "acceptable_share", "currency")
_SCENARIO_LAYOUT = (
    ("What players have", MONEY_FIELDS),
    ("How they play", PLAY_FIELDS),
    ("What is simulated", RUN_FIELDS),
)


class _SimulationForm(ScenarioFields, ServiceForm):
    """A form that asks and changes nothing: it is sent with GET, so that its answer has a URL."""

    def show_scenario(self, scenario: Scenario) -> None:
        """Show how players played where nothing was typed."""
        for name, text in scenario_texts(scenario).items():
            if name in self.fields:
                self.fields[name].initial = text

    def field_of(self, pointer: str) -> str:
        """Return the field that a service means by ``pointer``: "bonus/config/cap_amount"."""
        first, *rest = pointer.split("/")
        if first in ("bonus", "promo") and rest:
            first, *rest = rest
        if first == "config" and rest:
            return rest[0]
        if first == "game_contribution" and rest:
            return f"weight_{rest[0]}"
        return _FIELDS.get(first, first)


class StoredTermsForm(_SimulationForm):
    """How players play on terms that are stored."""

    layout = _SCENARIO_LAYOUT

    def __init__(self, data: Any, *, kind: str, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=dict(initial or {}))
        del self.fields["form_token"]
        self.leave_out_what_is_not_asked(kind)


class BonusTermsForm(_SimulationForm, TemplateForm):
    """The terms of a bonus, and how players play on them."""

    def __init__(self, data: Any, *, kind: str, initial: Mapping[str, Any] | None = None) -> None:
        TemplateForm.__init__(self, data, bonus_type=BonusType(kind))
        self.initial = {**usual_texts(), **(initial or {})}
        for name in ("form_token", "name", "is_active", "max_grants_per_player"):
            del self.fields[name]
        self.fields["operator"].to_field_name = "slug"  # type: ignore[attr-defined]
        self.leave_out_what_is_not_asked(kind)

    @property
    def layout(self) -> Any:  # type: ignore[override]
        """Return the groups of fields, the terms first."""
        terms = [
            (title, tuple(name for name in names if name in self.fields))
            for title, names in super().layout
        ]
        return (*terms, *_SCENARIO_LAYOUT)

    def bonus(self) -> dict[str, Any]:
        """Return the terms as the API has them."""
        return {**self.terms(), "type": self.bonus_type}


class PromoTermsForm(_SimulationForm, PromoForm):
    """The terms of a promo, and how players play on them."""

    listed = _LinesField(
        label="Its games",
        help_text="One a line: book-of-ra: 1, 5 — how much a bet counts, and the largest in USD.",
    )

    def __init__(self, data: Any, *, kind: str, initial: Mapping[str, Any] | None = None) -> None:
        PromoForm.__init__(self, data, promo_type=PromoType(kind))
        self.initial = {**usual_texts(), "listed": "slots: 1", **(initial or {})}
        kept = {"operator", "listed", "days_to_complete", *INSTANT_FIELDS, *DEPOSIT_FIELDS}
        for name in list(self.fields):
            if name not in kept and name not in ScenarioFields.base_fields:
                del self.fields[name]
        self.fields["operator"].to_field_name = "slug"  # type: ignore[attr-defined]
        self.leave_out_what_is_not_asked(kind)
        if kind == PromoType.INSTANT:
            del self.fields["listed"]

    @property
    def layout(self) -> Any:  # type: ignore[override]
        """Return the groups of fields, the terms first."""
        names = (*INSTANT_FIELDS, *DEPOSIT_FIELDS, "days_to_complete", "listed")
        terms = ("operator", *(name for name in names if name in self.fields))
        return (("Terms", terms), *_SCENARIO_LAYOUT)

    def clean_listed(self) -> list[dict[str, Any]]:
        """Return the list of games as the API has it."""
        found = []
        for line in self.fields["listed"].lines(self.cleaned_data["listed"], GAMES_MAX):  # type: ignore[attr-defined]
            read = _LISTED.fullmatch(line)
            if read is None:
                raise forms.ValidationError("Type lines such as book-of-ra: 1, 5.")
            slug, counts, most = read.groups()
            found.append(
                {
                    "game": slug,
                    "wager_multiplier": Decimal(counts or 1),
                    "max_bet_amount": Decimal(most) if most else None,
                }
            )
        return found

    def promo(self) -> dict[str, Any]:
        """Return the terms as the API has them."""
        names = (*INSTANT_FIELDS, *DEPOSIT_FIELDS, "time_seconds_to_complete")
        terms = {name: value for name, value in self.terms().items() if name in names}
        return {**terms, "type": self.promo_type, "games": self.cleaned_data.get("listed", [])}


_LISTED = re.compile(
    rf"\s*([a-z0-9_-]+)(?:\s*:\s*({_NUMBER}))?(?:\s*,\s*({_NUMBER}))?\s*", re.ASCII
)
