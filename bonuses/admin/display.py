"""How bonuses look in the back office: badges, terms in words, and how far things are."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.html import format_html

from bonuses.enums import (
    BonusType,
    CampaignStatus,
    DiscrepancyStatus,
    EventOutcome,
    GrantStatus,
    IssuanceStatus,
    WageringBasis,
)
from bonuses.models import (
    BonusCampaign,
    BonusGrant,
    BonusIssuance,
    BonusTemplate,
    Discrepancy,
    PlatformEvent,
)
from core.admin.display import EMPTY, Tone, amount_text, badge
from core.money import format_decimal
from wallets.selectors import get_bonus_balances

_GRANT_TONES = {
    GrantStatus.ACTIVE: Tone.BUSY,
    GrantStatus.COMPLETED: Tone.GOOD,
    GrantStatus.FORFEITED: Tone.BAD,
    GrantStatus.EXPIRED: Tone.QUIET,
    GrantStatus.CANCELLED: Tone.BAD,
}
_ISSUANCE_TONES = {
    IssuanceStatus.AWAITING_DEPOSIT: Tone.BUSY,
    IssuanceStatus.PENDING: Tone.WARNING,
    IssuanceStatus.SUCCEEDED: Tone.GOOD,
    IssuanceStatus.REJECTED: Tone.BAD,
    IssuanceStatus.FAILED: Tone.BAD,
}
_OUTCOME_TONES = {
    EventOutcome.APPLIED: Tone.GOOD,
    EventOutcome.PARKED: Tone.WARNING,
    EventOutcome.TERMINAL_IMMUTABLE: Tone.QUIET,
    EventOutcome.UNSUPPORTED_EVENT: Tone.QUIET,
}
_DISCREPANCY_TONES = {
    DiscrepancyStatus.OPEN: Tone.BAD,
    DiscrepancyStatus.FIXED: Tone.GOOD,
    DiscrepancyStatus.EXPLAINED: Tone.QUIET,
}
_CAMPAIGN_TONES = {
    CampaignStatus.DRAFT: Tone.QUIET,
    CampaignStatus.ISSUING: Tone.BUSY,
    CampaignStatus.ISSUED: Tone.GOOD,
}
_HOURS_A_DAY = 24


def template_badge(template: BonusTemplate) -> str:
    """Return whether bonuses may be issued from the template, as a badge."""
    if template.is_active:
        return badge("Active", Tone.GOOD)
    return badge("Switched off", Tone.QUIET, title="Nothing is issued from it")


def grant_badge(grant: BonusGrant, *, now: datetime) -> str:
    """Return the state of a grant, as a badge; one whose time is up says so."""
    if grant.is_overdue(now=now):
        who = "It expires within a minute" if grant.is_internal else "Its platform ends it"
        return badge("Time is up", Tone.WARNING, title=who)
    status = GrantStatus(grant.status)
    return badge(status.label, _GRANT_TONES[status])


def issuance_badge(issuance: BonusIssuance) -> str:
    """Return how far an issuance is, as a badge."""
    status = IssuanceStatus(issuance.status)
    return badge(status.label, _ISSUANCE_TONES[status])


def outcome_badge(event: PlatformEvent) -> str:
    """Return what came of a platform's event, as a badge."""
    outcome = EventOutcome(event.outcome)
    return badge(outcome.label, _OUTCOME_TONES[outcome])


def discrepancy_badge(discrepancy: Discrepancy) -> str:
    """Return what has become of a discrepancy, as a badge."""
    status = DiscrepancyStatus(discrepancy.status)
    return badge(status.label, _DISCREPANCY_TONES[status])


def campaign_badge(campaign: BonusCampaign) -> str:
    """Return how far a campaign is, as a badge; a paused one says so."""
    if campaign.is_paused:
        return badge("Paused", Tone.WARNING, title=campaign.pause_reason)
    status = CampaignStatus(campaign.status)
    return badge(status.label, _CAMPAIGN_TONES[status])


