"""
What a player's money and promos should be, as plainly as it can be said.

Amounts are euros at 1.25 US dollars. Every command returns the code of its refusal, or
None; a refused one may leave anything behind, because the machine throws it away.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

RATE = Decimal("1.25")
ZERO = Decimal(0)

# The terms of every promo of the machine.
FLOOR_USD = Decimal(20)
CAP_USD = Decimal(500)
WEIGHT = Decimal("0.5")
MAX_BET_USD = Decimal(50)
ROLLOVER = timedelta(days=7)
WINDOW = timedelta(days=30)

LISTED, UNLISTED, HOUSE = "listed", "unlisted", "house"


@dataclass
class Claim:
    """One claim of the player's."""

    due_at: datetime
    lock_hours: int | None
    wager_multiplier: Decimal
    status: str = "CLAIMED"
    bonus: Decimal | None = None
    target_usd: Decimal = ZERO
    wagered_usd: Decimal = ZERO
    activated_at: datetime | None = None
    clawback: Decimal | None = None
    shortfall: Decimal | None = None

    @property
    def is_open(self) -> bool:
        return self.status in ("CLAIMED", "ACTIVE")


@dataclass
class PlayedRound:
    """One bet of the player's, and what it brought to which claim."""

    game: str
    stake: Decimal
    placed_at: datetime
    payout: Decimal | None = None
    is_rolled_back: bool = False
    claim: int | None = None
    progress_usd: Decimal = ZERO


@dataclass
class World:
    """One player's wallet, claims, bets, locks and totals."""

    now: datetime
    main: Decimal = ZERO
    vault: Decimal = ZERO
    deposited_usd: Decimal = ZERO
    deposit_count: int = 0
    wagered_usd: Decimal = ZERO
    claims: list[Claim] = field(default_factory=list)
    bets: list[PlayedRound] = field(default_factory=list)
    locks: list[datetime] = field(default_factory=list)

    # Promos

    def live(self) -> Claim | None:
        """Return the open claim; one whose time is up expires first."""
        claim = self.claims[-1] if self.claims and self.claims[-1].is_open else None
        if claim is not None and claim.due_at <= self.now:
            self._end(claim, "EXPIRED")
            return None
        return claim

    def claim(self, lock_hours: int | None, wager_multiplier: Decimal) -> str | None:
        if self.live() is not None:
            return "PROMO_CODE_IS_ACTIVE"
        self.claims.append(Claim(self.now + WINDOW, lock_hours, wager_multiplier))
        self._lock(lock_hours)
        return None

    def cancel(self, custom: Decimal | None) -> str | None:
        claim = self.claims[-1]
        if not claim.is_open or claim.due_at <= self.now:
            return "USER_PROMO_CLOSED"
        if custom and (claim.bonus is None or custom > self.main):
            return "CUSTOM_DECREASE_TOO_LARGE"
        self._end(claim, "CANCELLED", custom=custom)
        return None

    def sweep(self) -> str | None:
        self.live()
        return None

    def _end(self, claim: Claim, status: str, custom: Decimal | None = None) -> None:
        claim.status = status
        due = ZERO
        if claim.bonus is not None and claim.wagered_usd < claim.target_usd:
            due = claim.bonus
        if custom is not None:
            claim.clawback, claim.shortfall = custom, ZERO
        else:
            claim.clawback = min(due, self.main)
            claim.shortfall = due - claim.clawback
        self.main -= claim.clawback

    def _lock(self, hours: int | None) -> None:
        if hours:
            self.locks.append(self.now + timedelta(hours=hours))

    def _count(self, bet: PlayedRound) -> None:
        """Let a bet that has just been settled count."""
        self.wagered_usd += bet.stake * RATE
        claim = self.live()
        if (
            claim is None
            or claim.activated_at is None
            or bet.placed_at < claim.activated_at
            or bet.game != LISTED
        ):
            return
        bet.claim, bet.progress_usd = len(self.claims) - 1, bet.stake * RATE * WEIGHT
        claim.wagered_usd += bet.progress_usd
        if claim.wagered_usd >= claim.target_usd:
            claim.status = "COMPLETED"

    # Money

    def deposit(self, amount: Decimal) -> str | None:
        claim = self.live()
        self.main += amount
        self.deposited_usd += amount * RATE
        self.deposit_count += 1
        if claim is None or claim.status != "CLAIMED":
            return None
        if amount * RATE < FLOOR_USD:
            self._end(claim, "CANCELLED")
            return None
        bonus_usd = min(amount * RATE, CAP_USD)
        claim.status, claim.activated_at = "ACTIVE", self.now
        claim.due_at = self.now + ROLLOVER
        claim.bonus = bonus_usd / RATE
        claim.target_usd = bonus_usd * claim.wager_multiplier
        self.main += claim.bonus
        self._lock(claim.lock_hours)
        return None

    def withdraw(self, amount: Decimal) -> str | None:
        claim = self.live()
        if claim is not None and claim.status == "ACTIVE":
            return "PROMO_CODE_IS_ACTIVE"
        if any(until > self.now for until in self.locks):
            return "WITHDRAWALS_BLOCKED"
        if self.main < amount:
            return "INSUFFICIENT_FUNDS"
        self.main -= amount
        return None

    def fill_vault(self, amount: Decimal) -> str | None:
        if self.live() is not None:
            return "PROMO_CODE_IS_ACTIVE"
        if self.main < amount:
            return "INSUFFICIENT_FUNDS"
        self.main, self.vault = self.main - amount, self.vault + amount
        return None

    def empty_vault(self, amount: Decimal) -> str | None:
        if self.live() is not None:
            return "PROMO_CODE_IS_ACTIVE"
        if self.vault < amount:
            return "INSUFFICIENT_FUNDS"
        self.main, self.vault = self.main + amount, self.vault - amount
        return None

    # Bets

    def bet(self, game: str, stake: Decimal, payout: Decimal | None) -> str | None:
        claim = self.live()
        is_bound = claim is not None and claim.status == "ACTIVE" and game != HOUSE
        if is_bound and (game == UNLISTED or stake * RATE > MAX_BET_USD):
            return "BET_RESTRICTED_BY_PROMO_ACTIVE_CODE"
        if self.main < stake:
            return "INSUFFICIENT_FUNDS"
        bet = PlayedRound(game=game, stake=stake, placed_at=self.now, payout=payout)
        self.bets.append(bet)
        self.main -= stake
        if payout is not None:
            self.main += payout
            self._count(bet)
        return None

    def settle(self, number: int, payout: Decimal) -> str | None:
        bet = self.bets[number]
        if bet.is_rolled_back:
            return "BET_ROLLED_BACK"
        if bet.payout not in (None, payout):
            return "BET_ALREADY_SETTLED"
        self.live()
        if bet.payout is None:
            bet.payout = payout
            self.main += payout
            self._count(bet)
        return None

    def roll_back(self, number: int) -> str | None:
        bet = self.bets[number]
        claim = self.live()
        if bet.is_rolled_back:
            return None
        self.main += bet.stake
        bet.is_rolled_back = True
        if bet.payout is None:
            return None
        if self.main < bet.payout:
            return "INSUFFICIENT_FUNDS"
        self.main -= bet.payout
        self.wagered_usd -= bet.stake * RATE
        if claim is not None and bet.claim == len(self.claims) - 1:
            claim.wagered_usd -= bet.progress_usd
        return None
