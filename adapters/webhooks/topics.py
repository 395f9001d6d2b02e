"""
What an operator can hear of through its webhook endpoints: every topic, with an example.

The catalogue is public: the OpenAPI document, docs/webhooks.md and the filters of endpoints
come from it. A topic is never renamed; members may be added to what it carries.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: What the test of an endpoint sends. Nobody subscribes to it, and no filter stops it.
TEST_TOPIC = "webhook.test"

_GRANT: Mapping[str, Any] = {
    "id": "019a5c3e-8f10-7c2b-9d3e-2f1a6b7c8d90",
    "template_id": "019a5b00-1c2d-7e3f-8a4b-5c6d7e8f9a0b",
    "player_id": "anna",
    "type": "deposit_match",
    "status": "active",
    "platform_bonus_id": "internal:019a5c3e-8f10-7c2b-9d3e-2f1a6b7c8d90",
    "adapter_slug": "acme-internal",
    "bonus_amount": "100.00",
    "bonus_currency": "EUR",
    "deposit_amount": "100.00",
    "bonus_amount_base": "125.00",
    "base_currency_code": "USD",
    "fx_rate_locked": "1.25",
    "fx_locked_at": "2026-03-01T12:00:00Z",
    "wagering_required": "6000.00",
    "wagering_progress": "0.00",
    "total_wagered": "0.00",
    "granted_at": "2026-03-01T12:00:00Z",
    "activated_at": "2026-03-01T12:00:00Z",
    "expires_at": "2026-03-08T12:00:00Z",
    "completed_at": None,
    "forfeited_at": None,
    "expired_at": None,
    "cancelled_at": None,
    "outcome_reason": None,
    "released_amount": None,
    "references": {},
}
_WAGERED: Mapping[str, Any] = {"wagering_progress": "1200.00", "total_wagered": "1500.00"}
_CAMPAIGN: Mapping[str, Any] = {
    "id": "019a5d00-0a1b-7c2d-8e3f-4a5b6c7d8e9f",
    "name": "Spring",
    "segment_id": "019a5c00-0a1b-7c2d-8e3f-4a5b6c7d8e9f",
    "template_id": "019a5b00-1c2d-7e3f-8a4b-5c6d7e8f9a0b",
    "status": "issuing",
    "is_paused": False,
    "pause_reason": None,
    "budget_base": "25000.00",
    "committed_base": "0.00",
    "base_currency_code": "USD",
    "audience_size": 1200,
    "stats": {"pending": 1200, "granted": 0, "skipped": 0, "failed": 0},
    "created_at": "2026-03-01T11:00:00Z",
    "started_at": "2026-03-01T12:00:00Z",
    "finished_at": None,
}
_CLAIM: Mapping[str, Any] = {
    "id": "019a5e00-2b3c-7d4e-8f5a-6b7c8d9e0f1a",
    "promo_id": "019a5d80-2b3c-7d4e-8f5a-6b7c8d9e0f1a",
    "code": "WELCOME",
    "player_id": "anna",
    "status": "CLAIMED",
    "bonus_amount": None,
    "bonus_currency": "EUR",
    "claimed_at": "2026-03-01T12:00:00Z",
    "activated_at": None,
    "completed_at": None,
    "cancelled_at": None,
    "expired_at": None,
    "clawback_amount": None,
    "clawback_shortfall": None,
    "progress": None,
}
_ACTIVATED: Mapping[str, Any] = {
    **_CLAIM,
    "status": "ACTIVE",
    "bonus_amount": "100.00",
    "activated_at": "2026-03-01T12:30:00Z",
    "progress": {
        "bonus_usd_amount": "125.00",
        "wager_usd_amount_to_complete": "3750.00",
        "wager_multiplier_to_complete": "30",
        "wagered_usd_amount": "0.00",
        "expires_at": "2026-03-08T12:30:00Z",
    },
}
_WIN: Mapping[str, Any] = {
    "id": "019a5f00-3c4d-7e5f-8a6b-7c8d9e0f1a2b",
    "instance_id": "019a5e80-3c4d-7e5f-8a6b-7c8d9e0f1a2b",
    "pot_id": 12,
    "pot": "grand",
    "cycle": 3,
    "cause": "must_hit_by_amount",
    "contribution_id": "019a5eff-3c4d-7e5f-8a6b-7c8d9e0f1a2b",
    "draw_id": None,
    "draw_position": None,
    "prize": None,
    "player_id": "anna",
    "amount": "12500.00",
    "currency": "EUR",
    "status": "awaiting_approval",
    "trigger": "12499.8731",
    "trigger_nonce": "8b1f0c6d2e7a4b5c9d3e6f708192a3b4",
    "commitment": "6bcc0bc11b7a1f7bb820680d458e3acd798d0fc3c3f831841c13600605682b65",
    "initiated_by": {"kind": "task", "ref": "fold_contributions"},
    "found_at": "2026-03-01T12:00:00Z",
    "decided_by": None,
    "decided_at": None,
    "decision_reason": None,
    "payout_amount": None,
    "payout_currency": None,
    "payout_rate": None,
    "payout_rate_at": None,
    "adapter_slug": None,
    "platform_payout_id": None,
    "attempts": 0,
    "next_attempt_at": None,
    "last_error": None,
    "paid_at": None,
}
_DECIDED_WIN: Mapping[str, Any] = {
    **_WIN,
    "decided_by": {"kind": "staff", "ref": "7"},
    "decided_at": "2026-03-01T12:30:00Z",
}
_RUN: Mapping[str, Any] = {
    "id": "019a6a00-4d5e-7f60-8b7c-8d9e0f1a2b3c",
    "previous_id": "019a5e80-3c4d-7e5f-8a6b-7c8d9e0f1a2b",
    "run_number": 2,
    "name": "Weekly",
    "currency": "EUR",
    "recurrence": "weekly",
    "timezone": "Europe/Malta",
    "opens_at": "2026-03-01T23:00:00Z",
    "closes_at": "2026-03-08T23:00:00Z",
    "draw_id": "019a6a00-4d5f-7f60-8b7c-8d9e0f1a2b3c",
    "commitment": "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
}
_DRAW: Mapping[str, Any] = {
    "id": "019a5e80-3c4e-7e5f-8a6b-7c8d9e0f1a2b",
    "instance_id": "019a5e80-3c4d-7e5f-8a6b-7c8d9e0f1a2b",
    "commitment": "2e00dc72a648f076ddbea1d463a0e49d6ecce028b86a5c93c8cba0a11f6fd398",
    "committed_at": "2026-02-22T23:00:00Z",
    "requested_at": "2026-03-01T23:00:00Z",
    "drawn_at": "2026-03-01T23:00:00Z",
    "seed": "2b7e151628aed2a6abf7158809cf4f3c2b7e151628aed2a6abf7158809cf4f3c",
    "entries_digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "entries_count": 1200,
    "tickets_total": 48210,
    "pot_amount": "12500.00",
    "currency": "EUR",
    "winners_count": 4,
}


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing that can happen; ``example`` is the ``data`` of such a message."""

    name: str
    title: str
    description: str
    example: Mapping[str, Any]