def hours_text(hours: int | None) -> str:
    """Return a time limit for people: "7 days"."""
    if hours is None:
        return "No limit"
    if hours % _HOURS_A_DAY == 0 and hours:
        return _counted(hours // _HOURS_A_DAY, "day")
    return _counted(hours, "hour")


def factor(value: Decimal) -> str:
    """Return a multiplier for people: "30 ×"."""
    return f"{format_decimal(value)} ×"


def gift_sentence(bonus_type: str, config: Mapping[str, Any], currency: str) -> str:
    """Return what a template gives, in words."""

    def amount(name: str) -> str:
        return amount_text(_decimal(config.get(name)), currency)

    match bonus_type:
        case BonusType.FREE_SPINS:
            games = config.get("eligible_games") or []
            count = int(config.get("count") or 0)
            return (
                f"{_counted(count, 'free spin')} of {amount('value_per_spin')} each, "
                f"on {_counted(len(games), 'game')}"
            )
        case BonusType.DEPOSIT_MATCH | BonusType.RELOAD:
            what = "a later deposit" if bonus_type == BonusType.RELOAD else "the deposit"
            return (
                f"{_percent(config.get('match_percent'))} of {what}, up to {amount('cap_amount')}"
            )
        case BonusType.CASHBACK:
            days = _counted(int(config.get("window_days") or 0), "day")
            return (
                f"{_percent(config.get('percent'))} of the losses of the last {days}, "
                f"from {amount('min_loss')} on"
            )
        case _:
            return amount("amount")


def wagering_sentence(multiplier: Decimal, basis: str) -> str:
    """Return what has to be wagered, in words."""
    if multiplier == 0:
        return "Nothing: it completes as soon as it is active"
    what = "the bonus and the deposit" if basis == WageringBasis.BONUS_PLUS_DEPOSIT else "the bonus"
    return f"{factor(multiplier)} {what}"


def weight_lines(contribution: Mapping[str, Any]) -> list[str]:
    """Return how much of a stake counts, by game, category, and otherwise."""
    found = [f"{slug}: {weight} %" for slug, weight in (contribution.get("games") or {}).items()]
    found += [
        f"{category.capitalize()}: {weight} %"
        for category, weight in contribution.items()
        if category not in ("games", "default")
    ]
    return [*found, f"Anything else: {contribution.get('default', 0)} %"]


def held_by(grant: BonusGrant) -> Decimal:
    """Return what the account of a grant of ours holds now; the service looks again, and locks."""
    return get_bonus_balances(player=grant.player).get(str(grant.pk), Decimal(0))


def progress_of(grant: BonusGrant) -> dict[str, Any]:
    """Return how far the wagering of a grant is, for a bar and for people."""
    required, done = grant.wagering_required, grant.wagering_progress
    share = Decimal(1) if required == 0 else min(max(done / required, Decimal(0)), Decimal(1))
    return {
        "percent": int(share * 100),
        "wagered": amount_text(done, grant.bonus_currency),
        "target": amount_text(required, grant.bonus_currency),
        "left": amount_text(max(required - done, Decimal(0)), grant.bonus_currency),
    }


def progress_cell(percent: int, text: str) -> str:
    """Return a bar that fits into a list."""
    return format_html(
        '<progress class="wf-progress wf-progress-small" value="{}" max="100" title="{}" '
        'aria-label="{}">{} %</progress>',
        percent,
        text,
        text,
        percent,
    )


def references_text(references: Mapping[str, Any]) -> str:
    """Return what an integrator attached, for people."""
    return ", ".join(f"{name}: {value}" for name, value in references.items()) or EMPTY


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _decimal(value: Any) -> Decimal | None:
    return None if value in ("", None) else Decimal(str(value))


def _percent(value: Any) -> str:
    number = _decimal(value)
    return EMPTY if number is None else f"{format_decimal(number)} %"
