"""
The bonus engine, sentence by sentence.

Each test is named after a sentence of the source document of the feature, and asserts it
over HTTP.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core.management import call_command

from adapters.http.signing import make_secret
from bonuses.models import BonusGrant
from bonuses.ports import PlatformRejected, PlatformUnavailable, PlatformView
from bonuses.services.endings import expire_due_grants
from bonuses.services.fan_out import issue_campaign
from core.actors import Actor
from operators.models import Operator
from tests.adapters.platforms import CLOCK, Platform, event_about
from tests.bonuses.conftest import ScriptedPlatform
from tests.conftest import Client
from tests.factories.adapters import AdapterConfigFactory
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory, SegmentFactory

pytestmark = pytest.mark.django_db

GIFT = {"type": "no_deposit", "config": {"amount": "10.00", "currency": "EUR"}}
MATCH = {
    "type": "deposit_match",
    "config": {"match_percent": "100", "cap_amount": "200.00", "currency": "EUR"},
}
Give = Callable[..., dict[str, Any]]
Bet = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _world(operator: Operator) -> Iterator[None]:
    """At one instant: a player with euros, a slot, a table and a live game."""
    ExchangeRateFactory.create(operator=operator)
    PlayerFactory.create(operator=operator, reference="ada", currency="EUR")
    for category in ("slots", "table", "live"):
        GameFactory.create(operator=operator, slug=category, category=category)
    with time_machine.travel(CLOCK, tick=False):
        yield


@pytest.fixture
def make(client: Client) -> Callable[..., str]:
    """Return a function that makes a template and returns its id."""

    def create(terms: dict[str, Any], **more: Any) -> str:
        body = {
            "name": "A bonus",
            "wagering_requirement_multiplier": "30",
            "wagering_basis": "bonus",
            "game_contribution": {"slots": 100, "table": 10, "live": 5, "default": 0},
            **terms,
            **more,
        }
        made = client.post("/v1/bonus-templates", body)
        assert made.status_code == 201, made.json()
        return str(made.json()["id"])

    return create


@pytest.fixture
def give(client: Client, make: Callable[..., str]) -> Give:
    """Return a function that gives ada a bonus of such terms."""

    def grant(terms: dict[str, Any], *, deposit: str | None = None, **more: Any) -> dict[str, Any]:
        body = {"template_id": make(terms, **more), "player_id": "ada"}
        given = client.post(
            "/v1/bonus-grants", body if deposit is None else {**body, "deposit_amount": deposit}
        )
        assert given.status_code == 201, given.json()
        return dict(given.json())

    return grant


@pytest.fixture
def bet(client: Client) -> Bet:
    """Return a function that lets ada place a bet, which is settled at once."""

    def place(stake: str, payout: str = "0.00", *, game: str = "slots") -> dict[str, Any]:
        placed = client.post(
            "/v1/players/ada/bets",
            {
                "bet_id": str(uuid4()),
                "game": game,
                "stake": stake,
                "payout": payout,
                "currency": "EUR",
            },
        )
        assert placed.status_code == 201, placed.json()
        return dict(placed.json())

    return place


def now_of(client: Client, grant: dict[str, Any]) -> dict[str, Any]:
    return dict(client.get(f"/v1/bonus-grants/{grant['id']}").json())


@pytest.fixture
def webhooks(platform: ScriptedPlatform, operator: Operator) -> Platform:
    """The webhooks of the platform that the operator's bonuses go through."""
    secret = make_secret()
    config = AdapterConfigFactory.create(operator=operator, slug=platform.slug, secret=secret)
    return Platform(config, secret)


# Types, and what all of them support


@pytest.mark.parametrize(
    ("terms", "gives"),
    [
        (
            {
                "type": "free_spins",
                "config": {
                    "count": 20,
                    "value_per_spin": "0.50",
                    "currency": "EUR",
                    "eligible_games": ["slots"],
                },
            },
            "10.00",
        ),
        (MATCH, "40.00"),
        (GIFT, "10.00"),
        ({**MATCH, "type": "reload"}, "40.00"),
    ],
    ids=["free_spins", "deposit_match", "no_deposit", "reload"],
)
def test_canonical_bonus_types(
    client: Client, give: Give, terms: dict[str, Any], gives: str
) -> None:
    client.post("/v1/players/ada/deposits", {"amount": "40.00", "currency": "EUR"})
    needs_deposit = terms["type"] in ("deposit_match", "reload")

    grant = give(terms, deposit="40.00" if needs_deposit else None)

    assert (grant["type"], grant["bonus_amount"]) == (terms["type"], gives)


