"""How jackpots look in the back office: their state, their terms in words, their meters."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join

from core.admin import ServicePage
from core.admin.display import (
    Tone,
    amount_text,
    badge,
    instant_text,
    link,
    meter,
    percent_text,
)
from core.money import format_decimal
from jackpots.enums import (
    BoostStatus,
    ContributionType,
    DropType,
    Funding,
    InstanceStatus,
    Recurrence,
    WinStatus,
)
from jackpots.errors import REFUSAL_CODES, refusal
from jackpots.models import Boost, Instance, OptIn, Pot, Prize, Win
from jackpots.selectors import PotMeter
from jackpots.services.live_terms import read_pending_terms

_TONES = {
    InstanceStatus.DRAFT: Tone.QUIET,
    InstanceStatus.ACTIVE: Tone.GOOD,
    InstanceStatus.CLOSING: Tone.WARNING,
    InstanceStatus.DRAWN: Tone.BUSY,
    InstanceStatus.CLOSED: Tone.QUIET,
    InstanceStatus.CANCELLED: Tone.BAD,
}
_WIN_TONES = {
    WinStatus.AWAITING_APPROVAL: Tone.WARNING,
    WinStatus.PAYABLE: Tone.BUSY,
    WinStatus.PAID: Tone.GOOD,
    WinStatus.REJECTED: Tone.BAD,
}
_BOOST_TONES = {
    BoostStatus.REQUESTED: Tone.WARNING,
    BoostStatus.APPLIED: Tone.GOOD,
    BoostStatus.REJECTED: Tone.BAD,
}
_PERIODS = {Recurrence.DAILY: "day", Recurrence.WEEKLY: "week", Recurrence.MONTHLY: "month"}


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


def win_badge(win: Win) -> str:
    """Return how far a win is; one that could not be paid yet says why."""
    status = WinStatus(win.status)
    if status == WinStatus.PAYABLE and win.last_error:
        return badge("Not paid yet", Tone.BAD, title=win.last_error)
    return badge(status.label, _WIN_TONES[status])


def opt_in_badge(opt_in: OptIn) -> str:
    """Return whether an opt-in stands."""
    return badge("Ended", Tone.QUIET) if opt_in.opted_out_at else badge("Opted in", Tone.GOOD)


def boost_badge(boost: Boost, *, now: datetime) -> str:
    """Return what became of the request for a boost."""
    status = BoostStatus(boost.status)
    if status == BoostStatus.REQUESTED and boost.expires_at <= now:
        return badge("Too old", Tone.QUIET, title="Nobody decided in time; it can be rejected.")
    return badge(status.label, _BOOST_TONES[status])


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


def page_links(subject: Any, pages: Sequence[type[ServicePage[Any]]]) -> str:
    """Return links to pages of commands about a row, for a column of a list."""
    urls = [
        (reverse(f"admin:{page.url_name(subject._meta)}", args=[subject.pk]), page.verb)
        for page in pages
    ]
    return format_html(
        '<span class="wf-line">{}</span>',
        format_html_join("", "{}", ((link(url, verb),) for url, verb in urls)),
    )


def pending_lines(pot: Pot, currency: str) -> list[str]:
    """Return in words what will be otherwise from the pot's next win on."""
    pending = read_pending_terms(pot=pot)
    if pending is None:
        return []
    told = []
    if pending.seed != pot.seed:
        told.append(f"seed {amount_text(pending.seed, currency)}")
    if pending.ceiling != pot.ceiling:
        ceiling = amount_text(pending.ceiling, currency)
        told.append("no ceiling" if pending.ceiling is None else f"ceiling {ceiling}")
    drop = pending.drop
    after = Pot(
        drop_type=drop.type,
        drop_amount=drop.amount,
        drop_at=drop.at,
        drop_probability=drop.probability,
    )
    if drop_sentence(after, currency) != drop_sentence(pot, currency):
        told.append(f"drops {drop_sentence(after, currency)}")
    return told


def recurrence_sentence(instance: Instance) -> str:
    """Return when the next run opens."""
    if not instance.recurrence:
        return "Never"
    period = _PERIODS[Recurrence(instance.recurrence)]
    kept = "opt-ins go on" if instance.carry_opt_ins else "players opt in anew"
    opt_ins = f"; {kept}" if instance.opt_in_required else ""
    return f"Every {period}, in the time of {instance.timezone}{opt_ins}"


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
