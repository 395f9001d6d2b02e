"""The ledger in the back office: accounts, transfers, and what a player holds."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from core.admin import LargeTableAdmin, Panel, panel_on
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
    url_of,
)
from core.admin.history import HistoryEvent, Window, history_of
from core.admin.search import across_operators, parse_uuid
from core.admin.timeline import AFTER_DECISIONS, TimelineEvent
from core.money import format_decimal
from players.models import Player
from wallets.enums import AccountKind, Tag
from wallets.models import Account, Transfer
from wallets.selectors import get_hot_balance, list_held_money, list_newest_moves

_NEWEST_SHOWN = 10
#: What a move was, by its tag and by whether the player gained or lost by it.
_MOVES = {
    (Tag.TIP, "+"): "Tip received",
    (Tag.TIP, "−"): "Tip sent",
    (Tag.VAULT, ""): "Into or out of the vault",
    (Tag.PROMO, "+"): "Bonus of a promo",
    (Tag.PROMO, "−"): "Bonus of a promo taken back",
    (Tag.BONUS, "+"): "Bonus money given",
    (Tag.BONUS, "−"): "Bonus money taken back",
    (Tag.BONUS, ""): "Bonus released to the main balance",
    (Tag.JACKPOT, "+"): "Jackpot win paid",
    (Tag.ROLLBACK, "+"): "Taken back: paid to the player again",
    (Tag.ROLLBACK, "−"): "Taken back from the player",
}


@admin.register(Account)
class AccountAdmin(LargeTableAdmin):
    """Look at accounts and at what each holds."""

    list_display = ("kind", "player_shown", "owner_shown", "operator", "currency", "balance_shown")
    list_display_links = ("kind",)
    list_filter = (("operator", RelatedDropdownFilter), ("kind", ChoicesDropdownFilter))
    list_select_related = ("operator", "player")
    search_fields = ("owner",)
    search_help_text = "Search by player id, or by the id of a jackpot instance"
    fieldsets: ClassVar = [
        ("Account", {"fields": ["kind", "operator_link", "player_shown", "owner_shown"]}),
        ("Money", {"fields": ["currency", "balance_now"]}),
    ]
    empty_icon = "account_balance"
    empty_text = "Accounts open by themselves, with the first money that moves."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find the accounts of a player, or the pool of a jackpot instance."""
        term = search_term.strip()
        if not term:
            return queryset, False
        players = list(across_operators(Player.objects.with_reference(term)))
        if players:
            return queryset.filter(player__in=players), False
        return across_operators(queryset.filter(player=None, owner=term)), False

    @admin.display(description="Player")
    def player_shown(self, account: Account) -> str:
        """Return a link to the player whose account it is."""
        return object_link(account.player)

    @admin.display(description="Belongs to")
    def owner_shown(self, account: Account) -> str:
        """Return the id of the jackpot instance or grant whose money it is."""
        return code(account.owner)

    @admin.display(description="Operator")
    def operator_link(self, account: Account) -> str:
        """Return a link to the operator."""
        return object_link(account.operator)

    @admin.display(description="Balance")
    def balance_shown(self, account: Account) -> str:
        """Return the balance, if it is a column: summing a hot account costs a statement."""
        if account.balance is None:
            return format_html('<span class="wf-muted">{}</span>', "summed on its page")
        return money(account.balance, account.currency)

    @admin.display(description="Balance now")
    def balance_now(self, account: Account) -> str:
        """Return the balance, summed for a hot account."""
        balance = account.balance
        if balance is None:
            balance = get_hot_balance(account=account)
        return money(balance, account.currency)

    def panels_after(self, request: HttpRequest, subject: Account, now: datetime) -> list[Panel]:
        """Return the newest transfers of a player's account."""
        if subject.is_hot or not request.user.has_perm("wallets.view_transfer"):
            return []
        rows = [_row(transfer, {subject.pk}) for transfer in _newest_of([subject.pk])]
        context = {"rows": rows}
        return [Panel("Newest transfers", "admin/wallets/transfers.html", context)]


