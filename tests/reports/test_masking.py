"""What of an audit entry is personal: players, people, and whatever somebody typed."""

from typing import Any

import pytest

from reports.rules.masking import mask_payload


def masked(payload: Any) -> Any:
    return mask_payload(payload, pseudonym=lambda text: f"<{len(text)}>")


@pytest.mark.parametrize(
    "payload",
    [
        {"status": "active", "bonus_currency": "EUR", "time_zone": "Europe/Malta"},
        {"amount": "10.00", "count": 3, "is_paused": True, "paused_at": None, "cycle": 2},
        {"win_id": "01a1fceb-fdac-715d-8ca4-51336434b2e0", "paid_at": "2026-03-29T00:59:00Z"},
        {"linked_instances": ["01a1fceb-fdac-715d-8ca4-51336434b2e0"], "scopes": ["read"]},
        {"name": "Daily", "pot": "grand", "template": "Reload", "rules": {"kyc_level": 2}},
    ],
)
def test_what_says_nothing_about_a_person_is_shown(payload: Any) -> None:
    assert masked(payload) == payload


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ({"player_id": "ada"}, {"player_id": "<3>"}),
        # An operator's id of a player may look like anything.
        ({"player_id": "10.00"}, {"player_id": "<5>"}),
        ({"player_id": 4711}, {"player_id": "<4>"}),
        ({"to_player_id": "01a1fceb-fdac-715d-8ca4-51336434b2e0"}, {"to_player_id": "<36>"}),
        ({"username": "ada", "email": "ada@lucky.example"}, {"username": "<3>", "email": "<17>"}),
        ({"ip": "203.0.113.7"}, {"ip": "<11>"}),
        # What somebody typed, and what nobody has listed.
        ({"paused_reason": "Ada asked"}, {"paused_reason": "<9>"}),
        ({"tomorrows_member": "Ada"}, {"tomorrows_member": "<3>"}),
        ({"references": {"crm": "4711", "at": [1]}}, {"references": {"crm": "<4>", "at": ["<1>"]}}),
        ({"bets": [{"player_id": "ada", "amount": "1.00"}]},
         {"bets": [{"player_id": "<3>", "amount": "1.00"}]}),
    ],
)  # fmt: skip
def test_what_may_be_personal_is_masked_wherever_it_stands(payload: Any, shown: Any) -> None:
    assert masked(payload) == shown


def test_text_by_itself_is_masked_unless_it_is_an_id_of_ours() -> None:
    assert masked("17") == "17"
    assert masked("ada") == "<3>"
    assert masked("") == ""
