"""Withdrawal locks: who may not withdraw, until when, and who lifted it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import RelatedDropdownFilter

from core.admin import LargeTableAdmin, ServicePage
from core.admin.display import EMPTY, Tone, badge, instant, instant_text, object_link
from core.admin.search import across_operators
from players.models import Player
from promos.models import WithdrawalLock
from promos.services import withdrawal_locks


class LiftLockPage(ServicePage[WithdrawalLock]):
    """End a lock before its time."""

    name = "lift"
    permission = "promos.lift_withdrawallock"
    verb = "Lift lock"
    icon = "lock_open"

    @property
    def title(self) -> str:
        """Say what the page does."""
        return f"Lift the withdrawal lock of {self.subject.player}"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        lock = self.subject
        others = (
            WithdrawalLock.objects.for_operator(lock.operator)
            .running(now=self.now)
            .filter(player=lock.player)
            .exclude(pk=lock.pk)
            .count()
        )
        sentences = [
            f"This lock would end by itself on {instant_text(lock.until)} UTC; it ends now.",
        ]
        if others:
            sentences.append(
                f"{others} other lock{' of the player runs' if others == 1 else 's run'} on, so "
                "withdrawals stay locked."
            )
        if lock.user_promo.is_open:
            sentences.append(
                f"{lock.user_promo.code} is {lock.user_promo.get_status_display().lower()}: while "
                "a promo is active it blocks withdrawals by itself."
            )
        return sentences

    def obstacle(self) -> str:
        """Refuse what has ended."""
        if self.subject.lifted_at is not None:
            return f"The lock was lifted on {instant_text(self.subject.lifted_at)} UTC."
        if self.subject.until <= self.now:
            return f"The lock ended by itself on {instant_text(self.subject.until)} UTC."
        return ""

    def call(self, form: Any) -> str:
        """Lift the lock."""
        withdrawal_locks.lift_withdrawal_lock(
            operator=self.subject.operator,
            lock_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"The withdrawal lock of {self.subject.player} was lifted."


@admin.register(WithdrawalLock)
class WithdrawalLockAdmin(LargeTableAdmin):
    """Look at locks; lift one through its own page."""

    list_display = ("player_shown", "operator", "claim_shown", "state", "until_shown", "set_at")
    list_filter = (("operator", RelatedDropdownFilter),)
    list_select_related = ("operator", "player", "user_promo")
    search_fields = ("player__reference",)
    search_help_text = "Search by player id"
    fieldsets: ClassVar = [
        ("Lock", {"fields": ["state", "player_link", "claim_link", "source", "operator_link"]}),
        ("Dates", {"fields": ["set_at", "until_shown", "lifted", "lift_reason_shown"]}),
    ]
    pages = (LiftLockPage,)
    empty_icon = "lock_clock"
    empty_text = (
        "A promo may lock withdrawals for some hours from its claim, and again from its bonus "
        "credit. No promo has locked any."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find the locks of a player."""
        term = search_term.strip()
        if not term:
            return queryset, False
        players = list(across_operators(Player.objects.with_reference(term)))
        return queryset.filter(player__in=players), False

    @admin.display(description="Player")
    def player_shown(self, lock: WithdrawalLock) -> str:
        """Return the player's id."""
        return str(lock.player)

    @admin.display(description="Claim")
    def claim_shown(self, lock: WithdrawalLock) -> str:
        """Return the code of the claim that set it."""
        return f"{lock.user_promo.code}, {lock.get_source_display().lower()}"

    @admin.display(description="State")
    def state(self, lock: WithdrawalLock) -> str:
        """Return whether it holds now."""
        if lock.lifted_at is not None:
            return badge("Lifted", Tone.QUIET, title=lock.lift_reason)
        if lock.until <= timezone.now():
            return badge("Over", Tone.QUIET)
        return badge("Locked", Tone.WARNING)

    @admin.display(description="Until")
    def until_shown(self, lock: WithdrawalLock) -> str:
        """Return its end."""
        return instant(lock.until)

    @admin.display(description="Set")
    def set_at(self, lock: WithdrawalLock) -> str:
        """Return when it was set."""
        return instant(lock.created_at)

    @admin.display(description="Player")
    def player_link(self, lock: WithdrawalLock) -> str:
        """Return a link to the player."""
        return object_link(lock.player)

    @admin.display(description="Claim")
    def claim_link(self, lock: WithdrawalLock) -> str:
        """Return a link to the claim."""
        return object_link(lock.user_promo, lock.user_promo.code)

    @admin.display(description="Operator")
    def operator_link(self, lock: WithdrawalLock) -> str:
        """Return a link to the operator."""
        return object_link(lock.operator)

    @admin.display(description="Lifted")
    def lifted(self, lock: WithdrawalLock) -> str:
        """Return when staff lifted it."""
        return instant(lock.lifted_at)

    @admin.display(description="Why it was lifted")
    def lift_reason_shown(self, lock: WithdrawalLock) -> str:
        """Return the reason."""
        return lock.lift_reason or EMPTY