@admin.register(Transfer)
class TransferAdmin(LargeTableAdmin):
    """Look at money that moved; what is wrong is corrected by another transfer."""

    list_display = (
        "posted",
        "tag_shown",
        "amount_shown",
        "debit_shown",
        "credit_shown",
        "reference_shown",
        "operator",
    )
    list_filter = (("operator", RelatedDropdownFilter), ("tag", ChoicesDropdownFilter))
    list_select_related = (
        "operator",
        "debit_account__player",
        "credit_account__player",
    )
    search_fields = ("reference",)
    search_help_text = "Search by id, reference, or player id"
    fieldsets: ClassVar = [
        (
            "Transfer",
            {"fields": ["public_id", "tag_shown", "reference_shown", "operator_link", "posted"]},
        ),
        ("Money", {"fields": ["amount_shown", "debit_shown", "credit_shown"]}),
        ("Balances after it", {"fields": ["debit_after", "credit_after"]}),
        ("Conversion", {"fields": ["original", "rate_shown"]}),
        ("Correction", {"fields": ["reverses_shown"]}),
    ]
    has_history = False
    empty_icon = "swap_horiz"
    empty_text = "Money moves when players deposit, bet or contribute. Nothing has moved yet."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find transfers by exact id, by reference, or by the player whose money moved."""
        term = search_term.strip()
        if not term:
            return queryset, False
        public_id = parse_uuid(term)
        if public_id is not None:
            return queryset.filter(public_id=public_id), False
        players = list(across_operators(Player.objects.with_reference(term)))
        accounts = list(Account.objects.filter(player__in=players).values_list("pk", flat=True))
        if accounts:
            return queryset.filter(_moved(accounts)), False
        return across_operators(queryset.filter(reference=term)), False

    @admin.display(description="Posted")
    def posted(self, transfer: Transfer) -> str:
        """Return when the money moved."""
        return instant(transfer.posted_at)

    @admin.display(description="Tag")
    def tag_shown(self, transfer: Transfer) -> str:
        """Return why the money moved."""
        return badge(transfer.get_tag_display(), Tone.QUIET)

    @admin.display(description="Amount")
    def amount_shown(self, transfer: Transfer) -> str:
        """Return the amount."""
        return money(transfer.amount, transfer.currency)

    @admin.display(description="From")
    def debit_shown(self, transfer: Transfer) -> str:
        """Return a link to the account that the money left."""
        return object_link(transfer.debit_account, account_name(transfer.debit_account))

    @admin.display(description="To")
    def credit_shown(self, transfer: Transfer) -> str:
        """Return a link to the account that the money reached."""
        return object_link(transfer.credit_account, account_name(transfer.credit_account))

    @admin.display(description="Reference")
    def reference_shown(self, transfer: Transfer) -> str:
        """Return the reference."""
        return code(transfer.reference)

    @admin.display(description="Operator")
    def operator_link(self, transfer: Transfer) -> str:
        """Return a link to the operator."""
        return object_link(transfer.operator)

    @admin.display(description="Left behind")
    def debit_after(self, transfer: Transfer) -> str:
        """Return what the player whose money left had then."""
        return money(transfer.debit_balance_after, transfer.currency)

    @admin.display(description="Reached")
    def credit_after(self, transfer: Transfer) -> str:
        """Return what the player whom the money reached had then."""
        return money(transfer.credit_balance_after, transfer.currency)

    @admin.display(description="Original amount")
    def original(self, transfer: Transfer) -> str:
        """Return the amount before it was converted."""
        if transfer.original_currency is None:
            return EMPTY
        return money(transfer.original_amount, transfer.original_currency)

    @admin.display(description="Rate")
    def rate_shown(self, transfer: Transfer) -> str:
        """Return the rate at which it was converted, and since when it was in force."""
        if transfer.rate is None:
            return EMPTY
        return (
            f"1 {transfer.original_currency} = {format_decimal(transfer.rate)} {transfer.currency}"
        )

    @admin.display(description="Reverses")
    def reverses_shown(self, transfer: Transfer) -> str:
        """Return a link to the transfer that this one corrects."""
        return object_link(transfer.reverses)


@panel_on("players.player", order=10)
def wallet_panel(request: HttpRequest, player: Player, now: datetime) -> Panel | None:
    """Return what a player holds, the money of bonuses apart."""
    if not request.user.has_perm("wallets.view_account"):
        return None
    context: dict[str, Any] = {
        "held": [
            {
                "main": amount_text(each.main, each.currency),
                "vault": amount_text(each.vault, each.currency),
                "bonus": amount_text(each.bonus, each.currency),
                "bonus_count": each.bonus_count,
            }
            for each in list_held_money(player=player)
        ],
        "accounts_url": list_url("wallets.account", player__id__exact=player.pk),
    }
    if request.user.has_perm("wallets.view_transfer"):
        context["transfers_url"] = list_url(
            "wallets.transfer", q=player.reference, operator__id__exact=player.operator_id
        )
    return Panel("Wallet", "admin/wallets/wallet.html", context)


@history_of(
    "players.player", kind="money", title="Money", order=10, permission="wallets.view_transfer"
)
def money_events(request: HttpRequest, player: Player, window: Window) -> Iterator[HistoryEvent]:
    """Yield the player's money that moved, but for play, of which there is too much."""
    moves = list_newest_moves(player=player, until=window.until, count=window.size)
    for move in moves:
        is_debit = move.debit_player_id == player.pk
        is_credit = move.credit_player_id == player.pk
        # Between two accounts of their own a player gains and loses nothing.
        sign = "" if is_debit and is_credit else "−" if is_debit else "+"
        after = move.credit_balance_after if is_credit else move.debit_balance_after
        kind = AccountKind(move.credit_kind if is_credit else move.debit_kind)
        where = f"{AccountKind(move.debit_kind).label} → {AccountKind(move.credit_kind).label}"
        yield HistoryEvent(
            TimelineEvent(
                at=move.posted_at,
                order=AFTER_DECISIONS + move.id,
                what=_MOVES.get((Tag(move.tag), sign), Tag(move.tag).label),
                detail=f"{where}; {kind.label.removeprefix('Player: ')} then "
                f"{amount_text(after, move.currency)}",
                amount=f"{sign}{amount_text(move.amount, move.currency)}",
                url=url_of("wallets.transfer", move.id),
            )
        )


