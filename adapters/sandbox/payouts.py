"""The wins that the platform paid to its players: in memory, once under each id."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any
from uuid import uuid4

from adapters.sandbox.state import timestamp


@dataclass(frozen=True)
class Payout:
    """One win that a player got. The amount is a whole number of the currency's minor unit."""

    platform_payout_id: str
    payout_id: str
    player_external_id: str
    amount_subunit: int
    currency: str
    terms: Mapping[str, Any]
    at: str

    def as_overview(self) -> dict[str, Any]:
        """Return everything about it, for a person."""
        return asdict(self)


class PaidDifferently(Exception):
    """Something else was paid under this id before."""


class Payouts:
    """All payouts of the platform, by the id under which they were asked for."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_id: dict[str, Payout] = {}

    def pay(self, *, terms: Mapping[str, Any]) -> tuple[Payout, bool]:
        """
        Return the payout that ``terms`` ask for, and whether it was made just now.

        :raises PaidDifferently: if its id has been used for other terms.
        """
        payout_id = terms["payout_id"]
        with self._lock:
            known = self._by_id.get(payout_id)
            if known is not None:
                if known.terms != terms:
                    raise PaidDifferently
                return known, False
            payout = Payout(
                platform_payout_id=f"sbx_{uuid4().hex[:20]}",
                payout_id=payout_id,
                player_external_id=terms["player_external_id"],
                amount_subunit=terms["amount_subunit"],
                currency=terms["currency"],
                terms=dict(terms),
                at=timestamp(),
            )
            self._by_id[payout_id] = payout
            return payout, True

    def all(self) -> list[Payout]:
        """Return every payout, the oldest first."""
        with self._lock:
            return list(self._by_id.values())

    def clear(self) -> None:
        """Forget every payout."""
        with self._lock:
            self._by_id.clear()
