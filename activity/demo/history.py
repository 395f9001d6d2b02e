"""The demo world's last day: contributions as `POST /v2/…/contributions` makes them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from activity.demo.people import SEED, DemoPlayer, demo_players, draw_wager, funded_players
from core.api.idempotency import fingerprint
from core.idempotency import IdempotencyKey
from jackpots.errors import OptInRequired
from jackpots.services.contributions import Wager, contribute
from operators.models import Operator
from players.errors import PlayerBlocked, PlayerSelfExcluded

REQUESTS_COUNT = 400
LENGTH = timedelta(days=1)
COMMUNITY = "Community Raffle"
#: How often each jackpot is the target.
_WEIGHTS = {
    "Daily": 32,
    "Daily (chain)": 12,
    "Daily (opt-in)": 18,
    "Lucky Star Progressive": 24,
    COMMUNITY: 10,
    "Weekly (opt-in)": 2,
    "Monthly": 2,
}


def record_history(
    *, operator: Operator, instance_ids: Mapping[str, UUID], until: datetime
) -> None:
    """
    Contribute as players did on the day that ends at ``until``, refusals included.

    The same requests each time, under the same keys: again, nothing happens twice.
    """
    random = Random(SEED)  # noqa: S311 -- the same world everywhere is the point
    for number in range(REQUESTS_COUNT):
        [name] = random.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()))
        player = random.choice(_players_of(name))
        body = draw_wager(player, random)
        try:
            contribute(
                operator=operator,
                instance_id=instance_ids[name],
                wager=_wager(body),
                follow_links=True,
                key=_key(number, instance_ids[name], body),
                now=until - LENGTH + LENGTH * number / REQUESTS_COUNT,
            )
        except (OptInRequired, PlayerBlocked, PlayerSelfExcluded):
            # Players try what they may not do, too; anything else is a fault of this world.
            continue


def _players_of(name: str) -> tuple[DemoPlayer, ...]:
    return funded_players() if name == COMMUNITY else demo_players()


def _wager(body: Mapping[str, Any]) -> Wager:
    return Wager(
        player_reference=body["player_id"],
        base_wager=Decimal(body["base_wager"]),
        currency=body["currency"],
        gameround_id=body["gameround_id"],
    )


def _key(number: int, instance_id: UUID, body: Mapping[str, Any]) -> IdempotencyKey:
    path = f"/v2/jackpots/instances/{instance_id}/contributions"
    return IdempotencyKey(
        value=f"demo-history-{number:03}", fingerprint=fingerprint("POST", path, body)
    )
