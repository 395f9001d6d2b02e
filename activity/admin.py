"""Bets in the back office: to look at, never to change."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from activity.enums import BetStatus
from activity.models import Bet
from activity.selectors import BetsOfDay, sum_bets_by_day
from core.admin import LargeTableAdmin
from core.admin.display import (
    EMPTY,
    Tone,
    amount_text,
    badge,
    code,
    instant,
    list_url,
    money,
    object_link,
)
from core.admin.history import HistoryEvent, Window, history_of
from core.admin.search import across_operators, parse_uuid
from core.admin.timeline import TimelineEvent
from core.money import format_decimal
from players.models import Player

_TONES = {
    BetStatus.PLACED: Tone.BUSY,
    BetStatus.SETTLED: Tone.GOOD,
    BetStatus.ROLLED_BACK: Tone.QUIET,
}


@admin.register(Bet)
class BetAdmin(LargeTableAdmin):
    """Look at bets; players place them through the API, and it alone settles them."""

    list_display = ("placed", "player", "game", "bet_id_shown", "status_shown", "staked", "paid")
    list_display_links = ("placed",)
    list_filter = (("operator", RelatedDropdownFilter), ("status", ChoicesDropdownFilter))
    list_select_related = ("operator", "player", "game")
    search_fields = ("player__reference",)
    search_help_text = "Search by player id, or by the bet's id here"
    fieldsets: ClassVar = [
        (
            "Bet",
            {
                "fields": [
                    "bet_id_shown",
                    "status_shown",
                    "player_link",
                    "game_link",
                    "operator_link",
                ]
            },
        ),
        (
            "Money",
            {
                "fields": [
                    "staked",
                    "staked_by_bonuses",
                    "paid",
                    "paid_to_bonuses",
                    "staked_usd",
                    "rate_shown",
                ]
            },
        ),
        ("Dates", {"fields": ["placed", "settled", "rolled_back"]}),
        ("Ledger", {"fields": ["id_shown", "stake_transfer", "payout_transfer"]}),
    ]
    empty_icon = "casino"
    empty_text = (
        "Players bet with POST /v1/players/{player_id}/bets, or when somebody runs manage.py play. "
        "Nobody has bet yet."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find the bets of a player, through the index that leads with their operator."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = parse_uuid(term)
        if wanted is not None:
            return queryset.filter(pk=wanted), False
        players = list(across_operators(Player.objects.with_reference(term)))
        operators = {player.operator_id for player in players}
        return queryset.filter(operator__in=operators, player__in=players), False

    @admin.display(description="Placed")
    def placed(self, bet: Bet) -> str:
        """Return when it was placed."""
        return instant(bet.placed_at)

    @admin.display(description="Bet")
    def bet_id_shown(self, bet: Bet) -> str:
        """Return the operator's own id of it."""
        return code(bet.bet_id)

    @admin.display(description="Status")
    def status_shown(self, bet: Bet) -> str:
        """Return how far it is."""
        status = BetStatus(bet.status)
        return badge(status.label, _TONES[status])

    @admin.display(description="Stake")
    def staked(self, bet: Bet) -> str:
        """Return what the player staked."""
        return money(bet.stake, bet.currency)

    @admin.display(description="Payout")
    def paid(self, bet: Bet) -> str:
        """Return what the bet paid."""
        return money(bet.payout, bet.currency)

    @admin.display(description="Of it bonus money")
    def staked_by_bonuses(self, bet: Bet) -> str:
        """Return what of the stake the money of bonuses paid."""
        return money(bet.bonus_stake, bet.currency)

    @admin.display(description="Of it to bonuses")
    def paid_to_bonuses(self, bet: Bet) -> str:
        """Return what of the payout is for that part."""
        return money(bet.bonus_payout, bet.currency)

    @admin.display(description="Stake in US dollars")
    def staked_usd(self, bet: Bet) -> str:
        """Return what promos and totals count."""
        return money(bet.stake_usd, "USD")

    @admin.display(description="Rate")
    def rate_shown(self, bet: Bet) -> str:
        """Return the rate at which the stake was converted."""
        if bet.usd_rate_at is None:
            return "No conversion"
        return f"1 {bet.currency} = {format_decimal(bet.usd_rate)} USD"

    @admin.display(description="Player")
    def player_link(self, bet: Bet) -> str:
        """Return a link to the player."""
        return object_link(bet.player)

    @admin.display(description="Game")
    def game_link(self, bet: Bet) -> str:
        """Return a link to the game."""
        return object_link(bet.game)

    @admin.display(description="Operator")
    def operator_link(self, bet: Bet) -> str:
        """Return a link to the operator."""
        return object_link(bet.operator)

    @admin.display(description="Settled")
    def settled(self, bet: Bet) -> str:
        """Return when its outcome was known."""
        return instant(bet.settled_at)

    @admin.display(description="Rolled back")
    def rolled_back(self, bet: Bet) -> str:
        """Return when it was undone."""
        return instant(bet.rolled_back_at)

    @admin.display(description="Id")
    def id_shown(self, bet: Bet) -> str:
        """Return the id of its row."""
        return code(bet.pk)

    @admin.display(description="Stake's transfer")
    def stake_transfer(self, bet: Bet) -> str:
        """Return what the ledger calls what the main balance paid."""
        return code(bet.stake_reference) if bet.main_stake else EMPTY

    @admin.display(description="Payout's transfer")
    def payout_transfer(self, bet: Bet) -> str:
        """Return what the ledger calls what the main balance got."""
        return code(bet.payout_reference) if bet.main_payout else EMPTY


