"""What a segment is made of: rules, or a file of player ids."""

from typing import Any, ClassVar

from django import forms

from core.admin import ServiceForm
from core.admin.fields import DecimalTextField
from core.admin.pages import dress
from operators.models import Operator
from players.models import AFFILIATE_CODE_LENGTH_MAX, TAG_LENGTH_MAX, TAGS_MAX
from players.rules import BOUNDED_FIELDS, COUNTRIES
from players.services.segment_files import FILE_BYTES_MAX, LINES_MAX

_INTEGER_MAX = 2_147_483_647
_MIB = 1024 * 1024
_LABELS = {
    "kyc_level": "KYC level",
    "vip_level": "VIP level",
    "total_deposit_usd": "Total deposits, USD",
    "total_wager_usd": "Total wagers, USD",
    "deposit_count": "Number of deposits",
}


class WordsField(forms.CharField):
    """Words with commas between them; each counts once."""

    def __init__(self, *, word_length_max: int, words_max: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.word_length_max = word_length_max
        self.words_max = words_max

    def clean(self, value: Any) -> list[str]:
        """Return the words, in the order in which they were typed."""
        words = [word.strip() for word in super().clean(value).split(",")]
        found = list(dict.fromkeys(word for word in words if word))
        for word in found:
            if len(word) > self.word_length_max or not word.isprintable():
                raise forms.ValidationError(f"{word[:50]!r} cannot be one.")
        if len(found) > self.words_max:
            raise forms.ValidationError(f"At most {self.words_max} are possible.")
        return found


class SegmentForm(ServiceForm):
    """Whose segment it is, and its name."""

    operator = forms.ModelChoiceField(
        queryset=Operator.objects.order_by("name"), empty_label="Choose an operator"
    )
    name = forms.CharField(max_length=120, help_text="What staff call it: Lapsed in spring.")

    def clean_name(self) -> str:
        """Return the name, which can be printed."""
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError("It holds characters that cannot be printed.")
        return name


class RulesForm(SegmentForm):
    """Who belongs: whoever matches every rule. What is left empty is no rule."""

    layout = (
        ("Segment", ("operator", "name")),
        (
            "From, and up to and including",
            tuple(f"{end}_{field}" for field in BOUNDED_FIELDS for end in ("min", "max")),
        ),
        ("And", ("countries", "tags_any", "tags_all", "affiliate_code")),
    )

    countries = WordsField(
        required=False,
        word_length_max=2,
        words_max=len(COUNTRIES),
        help_text="One of these: MT, DE, FI.",
    )
    tags_any = WordsField(
        required=False,
        word_length_max=TAG_LENGTH_MAX,
        words_max=TAGS_MAX,
        label="Any of these tags",
        help_text="With commas between them.",
    )
    tags_all = WordsField(
        required=False,
        word_length_max=TAG_LENGTH_MAX,
        words_max=TAGS_MAX,
        label="All of these tags",
    )
    affiliate_code = forms.CharField(required=False, max_length=AFFILIATE_CODE_LENGTH_MAX)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update(_bounds())
        dress(self)

    def clean_countries(self) -> list[str]:
        """Return the countries, which are real ones."""
        countries: list[str] = self.cleaned_data["countries"]
        unknown = [code for code in countries if code not in COUNTRIES]
        if unknown:
            raise forms.ValidationError(f"There is no country {', '.join(unknown[:5])}.")
        return countries

    def rules(self) -> dict[str, Any]:
        """Return what was entered, as the service takes it."""
        given = {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in ("operator", "name", "form_token")
        }
        return {name: value for name, value in given.items() if value not in (None, "", [])}

    def field_of(self, pointer: str) -> str:
        """Return the field of a rule: "rules/min_kyc_level"."""
        return pointer.removeprefix("rules/")


class FileForm(SegmentForm):
    """A file with one player id a line."""

    layout: ClassVar = (("Segment", ("operator", "name", "file")),)

    file = forms.FileField(
        label="CSV file",
        allow_empty_file=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
        help_text=(
            f"One player id a line, in UTF-8; a first line player_id is left out. At most "
            f"{LINES_MAX:,} lines and {FILE_BYTES_MAX // _MIB} MiB."
        ),
    )


def _bounds() -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {}
    for field in BOUNDED_FIELDS:
        for end, words in (("min", "at least"), ("max", "at most")):
            label = f"{_LABELS[field]}, {words}"
            if field.endswith("_usd"):
                fields[f"{end}_{field}"] = DecimalTextField(required=False, label=label)
            else:
                fields[f"{end}_{field}"] = forms.IntegerField(
                    required=False, min_value=0, max_value=_INTEGER_MAX, label=label
                )
    return fields