def account_name(account: Account) -> str:
    """Return an account as people call it: whose it is, and what for."""
    owner = account.player.reference if account.player is not None else account.owner[:8]
    return f"{account.get_kind_display()} {owner}".strip()


def _moved(account_ids: list[int]) -> Q:
    """Return the condition of transfers of players' accounts, in the words of their indexes."""
    return Q(debit_account__in=account_ids, debit_balance_after__isnull=False) | Q(
        credit_account__in=account_ids, credit_balance_after__isnull=False
    )


def _newest_of(account_ids: list[int]) -> QuerySet[Transfer]:
    transfers = Transfer.objects.filter(_moved(account_ids)).order_by("-pk")
    return transfers.select_related("debit_account__player", "credit_account__player")[
        :_NEWEST_SHOWN
    ]


def _row(transfer: Transfer, account_ids: set[int]) -> dict[str, Any]:
    """Return a transfer as one of the accounts saw it."""
    is_debit = transfer.debit_account_id in account_ids
    other = transfer.credit_account if is_debit else transfer.debit_account
    after = transfer.debit_balance_after if is_debit else transfer.credit_balance_after
    sign = "−" if is_debit else "+"
    return {
        "posted": object_link(transfer, instant(transfer.posted_at)),
        "tag": badge(transfer.get_tag_display(), Tone.QUIET),
        "amount": f"{sign}{amount_text(transfer.amount, transfer.currency)}",
        "other": account_name(other),
        "after": amount_text(after, transfer.currency),
    }
