"""The platform's bonuses: what it granted, how far each one is, and how each one ended."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from threading import RLock
from typing import Any
from uuid import uuid4


class BonusStatus(StrEnum):
    """The life of a bonus on the platform; the first three are alive."""

    PENDING = "pending"
    CREDITED = "credited"
    ACTIVE = "active"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FORFEITED = "forfeited"


ALIVE = (BonusStatus.PENDING, BonusStatus.CREDITED, BonusStatus.ACTIVE)


class BonusEnded(Exception):
    """The bonus has ended: nothing changes it any more."""


class BonusNotCredited(Exception):
    """Nothing can be wagered with a bonus before it was credited."""


@dataclass(frozen=True)
class Bonus:
    """One bonus at one instant. Amounts are whole numbers of the currency's minor unit."""

    platform_bonus_id: str
    grant_id: str
    player_external_id: str
    template: Mapping[str, Any]
    granted_by: Any
    status: BonusStatus
    ts: str
    wagered_amount_subunit: int = 0
    weighted_progress_subunit: int = 0
    reason: str = ""

    @property
    def is_alive(self) -> bool:
        """Tell whether the bonus has not ended."""
        return self.status in ALIVE

    @property
    def requirement_subunit(self) -> int:
        """
        How much must be wagered: multiplier × bonus, or × bonus and the deposit it matched.

        The contract does not tell a platform the deposit. It follows from the percentage,
        unless the bonus was capped; whoever plays such a bonus says how much.
        """
        wagering = self.template.get("wagering") or {}
        basis = Decimal(self.template["amount_subunit"])
        try:
            multiplier = Decimal(str(wagering.get("multiplier", 0)))
            if wagering.get("basis") == "bonus_plus_deposit":
                percent = (self.template.get("config") or {}).get("match_percent", "100")
                basis += basis * 100 / Decimal(str(percent))
        except (InvalidOperation, ZeroDivisionError):
            return 0
        return int((basis * multiplier).to_integral_value(rounding=ROUND_CEILING))

    def as_view(self) -> dict[str, Any]:
        """Return what the contract's GET says of it."""
        return {
            "platform_bonus_id": self.platform_bonus_id,
            "status": self.status.value,
            "wagered_amount_subunit": self.wagered_amount_subunit,
            "weighted_progress_subunit": self.weighted_progress_subunit,
            "reason": self.reason or None,
            "ts": self.ts,
        }

    def as_overview(self) -> dict[str, Any]:
        """Return everything about it, for a person."""
        return {**asdict(self), "requirement_subunit": self.requirement_subunit}


class Bonuses:
    """All bonuses of the platform, by either id; kept in a file if there is one."""

    def __init__(self, kept_in: Path | None = None) -> None:
        self._lock = RLock()
        self._kept_in = kept_in
        self._by_id: dict[str, Bonus] = {}
        self._id_of_grant: dict[str, str] = {}
        if kept_in is not None and kept_in.exists():
            for bonus in _read(kept_in):
                self._put(bonus)
            self._keep_afresh(kept_in)

    def grant(
        self, *, grant_id: str, player_external_id: str, template: Mapping[str, Any], by: Any
    ) -> tuple[Bonus, bool]:
        """Return the bonus of ``grant_id``, and whether it was made just now."""
        with self._lock:
            known = self.find(grant_id)
            if known is not None:
                return known, False
            bonus = Bonus(
                platform_bonus_id=f"sbx_{uuid4().hex[:20]}",
                grant_id=grant_id,
                player_external_id=player_external_id,
                template=dict(template),
                granted_by=by,
                status=BonusStatus.PENDING,
                ts=timestamp(),
            )
            self._put(bonus)
            self._keep(bonus)
            return bonus, True

    def find(self, either_id: str) -> Bonus | None:
        """Return the bonus that has this platform or grant id."""
        with self._lock:
            return self._by_id.get(self._id_of_grant.get(either_id, either_id))

    def all(self) -> list[Bonus]:
        """Return every bonus, the oldest first."""
        with self._lock:
            return list(self._by_id.values())

    def credit(self, platform_bonus_id: str) -> Bonus:
        """
        Give the player the bonus.

        :raises BonusEnded: if it has ended.
        """
        return self._change(platform_bonus_id, status=BonusStatus.CREDITED)

    def wager(self, platform_bonus_id: str, *, amount: int, weighted: int) -> Bonus:
        """
        Add a wager to the totals.

        :raises BonusEnded: if the bonus has ended.
        :raises BonusNotCredited: if the player does not have it yet.
        """
        with self._lock:
            bonus = self._by_id[platform_bonus_id]
            if bonus.status is BonusStatus.PENDING:
                raise BonusNotCredited
            return self._change(
                platform_bonus_id,
                status=BonusStatus.ACTIVE,
                wagered_amount_subunit=bonus.wagered_amount_subunit + amount,
                weighted_progress_subunit=bonus.weighted_progress_subunit + weighted,
            )

    def end(self, platform_bonus_id: str, *, status: BonusStatus, reason: str = "") -> Bonus:
        """
        End the bonus.

        :raises BonusEnded: if it has ended before.
        """
        return self._change(platform_bonus_id, status=status, reason=reason)

    def clear(self) -> None:
        """Forget every bonus."""
        with self._lock:
            self._by_id.clear()
            self._id_of_grant.clear()
            if self._kept_in is not None:
                self._kept_in.unlink(missing_ok=True)

    def _change(self, platform_bonus_id: str, **changes: Any) -> Bonus:
        with self._lock:
            bonus = self._by_id[platform_bonus_id]
            if not bonus.is_alive:
                raise BonusEnded
            changed = replace(bonus, ts=timestamp(), **changes)
            self._put(changed)
            self._keep(changed)
            return changed

    def _put(self, bonus: Bonus) -> None:
        self._by_id[bonus.platform_bonus_id] = bonus
        self._id_of_grant[bonus.grant_id] = bonus.platform_bonus_id

    def _keep_afresh(self, kept_in: Path) -> None:
        """Write one line for each bonus, instead of one for each of its changes."""
        draft = kept_in.with_name(f"{kept_in.name}.draft")
        draft.write_text("".join(f"{json.dumps(asdict(each))}\n" for each in self.all()))
        draft.replace(kept_in)

    def _keep(self, bonus: Bonus) -> None:
        if self._kept_in is not None:
            # Only ever longer, one line for a change: rewriting all of it at every grant of
            # a campaign would take longer with every player.
            with self._kept_in.open("a") as file:
                file.write(json.dumps(asdict(bonus)) + "\n")


def _read(kept_in: Path) -> Iterator[Bonus]:
    for line in kept_in.read_text().splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            # The line that was being written when the process was killed.
            continue
        yield Bonus(**{**row, "status": BonusStatus(row["status"])})


def timestamp() -> str:
    """Return this instant as the contract writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