def test_cashback_gives_a_percentage_of_losses_returned_in_a_window(
    client: Client, give: Give, bet: Bet
) -> None:
    client.post("/v1/players/ada/deposits", {"amount": "100.00", "currency": "EUR"})
    bet("60.00", "10.00")

    # The window ends before the instant of the grant.
    with time_machine.travel(CLOCK + timedelta(seconds=1), tick=False):
        grant = give(
            {
                "type": "cashback",
                "config": {"percent": "10", "window_days": 7, "min_loss": "20", "currency": "EUR"},
            }
        )

    assert grant["bonus_amount"] == "5.00"


def test_multiplier_times_bonus_amount_must_be_wagered_before_withdrawal(
    client: Client, give: Give, bet: Bet
) -> None:
    grant = give(GIFT, wagering_requirement_multiplier="2")
    early = client.post("/v1/players/ada/withdrawals", {"amount": "10.00", "currency": "EUR"})
    bet("10.00", "10.00")
    bet("10.00", "10.00")
    late = client.post("/v1/players/ada/withdrawals", {"amount": "10.00", "currency": "EUR"})

    assert grant["wagering_required"] == "20.00"
    assert (early.status_code, early.json()["code"]) == (409, "INSUFFICIENT_FUNDS")
    assert late.status_code == 201


def test_the_wagering_basis_is_the_bonus_or_bonus_plus_deposit(give: Give) -> None:
    bonus = give(MATCH, deposit="100.00")
    both = give(MATCH, deposit="100.00", wagering_basis="bonus_plus_deposit")

    assert (bonus["wagering_required"], both["wagering_required"]) == ("3000.00", "6000.00")


def test_game_contribution_weights_the_bet_amount_towards_wagering_progress(
    give: Give, bet: Bet
) -> None:
    give(GIFT)

    weighted = [
        bet("2.00", "2.00", game=game)["bonuses"][0]["weighted_amount"]
        for game in ("slots", "table", "live")
    ]

    assert weighted == ["2.00", "0.20", "0.10"]


def test_a_bet_exceeding_max_bet_during_wagering_forfeits_the_bonus(
    client: Client, give: Give, bet: Bet
) -> None:
    grant = give(GIFT, max_bet="5.00")
    bet("5.00", "5.00")
    before = now_of(client, grant)

    bet("5.01")

    assert before["status"] == "active"
    assert now_of(client, grant)["status"] == "forfeited"
    assert client.get("/v1/players/ada/wallet").json()["bonus_balances"] == []


def test_auto_expiry_after_n_hours(client: Client, give: Give, actor: Actor) -> None:
    grant = give(GIFT, time_limit_hours=48)

    with time_machine.travel(CLOCK + timedelta(hours=48), tick=False):
        expire_due_grants(now=CLOCK + timedelta(hours=48), limit=10, actor=actor)

    ended = now_of(client, grant)
    assert ended["status"] == "expired"
    assert ended["expired_at"] == ended["expires_at"]


def test_max_grants_per_player_prevents_multi_claim(
    client: Client, make: Callable[..., str]
) -> None:
    body = {"template_id": make(GIFT, max_grants_per_player=1), "player_id": "ada"}

    first, second = (client.post("/v1/bonus-grants", body) for _ in range(2))

    assert first.status_code == 201
    assert (second.status_code, second.json()["code"]) == (409, "BONUS_GRANT_LIMIT_REACHED")


def test_total_winnings_from_bonus_are_capped(client: Client, give: Give, bet: Bet) -> None:
    grant = give(GIFT, wagering_requirement_multiplier="1", max_win_cap="50.00")

    bet("10.00", "100.00")

    ended = now_of(client, grant)
    assert (ended["status"], ended["released_amount"]) == ("completed", "60.00")
    assert client.get("/v1/players/ada/wallet").json()["balances"][0]["main"] == "60.00"


# Lifecycle and issuance


def test_once_terminal_the_row_is_immutable(client: Client, give: Give) -> None:
    grant = give(GIFT)
    ended = client.post(f"/v1/bonus-grants/{grant['id']}/cancel", {"reason": "A mistake."}).json()

    again = client.post(f"/v1/bonus-grants/{grant['id']}/forfeit", {"reason": "Fraud."})

    assert (again.status_code, again.json()["code"]) == (409, "BONUS_GRANT_CLOSED")
    assert now_of(client, grant) == ended


def test_on_success_the_grant_has_the_platforms_bonus_id_and_credited_activates_it_later(
    client: Client, give: Give, platform: ScriptedPlatform, webhooks: Platform
) -> None:
    grant = give(GIFT)
    stored = BonusGrant.objects.get()

    answer = webhooks.send(event_about(stored, "credited")).json()

    assert grant["platform_bonus_id"] == f"platform-{grant['id']}"
    assert (grant["status"], grant["activated_at"]) == ("active", None)
    assert (answer["applied"], answer["new_status"]) == (True, "active")
    assert now_of(client, grant)["activated_at"] is not None