def _ended_claim(status: str, instant: str, **more: Any) -> dict[str, Any]:
    return {**_ACTIVATED, "status": status, instant: "2026-03-02T09:00:00Z", **more}


_TOPICS = (
    Topic(
        "bonus.grant.issued",
        "A bonus was issued",
        "A player has a new bonus. `data` is the grant.",
        _GRANT,
    ),
    Topic(
        "bonus.grant.completed",
        "A bonus was completed",
        "The wagering requirement is met; `released_amount` is what the player was paid of it, "
        "and null where a casino platform holds the money.",
        {
            **_GRANT,
            "status": "completed",
            "wagering_progress": "6000.00",
            "total_wagered": "6000.00",
            "completed_at": "2026-03-05T18:00:00Z",
            "released_amount": "140.00",
        },
    ),
    Topic(
        "bonus.grant.forfeited",
        "A bonus was forfeited",
        "A stake was above the maximum, or somebody decided so: `outcome_reason` says why.",
        {
            **_GRANT,
            **_WAGERED,
            "status": "forfeited",
            "forfeited_at": "2026-03-05T18:00:00Z",
            "outcome_reason": "A stake of 12.00 EUR was above the maximum of 5.00 EUR.",
        },
    ),
    Topic(
        "bonus.grant.expired",
        "A bonus expired",
        "Its time was up before the requirement was met.",
        {**_GRANT, **_WAGERED, "status": "expired", "expired_at": "2026-03-08T12:00:00Z"},
    ),
    Topic(
        "bonus.grant.cancelled",
        "A bonus was cancelled",
        "It was taken back by staff, through the API, or by the casino platform.",
        {
            **_GRANT,
            **_WAGERED,
            "status": "cancelled",
            "cancelled_at": "2026-03-05T18:00:00Z",
            "outcome_reason": "The player asked for it.",
        },
    ),
    Topic(
        "bonus.campaign.started",
        "A campaign started",
        "Its audience is settled, and bonuses are being issued. `data` is the campaign.",
        _CAMPAIGN,
    ),
    Topic(
        "bonus.campaign.finished",
        "A campaign finished",
        "Nobody of its audience is pending any more; `stats` says what became of them.",
        {
            **_CAMPAIGN,
            "status": "issued",
            "committed_base": "14375.00",
            "stats": {"pending": 0, "granted": 1150, "skipped": 48, "failed": 2},
            "finished_at": "2026-03-01T12:10:00Z",
        },
    ),
    Topic(
        "promo.claim.made",
        "A promo was claimed",
        "A player claimed a code. `data` is the user promo; an INSTANT one is COMPLETED "
        "already, and `promo.claim.completed` is sent too.",
        _CLAIM,
    ),
    Topic(
        "promo.claim.activated",
        "A claim was activated",
        "The first deposit activated it: the bonus is credited and the rollover runs.",
        _ACTIVATED,
    ),
    Topic(
        "promo.claim.completed",
        "A claim was completed",
        "The rollover's target is met, or there was none.",
        _ended_claim(
            "COMPLETED",
            "completed_at",
            progress={**_ACTIVATED["progress"], "wagered_usd_amount": "3750.00"},
        ),
    ),
    Topic(
        "promo.claim.cancelled",
        "A claim was cancelled",
        "By staff, through the API, or by a first deposit below the minimum.",
        _ended_claim(
            "CANCELLED", "cancelled_at", clawback_amount="80.00", clawback_shortfall="20.00"
        ),
    ),
    Topic(
        "promo.claim.expired",
        "A claim expired",
        "Its time was up before the target was met.",
        _ended_claim("EXPIRED", "expired_at", clawback_amount="100.00", clawback_shortfall="0.00"),
    ),
    Topic(
        "jackpot.pot.won",
        "A pot was won",
        "A player won a pot, or a prize of a raffle. `data` is the win. Above the operator's "
        "threshold it is `awaiting_approval`: it is not paid before a second person agrees.",
        _WIN,
    ),
    Topic(
        "jackpot.win.paid",
        "A win was paid",
        "The money is in the player's wallet, or the casino platform that holds it has paid: "
        "`payout_amount` at `payout_rate`.",
        {
            **_DECIDED_WIN,
            "status": "paid",
            "payout_amount": "13750.00",
            "payout_currency": "USD",
            "payout_rate": "1.1",
            "payout_rate_at": "2026-02-28T00:00:00Z",
            "adapter_slug": "acme-internal",
            "attempts": 1,
            "paid_at": "2026-03-01T12:30:01Z",
        },
    ),
    Topic(
        "jackpot.win.rejected",
        "A win was rejected",
        "A second person refused to pay it; the amount is in the pot's reserve. "
        "`decision_reason` says why.",
        {
            **_DECIDED_WIN,
            "status": "rejected",
            "decision_reason": "The bets behind it were placed by a robot.",
        },
    ),
    Topic(
        "jackpot.raffle.drawn",
        "A raffle was drawn",
        "Its winners are found, and its seed is public. `data` is the draw; each winner comes "
        "with a `jackpot.pot.won`.",
        _DRAW,
    ),
    Topic(
        "jackpot.instance.opened",
        "The next run of a raffle opened",
        "A recurring raffle was drawn, and the next run of its series is open. Links lead to it "
        "already; `data` says what it will be drawn with.",
        _RUN,
    ),
)

#: Every topic an endpoint may ask for, by name.
TOPICS: Mapping[str, Topic] = {topic.name: topic for topic in _TOPICS}


def attribute_of(topic_name: str) -> str:
    """Return a topic's name as one that Python can have: ``bonus_grant_issued``."""
    return topic_name.replace(".", "_")