@history_of("players.player", kind="bets", title="Bets", order=20, permission="activity.view_bet")
def bet_events(request: HttpRequest, player: Player, window: Window) -> Iterator[HistoryEvent]:
    """Yield the player's bets, those of a day as one event: there may be thousands."""
    found = sum_bets_by_day(player=player, until=window.until, before=_parse_mark(window.mark))
    for each in found.days:
        yield HistoryEvent(
            TimelineEvent(
                at=each.last_at,
                order=0,
                what=f"{each.count:,} bet{'' if each.count == 1 else 's'} on "
                f"{each.day:%d %b %Y}".replace(" 0", " "),
                detail=_sums_of(each),
                amount=_outcome_of(each),
                url=list_url(
                    "activity.bet", q=player.reference, operator__id__exact=player.operator_id
                ),
            ),
            mark=f"{each.first_at.isoformat()}~{each.first_id}",
            goes_on=found.goes_on and each is found.days[-1],
        )


def _sums_of(bets: BetsOfDay) -> str:
    told = [
        f"{bets.first_at:%H:%M}" + ("" if bets.count == 1 else f" to {bets.last_at:%H:%M}"),
        f"{amount_text(bets.staked, bets.currency)} staked",
        f"{amount_text(bets.paid, bets.currency)} won",
    ]
    if bets.bonus_staked:
        told.append(f"{amount_text(bets.bonus_staked, bets.currency)} of it bonus money")
    if bets.open_count:
        told.append(f"{bets.open_count:,} not settled yet")
    if bets.rolled_back_count:
        told.append(f"{bets.rolled_back_count:,} rolled back")
    return ", ".join(told)


def _outcome_of(bets: BetsOfDay) -> str:
    """Return what the player won or lost, once every bet is settled."""
    if bets.open_count:
        return ""
    outcome = bets.paid - bets.staked
    return f"{'+' if outcome > 0 else ''}{amount_text(outcome, bets.currency)}"


def _parse_mark(mark: str) -> tuple[datetime, UUID] | None:
    """Return where the events that are shown left off; nothing if that cannot be read."""
    at, _, bet_id = mark.partition("~")
    try:
        placed_at, first_id = parse_datetime(at), UUID(bet_id)
    except ValueError:
        return None
    return None if placed_at is None or placed_at.tzinfo is None else (placed_at, first_id)
