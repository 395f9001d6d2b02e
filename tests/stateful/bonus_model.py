"""
What a player's money and grants should be, as plainly as it can be said.

Amounts are in cents: plain integers, so nothing is shared with the code under test. Every
command returns the code of its refusal, or None; a refused one may leave anything behind,
because the machine throws it away.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

LIFE = timedelta(days=7)

SLOTS, TABLE, SPINS = "slots", "table", "spins"
#: Percent of a stake that counts, by game; spins are slots.
WEIGHTS = {SLOTS: 100, TABLE: 5, SPINS: 100}


@dataclass
class Grant:
    """One bonus of the player's, and how much of it there is."""

    bonus: int
    required: int
    expires_at: datetime
    granted_at: datetime
    cap: int | None = None
    max_bet: int | None = None
    is_for_spins: bool = False
    status: str = "active"
    money: int = 0
    #: In hundredths of a cent, since five percent of a cent is five of them.
    progress: int = 0
    wagered: int = 0
    #: What has come of it, once completed: what the player has and what was held back.
    total: int = 0

    @property
    def is_active(self) -> bool:
        return self.status == "active"

    @property
    def is_wagered(self) -> bool:
        return self.progress >= self.required * 100

    @property
    def released(self) -> int:
        """Return what the player has of it, in the end."""
        if self.status != "completed":
            return 0
        return self.total if self.cap is None else min(self.total, self.bonus + self.cap)


@dataclass
class PlayedRound:
    """One bet: who paid, who was paid, which grants it advanced."""

    game: str
    stake: int
    placed_at: datetime
    main_stake: int = 0
    payout: int | None = None
    main_payout: int = 0
    is_rolled_back: bool = False
    #: By number of the grant: its part of the stake, and of the payout.
    parts: dict[int, int] = field(default_factory=dict)
    shares: dict[int, int] = field(default_factory=dict)
    advanced: dict[int, int] = field(default_factory=dict)


@dataclass
class BonusWorld:
    """One player's wallet, grants and bets; and what bonuses cost, and held back."""

    now: datetime
    main: int = 0
    cost: int = 0
    grants: list[Grant] = field(default_factory=list)
    bets: list[PlayedRound] = field(default_factory=list)

    @property
    def excess(self) -> int:
        completed = [grant for grant in self.grants if grant.status == "completed"]
        return sum(grant.total - grant.released for grant in completed)

    # Grants

    def live(self) -> list[int]:
        """Return the numbers of the active grants; those whose time is up expire first."""
        for grant in self.grants:
            if grant.is_active and grant.expires_at <= self.now:
                self._lose(grant, "expired")
        return [number for number, grant in enumerate(self.grants) if grant.is_active]

    def grant(
        self, bonus: int, multiplier: int, cap: int | None, max_bet: int | None, *, spins: bool
    ) -> str | None:
        grant = Grant(
            bonus=bonus,
            required=bonus * multiplier,
            expires_at=self.now + LIFE,
            granted_at=self.now,
            cap=cap,
            max_bet=max_bet,
            is_for_spins=spins,
            money=bonus,
        )
        self.grants.append(grant)
        self.cost += bonus
        return None

    def end(self, number: int, status: str) -> str | None:
        grant = self.grants[number]
        if not grant.is_active or grant.expires_at <= self.now:
            return "BONUS_GRANT_CLOSED"
        self._lose(grant, status)
        return None

    def sweep(self) -> str | None:
        self.live()
        return None

    def _lose(self, grant: Grant, status: str) -> None:
        grant.status = status
        self.cost -= grant.money
        grant.money = 0

    def _complete(self, grant: Grant) -> None:
        grant.status = "completed"
        grant.total, grant.money = grant.money, 0
        self.main += grant.released

    def _change_total(self, grant: Grant, change: int) -> None:
        before = grant.released
        grant.total += change
        self.main += grant.released - before

    # Money

    def deposit(self, amount: int) -> str | None:
        self.main += amount
        return None

    def withdraw(self, amount: int) -> str | None:
        if self.main < amount:
            return "INSUFFICIENT_FUNDS"
        self.main -= amount
        return None

    # Bets

    def bet(self, game: str, stake: int, payout: int | None) -> str | None:
        live = self.live()
        bet = PlayedRound(game=game, stake=stake, placed_at=self.now)
        bet.main_stake = left = min(stake, self.main)
        left = stake - bet.main_stake
        for number in live:
            grant = self.grants[number]
            part = min(left, grant.money) if not grant.is_for_spins or game == SPINS else 0
            if part:
                bet.parts[number] = part
                left -= part
        if left:
            return "INSUFFICIENT_FUNDS"
        self.bets.append(bet)
        self.main -= bet.main_stake
        for number, part in bet.parts.items():
            self.grants[number].money -= part
        for number in live:
            most = self.grants[number].max_bet
            if most is not None and stake > most:
                self._lose(self.grants[number], "forfeited")
        if payout is not None:
            self._pay(bet, payout)
            self._count(bet, live)
        return None

    def replay(self) -> str | None:
        self.live()
        return None

    def settle(self, number: int, payout: int) -> str | None:
        bet = self.bets[number]
        if bet.is_rolled_back:
            return "BET_ROLLED_BACK"
        if bet.payout not in (None, payout):
            return "BET_ALREADY_SETTLED"
        live = self.live()
        if bet.payout is None:
            self._pay(bet, payout)
            self._count(bet, live)
        return None

    def roll_back(self, number: int) -> str | None:
        bet = self.bets[number]
        self.live()
        if bet.is_rolled_back:
            return None
        bet.is_rolled_back = True
        self.main += bet.main_stake - bet.main_payout
        for grant_number, part in bet.parts.items():
            grant, share = self.grants[grant_number], bet.shares.get(grant_number, 0)
            if grant.is_active:
                grant.money += part - share
                if grant.money < 0:
                    return "INSUFFICIENT_FUNDS"
            elif grant.status == "completed":
                self._change_total(grant, part - share)
            else:
                self.cost -= part
        if self.main < 0:
            return "INSUFFICIENT_FUNDS"
        for grant_number, counted in bet.advanced.items():
            grant = self.grants[grant_number]
            if grant.is_active:
                grant.progress -= counted
                grant.wagered -= bet.stake
        return None

    def _pay(self, bet: PlayedRound, payout: int) -> None:
        bet.payout = payout
        whole = {-1: bet.main_stake, **bet.parts}
        shares = {number: payout * part // bet.stake for number, part in whole.items()}
        # The cents that are left go to the largest remainders, the first of equal ones first.
        remainders = sorted(
            whole,
            key=lambda number: (-(payout * whole[number] % bet.stake), list(whole).index(number)),
        )
        for number in remainders[: payout - sum(shares.values())]:
            shares[number] += 1
        bet.main_payout = shares.pop(-1)
        self.main += bet.main_payout
        bet.shares = shares
        for number, share in shares.items():
            grant = self.grants[number]
            if grant.is_active:
                grant.money += share
            elif grant.status == "completed":
                self._change_total(grant, share)

    def _count(self, bet: PlayedRound, live: list[int]) -> None:
        for number in live:
            grant = self.grants[number]
            if grant.is_active and bet.placed_at >= grant.granted_at:
                bet.advanced[number] = bet.stake * WEIGHTS[bet.game]
                grant.progress += bet.advanced[number]
                grant.wagered += bet.stake
        for number in bet.advanced:
            if self.grants[number].is_wagered:
                self._complete(self.grants[number])
