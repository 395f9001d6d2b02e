"""What the home page says about jackpots: what went wrong, what runs, and how it grows."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from core.admin import Panel, Tile, panel_at_home
from core.admin.display import Tone, amount_text, badge, link, list_url, meter, url_of
from core.admin.panels import count_text
from core.admin.periods import Period, asked_period
from core.money import EXACT, format_amount, get_currency
from jackpots.admin.display import error_sentence, meter_lines
from jackpots.dashboard import (
    COUNTED_MAX,
    FailingLink,
    JackpotTroubles,
    RunningJackpot,
    RunningJackpots,
    read_jackpot_troubles,
    read_running_jackpots,
)
from jackpots.enums import InstanceKind, InstanceStatus, Outcome, Role, WinStatus
from jackpots.selectors import PotMeter, read_meters

_INSTANCES_SHOWN_MAX = 12
_FAILING_SHOWN_MAX = 8
#: So many lines can be told apart in one chart.
LINES_MAX = 8
_PERMISSIONS = ("jackpots.view_instance", "jackpots.view_win", "jackpots.view_rollbackloss")


@panel_at_home(order=30)
def jackpot_parts(request: HttpRequest, now: datetime) -> Iterator[Panel | Tile]:
    """Yield what may need somebody as tiles, and the meters with their growth as a panel."""
    seen = {each for each in _PERMISSIONS if request.user.has_perm(each)}
    if not seen:
        return
    troubles = read_jackpot_troubles(now=now, links_max=_FAILING_SHOWN_MAX)
    if "jackpots.view_win" in seen:
        yield _unpaid_tile(troubles.unpaid_win_count)
    if "jackpots.view_instance" in seen:
        yield _links_tile(request, troubles)
    if "jackpots.view_rollbackloss" in seen:
        yield _losses_tile(troubles.loss_count)
    if "jackpots.view_instance" not in seen:
        return
    yield _meters_panel(request, troubles.active_count, asked_period(request, now=now))
    if troubles.failing_links:
        yield _failing_panel(request, troubles)


def _unpaid_tile(count: int) -> Tile:
    # What was tried says why it failed; a lookup above the empty text finds just that.
    url = f"{list_url('jackpots.win', status__exact=WinStatus.PAYABLE.value)}&last_error__gt="
    label = "Wins not paid yet"
    if count == 0:
        return Tile(label, "0", "Every win that may be paid has been, or is about to be.", url)
    note = "Paying failed, and is tried again. Look at the errors."
    return Tile(label, count_text(count, most=COUNTED_MAX), note, url, Tone.BAD)


def _losses_tile(count: int) -> Tile:
    url = list_url("jackpots.rollbackloss", explained="no")
    label = "Rollback losses to explain"
    if count == 0:
        return Tile(label, "0", "Nothing was rolled back after its pot had been won.", url)
    note = "Rolled back after the pot had been won: the house bears it."
    return Tile(label, count_text(count, most=COUNTED_MAX), note, url, Tone.WARNING)


def _links_tile(request: HttpRequest, troubles: JackpotTroubles) -> Tile:
    label = "Link failures, 24 hours"
    url = _failures_url() if request.user.has_perm("jackpots.view_contribution") else ""
    if troubles.failed_count == 0:
        return Tile(label, "0", "Every link took everything it was sent.", url)
    links = troubles.failing_link_count
    note = f"Over {links:,} link{'' if links == 1 else 's'}; which and why stands below."
    return Tile(label, f"{troubles.failed_count:,}", note, url, Tone.WARNING)


def _failures_url(failing: FailingLink | None = None) -> str:
    one_link: dict[str, Any] = {}
    if failing is not None:
        one_link = {
            "instance__id__exact": failing.target_id,
            "source__id__exact": failing.source_id,
        }
    return list_url(
        "jackpots.contribution",
        **one_link,
        status__exact=Outcome.FAILED.value,
        role__exact=Role.LINKED.value,
        period="day",
    )


def _failing_panel(request: HttpRequest, troubles: JackpotTroubles) -> Panel:
    is_linked = request.user.has_perm("jackpots.view_contribution")
    rows = [
        {
            "source": link(url_of("jackpots.instance", each.source_id), each.source),
            "target": link(url_of("jackpots.instance", each.target_id), each.target),
            "failed": f"{each.failed_count:,}",
            "url": _failures_url(each) if is_linked else "",
            "top_error": each.top_error_code,
            "sentence": error_sentence(each.top_error_code),
        }
        for each in troubles.failing_links
    ]
    more = troubles.failing_link_count - len(rows)
    context = {"links": rows, "more": max(more, 0)}
    title = "Links that failed, last 24 hours"
    return Panel(title, "admin/jackpots/failing.html", context, is_urgent=True)


def _meters_panel(request: HttpRequest, active_count: int, period: Period) -> Panel:
    running = read_running_jackpots(since=period.since, now=period.now, limit=_INSTANCES_SHOWN_MAX)
    meters = read_meters(instance_ids=[each.id for each in running.jackpots])
    charts = _charts(running, meters, period)
    context: dict[str, Any] = {
        "charts": charts,
        "is_drawn": any(chart["drawn"] for chart in charts),
        "active_count": active_count,
        "active_url": list_url("jackpots.instance", status__exact=InstanceStatus.ACTIVE.value),
        "more": max(active_count - len(running.jackpots), 0),
        "can_add": request.user.has_perm("jackpots.add_instance"),
        "period": period,
    }
    return Panel("Jackpots and their growth", "admin/jackpots/running.html", context)


def _charts(
    running: RunningJackpots, meters: Mapping[UUID, list[PotMeter]], period: Period
) -> list[dict[str, Any]]:
    """Return a chart for each currency, that of the most jackpots first."""
    by_currency: dict[str, list[RunningJackpot]] = {}
    for each in running.jackpots:
        by_currency.setdefault(each.currency, []).append(each)
    largest_first = sorted(by_currency.items(), key=lambda item: (-len(item[1]), item[0]))
    charts = []
    for currency, jackpots in largest_first:
        lines = [each for each in jackpots if each.contributed][:LINES_MAX]
        charts.append(
            {
                "name": f"growth-{currency}",
                "currency": currency,
                # Those that gained most come first, so the lines are those of the first cards.
                "cards": [
                    _card(each, meters[each.id], line=place + 1 if place < len(lines) else 0)
                    for place, each in enumerate(jackpots)
                ],
                "drawn": _drawn(lines, running.instants, meters, period.now),
            }
        )
    return charts


def _card(jackpot: RunningJackpot, pots: list[PotMeter], *, line: int) -> dict[str, Any]:
    currency = jackpot.currency
    return {
        "link": link(url_of("jackpots.instance", jackpot.id), jackpot.name),
        "about": f"{InstanceKind(jackpot.kind).label}, {jackpot.operator}",
        "status": (
            badge("Paused", Tone.WARNING, title=jackpot.paused_reason) if jackpot.is_paused else ""
        ),
        "line": line,
        "total": meter(_total(pots), currency),
        "pots": meter_lines(pots, currency) if len(pots) > 1 else [],
        "contributed": amount_text(_rounded(jackpot.contributed, currency), currency),
    }


def _drawn(
    lines: list[RunningJackpot],
    instants: tuple[datetime, ...],
    meters: Mapping[UUID, list[PotMeter]],
    now: datetime,
) -> dict[str, Any] | None:
    """
    Return what the script draws, from where the first line rises; null if there is no line.

    Amounts are strings, as everywhere on the wire. The last of each is how it stands now.
    """
    if not lines:
        return None
    rising = [place for place in range(len(instants)) if any(each.gained[place] for each in lines)]
    first = max(min(rising, default=len(instants)) - 1, 0)
    return {
        "currency": lines[0].currency,
        "times": [int(instant.timestamp()) for instant in (*instants[first:], now)],
        "lines": [
            {
                "name": each.name,
                "gained": [
                    _text(value, each.currency)
                    for value in (*each.gained[first:], each.contributed)
                ],
                "values": [
                    None if value is None else _text(value, each.currency)
                    for value in (*each.values[first:], _total(meters[each.id]))
                ],
            }
            for each in lines
        ],
    }


def _total(pots: list[PotMeter]) -> Decimal:
    return sum((pot.value for pot in pots), Decimal(0))


def _rounded(value: Decimal, currency: str) -> Decimal:
    return value.quantize(get_currency(currency).minor_unit, rounding=ROUND_DOWN, context=EXACT)


def _text(value: Decimal, currency: str) -> str:
    return format_amount(_rounded(value, currency), currency)
