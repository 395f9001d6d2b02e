"""What the home page says about bonuses: what waits, what runs, what is owed, what became of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils.timesince import timesince

from bonuses.admin.display import progress_cell
from bonuses.dashboard import (
    COUNTED_MAX,
    BonusFigures,
    Funnel,
    FunnelStage,
    LastReconciliation,
    Liability,
    RunningCampaign,
    WaitingIssuances,
    read_bonus_figures,
)
from bonuses.enums import DiscrepancyStatus, GrantStatus, IssuanceStatus, RunStatus
from core.admin import Panel, Tile, panel_at_home
from core.admin.display import Tone, amount_text, badge, link, list_url, money, url_of
from core.admin.panels import count_text
from core.admin.periods import Period, asked_period

# Platforms that do not answer at once are tried again within seconds.
_SOON = timedelta(minutes=5)
# Daily, and half a day for a night in which nothing ran.
_OVERDUE = timedelta(hours=36)
_HUNDRED = Decimal(100)
_STAGES = (
    (GrantStatus.ACTIVE, "Wagering", "still active"),
    (GrantStatus.COMPLETED, "Completed", "released to the player"),
    (GrantStatus.FORFEITED, "Forfeited", "a stake too large, or by decision"),
    (GrantStatus.EXPIRED, "Expired", "the time was up"),
    (GrantStatus.CANCELLED, "Cancelled", "taken back"),
)
_PERMISSIONS = (
    "bonuses.view_bonusissuance",
    "bonuses.view_discrepancy",
    "bonuses.view_reconciliationrun",
    "bonuses.view_bonuscampaign",
    "bonuses.view_bonusgrant",
)


@panel_at_home(order=40)
def bonus_parts(request: HttpRequest, now: datetime) -> Iterator[Panel | Tile]:
    """Yield what waits as tiles; campaigns, the funnel and the liability as panels."""
    seen = {each for each in _PERMISSIONS if request.user.has_perm(each)}
    if not seen:
        return
    period = asked_period(request, now=now)
    figures = read_bonus_figures(since=period.since)
    if "bonuses.view_bonusissuance" in seen:
        yield _issuances_tile(figures.pending, now)
    if "bonuses.view_discrepancy" in seen:
        yield _discrepancies_tile(figures.discrepancy_count)
    if "bonuses.view_reconciliationrun" in seen:
        yield _reconciliation_tile(figures.reconciliation, now)
    if "bonuses.view_bonuscampaign" in seen:
        yield _campaigns_panel(figures)
    if "bonuses.view_bonusgrant" in seen:
        yield _funnel_panel(figures.funnel, period)
        yield _liability_panel(figures, shows_offers="bonuses.view_bonusissuance" in seen)


def _issuances_tile(pending: WaitingIssuances, now: datetime) -> Tile:
    url = list_url("bonuses.bonusissuance", status__exact=IssuanceStatus.PENDING.value)
    if pending.count == 0:
        return Tile("Issuances waiting", "0", "Every bonus has reached its platform.", url)
    if pending.oldest_at is None:
        note, tone = "So many that nobody counts on.", Tone.BAD
    else:
        note = f"The oldest for {timesince(pending.oldest_at, now, depth=1)}."
        tone = Tone.WARNING if now - pending.oldest_at > _SOON else Tone.BUSY
    return Tile("Issuances waiting", count_text(pending.count, most=COUNTED_MAX), note, url, tone)


def _discrepancies_tile(count: int) -> Tile:
    url = list_url("bonuses.discrepancy", status__exact=DiscrepancyStatus.OPEN.value)
    if count == 0:
        return Tile("Open discrepancies", "0", "Platforms and we agree.", url)
    return Tile(
        "Open discrepancies",
        count_text(count, most=COUNTED_MAX),
        "A platform says otherwise. Fix it there, or explain it here.",
        url,
        Tone.WARNING,
    )


def _reconciliation_tile(run: LastReconciliation | None, now: datetime) -> Tile:
    label = "Last reconciliation"
    if run is None:
        return Tile(
            label,
            "None yet",
            "Platforms are asked daily, and by manage.py reconcile_bonuses.",
            list_url("bonuses.reconciliationrun"),
        )
    url = url_of("bonuses.reconciliationrun", run.id)
    since = run.finished_at or run.started_at
    counts = f"{run.asked_count:,} asked, {run.replayed_count:,} replayed"
    if run.is_alarming:
        note = f"{run.unknown_count:,} of {run.asked_count:,} unknown to their platform."
        return Tile(label, "Alarming", f"{note} Look at the adapter.", url, Tone.BAD)
    if now - since > _OVERDUE:
        note = f"None has finished for {timesince(since, now, depth=1)}: is beat running?"
        return Tile(label, "Overdue", note, url, Tone.WARNING)
    if run.status == RunStatus.RUNNING:
        return Tile(label, "Running", f"{counts} so far.", url, Tone.BUSY)
    if run.unknown_count or run.unanswered_count:
        note = f"{run.unknown_count:,} unknown, {run.unanswered_count:,} unanswered; {counts}."
        return Tile(label, "Incomplete", note, url, Tone.WARNING)
    ago = timesince(since, now, depth=1)
    return Tile(label, "Finished", f"{counts}; {ago} ago.", url, Tone.GOOD)


def _campaigns_panel(figures: BonusFigures) -> Panel:
    context: dict[str, Any] = {
        "campaigns": [_campaign(each) for each in figures.campaigns],
        "campaign_count": figures.campaign_count,
        "more": figures.campaign_count - len(figures.campaigns),
        "all_url": list_url("bonuses.bonuscampaign", status__exact="issuing"),
        "drafts_url": list_url("bonuses.bonuscampaign"),
    }
    return Panel("Campaigns in progress", "admin/bonuses/home_campaigns.html", context)


def _campaign(campaign: RunningCampaign) -> dict[str, Any]:
    audience, done = campaign.audience_size, campaign.done_count
    percent = 100 if audience == 0 else 100 * done // audience
    budget = campaign.budget_base
    currency = campaign.base_currency
    return {
        "link": link(url_of("bonuses.bonuscampaign", campaign.id), campaign.name),
        "operator": campaign.operator,
        "status": (
            badge("Paused", Tone.WARNING, title=campaign.pause_reason)
            if campaign.is_paused
            else badge("Issuing", Tone.BUSY)
        ),
        "reason": campaign.pause_reason,
        "bar": progress_cell(percent, f"{done:,} of {audience:,} players"),
        "told": f"{done:,} of {audience:,} players",
        "spent": money(campaign.committed_base, currency),
        "budget": "" if budget is None else f"of {amount_text(budget, currency)}",
    }


def _funnel_panel(funnel: Funnel, period: Period) -> Panel:
    granted = funnel.granted
    stages = [_stage("Granted", "all of the period", granted, granted, Decimal(0), period, None)]
    begins = Decimal(0)
    for status, label, meaning in _STAGES:
        stage = funnel.stages[status]
        stages.append(_stage(label, meaning, stage, granted, begins, period, status))
        begins += _percent(stage, granted)
    context = {
        "stages": stages if granted.count else [],
        "period": period,
        "templates_url": list_url("bonuses.bonustemplate"),
    }
    return Panel("Wagering funnel", "admin/bonuses/home_funnel.html", context)


def _stage(
    label: str,
    meaning: str,
    stage: FunnelStage,
    granted: FunnelStage,
    begins: Decimal,
    period: Period,
    status: GrantStatus | None,
) -> dict[str, Any]:
    """Return a row of the funnel; its bar begins where that of the row before ends."""
    percent = _percent(stage, granted)
    narrowed = {"granted": period.name}
    if status is not None:
        narrowed["status__exact"] = status.value
    return {
        "name": "granted" if status is None else status.value,
        "label": label,
        "meaning": meaning,
        "count": f"{stage.count:,}",
        "percent": f"{percent:.0f} %" if percent in (0, _HUNDRED) else f"{percent:.1f} %",
        "begins": f"{begins:.2f}",
        "width": f"{percent:.2f}",
        "amounts": [money(amount, code) for code, amount in stage.amounts.items()],
        "url": list_url("bonuses.bonusgrant", **narrowed),
    }


def _percent(stage: FunnelStage, granted: FunnelStage) -> Decimal:
    return Decimal(0) if granted.count == 0 else _HUNDRED * stage.count / granted.count


def _liability_panel(figures: BonusFigures, *, shows_offers: bool) -> Panel:
    totals: dict[str, Decimal] = {}
    for each in figures.liabilities:
        totals[each.base_currency] = totals.get(each.base_currency, Decimal(0)) + each.amount_base
    context = {
        "rows": [_liability(each) for each in figures.liabilities],
        "totals": [money(amount, code) for code, amount in sorted(totals.items())],
        "grants_url": list_url("bonuses.bonusgrant", status__exact=GrantStatus.ACTIVE.value),
        "templates_url": list_url("bonuses.bonustemplate"),
        "offer_count": figures.offer_count if shows_offers else 0,
        "offers": count_text(figures.offer_count, most=COUNTED_MAX),
        "offers_url": list_url(
            "bonuses.bonusissuance", status__exact=IssuanceStatus.AWAITING_DEPOSIT.value
        ),
    }
    return Panel("Bonus liability", "admin/bonuses/home_liability.html", context, is_half=True)


def _liability(liability: Liability) -> dict[str, str]:
    return {
        "currency": liability.currency,
        "count": f"{liability.grant_count:,}",
        "url": list_url(
            "bonuses.bonusgrant",
            status__exact=GrantStatus.ACTIVE.value,
            bonus_currency__exact=liability.currency,
            base_currency_code__exact=liability.base_currency,
        ),
        "amount": money(liability.amount, liability.currency),
        "base": money(liability.amount_base, liability.base_currency),
    }