def test_platform_rejected_returns_adapter_rejected_to_the_caller(
    client: Client, make: Callable[..., str], platform: ScriptedPlatform
) -> None:
    platform.answers = [PlatformRejected("NO_SUCH_PLAYER")]

    answer = client.post("/v1/bonus-grants", {"template_id": make(GIFT), "player_id": "ada"})

    assert (answer.status_code, answer.json()["code"]) == (502, "ADAPTER_REJECTED")
    assert answer.json()["platform_code"] == "NO_SUCH_PLAYER"


def test_platform_unavailable_returns_adapter_unavailable_and_a_retry_is_queued(
    client: Client, make: Callable[..., str], platform: ScriptedPlatform
) -> None:
    platform.answers = [PlatformUnavailable("Silence.")]

    answer = client.post("/v1/bonus-grants", {"template_id": make(GIFT), "player_id": "ada"})

    assert (answer.status_code, answer.json()["code"]) == (503, "ADAPTER_UNAVAILABLE")
    issuance = client.get(f"/v1/bonus-issuances/{answer.json()['issuance_id']}").json()
    assert (issuance["status"], issuance["next_attempt_at"] is None) == ("pending", False)


def test_every_bonus_row_stores_dual(give: Give) -> None:
    grant = give({"type": "no_deposit", "config": {"amount": "10.00", "currency": "USD"}})

    # A euro is 1.25 dollars: ten dollars are eight euros, and ten dollars again.
    assert (grant["bonus_amount"], grant["bonus_currency"]) == ("8.00", "EUR")
    assert (grant["bonus_amount_base"], grant["base_currency_code"]) == ("10.00", "USD")
    assert (grant["fx_rate_locked"], grant["fx_locked_at"]) == ("1.25", "2026-03-29T00:59:00Z")


# Webhooks, reconciliation, campaigns


@pytest.mark.parametrize("end", ["completed", "expired", "cancelled", "forfeited"])
def test_an_event_of_the_platform_ends_the_grant(
    client: Client, give: Give, platform: ScriptedPlatform, webhooks: Platform, end: str
) -> None:
    grant = give(GIFT)

    webhooks.send(event_about(BonusGrant.objects.get(), end, reason="Their reason."))

    ended = now_of(client, grant)
    assert (ended["status"], ended[f"{end}_at"] is None) == (end, False)
    has_reason = end in ("cancelled", "forfeited")
    assert ended["outcome_reason"] == ("Their reason." if has_reason else None)


def test_wagered_bumps_progress_and_total_once_per_event(
    client: Client, give: Give, platform: ScriptedPlatform, webhooks: Platform
) -> None:
    grant = give(GIFT)
    event = event_about(
        BonusGrant.objects.get(),
        "wagered",
        wagered_amount_subunit=1000,
        weighted_progress_subunit=50,
    )

    answers = [webhooks.send(event).json() for _ in range(2)]

    assert [answer["reason"] for answer in answers] == [None, "duplicate"]
    now = now_of(client, grant)
    assert (now["total_wagered"], now["wagering_progress"]) == ("10.00", "0.50")


def test_reconciliation_replays_missing_terminal_transitions(
    client: Client, give: Give, platform: ScriptedPlatform
) -> None:
    grant = give(GIFT)
    platform.views[grant["platform_bonus_id"]] = PlatformView(
        grant["platform_bonus_id"], "expired", Decimal(0), Decimal(0), "", CLOCK
    )

    call_command("reconcile_bonuses", "--json")

    assert now_of(client, grant)["status"] == "expired"


def test_a_campaign_picks_a_segment_and_a_template_and_fans_out(
    client: Client, operator: Operator, make: Callable[..., str]
) -> None:
    players = PlayerFactory.create_batch(3, operator=operator, currency="EUR")
    segment = SegmentFactory.create(operator=operator, players=players)
    campaign = client.post(
        "/v1/bonus-campaigns",
        {"name": "Spring", "segment_id": str(segment.pk), "template_id": make(GIFT)},
    ).json()
    path = f"/v1/bonus-campaigns/{campaign['id']}"

    started = client.post(f"{path}/issue")
    issue_campaign(campaign_id=campaign["id"], clock=lambda: CLOCK)

    assert (campaign["status"], started.json()["status"]) == ("draft", "issuing")
    done = client.get(path).json()
    assert done["status"] == "issued"
    assert done["stats"] == {"pending": 0, "granted": 3, "skipped": 0, "failed": 0}
