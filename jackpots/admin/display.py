"""How jackpots look in the back office: their state, their terms in words, their meters."""

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html, format_html_join

from core.admin.display import Tone, amount_text, badge, instant_text, meter, percent_text
from core.money import format_decimal
from jackpots.enums import ContributionType, DropType, Funding, InstanceStatus
from jackpots.errors import REFUSAL_CODES, refusal
from jackpots.models import Instance, Pot, Prize
from jackpots.selectors import PotMeter

_TONES = {
    InstanceStatus.DRAFT: Tone.QUIET,
    InstanceStatus.ACTIVE: Tone.GOOD,
    InstanceStatus.CLOSING: Tone.WARNING,
    InstanceStatus.DRAWN: Tone.BUSY,
    InstanceStatus.CLOSED: Tone.QUIET,
    InstanceStatus.CANCELLED: Tone.BAD,
}


def status_badges(instance: Instance) -> str:
    """Return the state of an instance, and its pause, as badges."""
    status = InstanceStatus(instance.status)
    badges = [badge(status.label, _TONES[status])]
    if instance.is_paused:
        badges.append(badge("Paused", Tone.WARNING, title=instance.paused_reason))
    return format_html(
        '<span class="wf-badges">{}</span>',
        format_html_join("", "{}", ((each,) for each in badges)),
    )


def contribution_sentence(instance: Instance) -> str:
    """Return what a wager adds, in words."""
    if instance.contribution_type == ContributionType.FIXED:
        return f"{amount_text(instance.contribution_amount, instance.currency)} for each wager"
    assert instance.contribution_percent is not None, "percent terms without a percentage"
    return f"{format_decimal(instance.contribution_percent)} % of each wager"


def funding_sentence(instance: Instance) -> str:
    """Return who pays."""
    if instance.funding == Funding.PLAYER:
        return "The player pays it, on top of the wager"
    return "The operator pays it"


def schedule_sentence(instance: Instance) -> str:
    """Return when the instance takes contributions."""
    opens, closes = instance.opens_at, instance.closes_at
    if opens is None and closes is None:
        return "at any time"
    if closes is None:
        return f"from {instant_text(opens)} UTC on"
    if opens is None:
        return f"until {instant_text(closes)} UTC"
    return f"from {instant_text(opens)} to {instant_text(closes)} UTC"


def drop_sentence(pot: Pot, currency: str) -> str:
    """Return what makes a pot drop, in words."""
    match pot.drop_type:
        case DropType.MUST_HIT_BY_AMOUNT:
            return f"before it reaches {amount_text(pot.drop_amount, currency)}"
        case DropType.MUST_HIT_BY_TIME:
            return f"by {instant_text(pot.drop_at)} UTC"
        case DropType.HIT_RATE:
            assert pot.drop_probability is not None, "a hit rate without its probability"
            return f"by chance, {format_decimal(pot.drop_probability)} for each unit wagered"
        case _:
            return "when somebody says so"


def prize_value(prize: Prize, currency: str) -> str:
    """Return what a prize is worth: an amount, or a share of the pot."""
    if prize.share is not None:
        return f"{percent_text(prize.share)} of the pot"
    return amount_text(prize.amount, currency)


def meter_lines(meters: Sequence[PotMeter], currency: str) -> list[dict[str, str]]:
    """Return the meters of an instance with their currency, as templates show them."""
    return [{"name": each.name, "value": meter(each.value, currency)} for each in meters]


def error_sentence(error_code: str) -> str:
    """Return what a leg's refusal means."""
    return refusal(error_code).detail if error_code in REFUSAL_CODES else error_code


def names_of(instances: Sequence[Any]) -> str:
    """Return the names of instances as one reads a list aloud: "Daily, Weekly and Monthly"."""
    names = [str(instance) for instance in instances]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
