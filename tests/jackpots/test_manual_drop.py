"""POST …/pots/{name}/drop: somebody names who wins a pot, and it begins again, exactly."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from core.models import AuditEntry
from jackpots.models import Contribution, Instance, JackpotSettings, Pot, PotEntry, Win
from jackpots.selectors import read_meters
from jackpots.services import drops
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory, OptInFactory
from tests.factories.operators import LONG_AGO, ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import let_the_horizon_pass, meter

pytestmark = pytest.mark.django_db

SEEDED = {"seed": Decimal(10)}


@pytest.fixture
def instance(operator: Operator) -> Instance:
    """A progressive in euros with one pot that somebody drops, at its seed of 10."""
    ExchangeRateFactory.create(operator=operator)
    return InstanceFactory.create(operator=operator, progressive=True, pots=[SEEDED])


def drop(client: Client, instance: Instance, pot: str = "main", **kwargs: Any) -> Any:
    body = {"player_id": kwargs.pop("player", "ada")}
    return client.post(f"/v2/jackpots/instances/{instance.pk}/pots/{pot}/drop", body, **kwargs)


def shown(client: Client, instance: Instance) -> dict[str, Any]:
    pot = client.get(f"/v2/jackpots/instances/{instance.pk}").json()["pots"][0]
    return {name: pot[name] for name in ("cycle", "value", "reserve")}


def entries() -> list[tuple[str, int, Decimal]]:
    return list(PotEntry.objects.order_by("pk").values_list("kind", "cycle", "amount"))


def difference(instance: Instance) -> Decimal:
    """Return what came into the pots and is neither in them nor won: 0 if all is well."""
    came = PotEntry.objects.exclude(kind="reserve").aggregate(Sum("amount"))["amount__sum"]
    given = Contribution.objects.aggregate(Sum("amount"))["amount__sum"] or 0
    won = Win.objects.aggregate(Sum("amount"))["amount__sum"] or 0
    pots = read_meters(instance_ids=[instance.pk])[instance.pk]
    return came + given - won - sum(pot.value + pot.reserve for pot in pots)


@pytest.mark.django_db(transaction=True)
def test_the_player_wins_all_that_is_folded_rounded_down_and_the_rest_seeds_the_next(
    client: Client, instance: Instance, contribute: Callable[..., Any]
) -> None:
    contribute(instance, base_wager="1.23")
    let_the_horizon_pass()

    response = drop(client, instance, player="ada")

    win = response.json()
    assert response.status_code == 201
    assert {name: win[name] for name in ("cycle", "cause", "player_id", "amount", "status")} == {
        "cycle": 1,
        "cause": "manual",
        "player_id": "ada",
        "amount": "10.01",
        "status": "payable",
    }
    assert shown(client, instance) == {"cycle": 2, "value": "10.00", "reserve": "0.00"}
    assert entries()[1:] == [("reserve", 2, Decimal("0.0023")), ("seed", 2, Decimal("9.9977"))]
    assert difference(instance) == 0


def test_a_contribution_above_the_folds_horizon_is_the_next_cycles(
    client: Client, instance: Instance, contribute: Callable[..., Any]
) -> None:
    # The transaction of this test is open: nothing that it wrote is below the horizon.
    contribute(instance, base_wager="500.00")

    win = drop(client, instance).json()

    assert win["amount"] == "10.00"
    assert shown(client, instance) == {"cycle": 2, "value": "15.00", "reserve": "0.00"}
    assert difference(instance) == 0


def test_control_a_drop_of_what_the_meter_shows_would_pay_it_twice(
    client: Client,
    instance: Instance,
    contribute: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contribute(instance, base_wager="500.00")
    end = drops.end_cycle

    def end_with_what_is_shown(**kwargs: Any) -> Win:
        return end(**{**kwargs, "accrued": meter(instance)})

    monkeypatch.setattr(drops, "end_cycle", end_with_what_is_shown)
    drop(client, instance)

    assert difference(instance) == -5


def test_what_is_beyond_the_ceiling_stays_and_seeds_the_next_cycle(
    client: Client, operator: Operator, player: Player
) -> None:
    pot = {**SEEDED, "ceiling": Decimal(50), "opening": Decimal(75)}
    instance = InstanceFactory.create(operator=operator, progressive=True, pots=[pot])

    win = drop(client, instance).json()

    assert win["amount"] == "50.00"
    assert shown(client, instance) == {"cycle": 2, "value": "10.00", "reserve": "15.00"}
    assert entries()[1:] == [("reserve", 2, Decimal(10))]


def test_a_repeat_is_the_same_win_and_another_key_the_next_one(
    client: Client, instance: Instance, player: Player
) -> None:
    first, again = drop(client, instance, key="one"), drop(client, instance, key="one")
    other = drop(client, instance, key="two")

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [first.json()["cycle"], other.json()["cycle"]] == [1, 2]
    assert Win.objects.count() == 2


def test_above_the_threshold_another_key_approves(
    client: Client,
    instance: Instance,
    operator: Operator,
    player: Player,
    client_of: Callable[..., Client],
) -> None:
    operator.base_currency = "EUR"
    operator.save(update_fields=["base_currency"])
    JackpotSettings.objects.create(operator=operator, win_approval_above=Decimal("9.99"))

    win = drop(client, instance).json()
    path = f"/v2/jackpots/wins/{win['id']}/approve"
    own, others = client.post(path), client_of(operator).post(path)

    assert win["status"] == "awaiting_approval"
    assert (own.status_code, own.json()["code"]) == (409, "SECOND_PERSON_REQUIRED")
    assert (others.status_code, others.json()["status"]) == (200, "payable")


def test_the_drop_is_audited_with_its_reason(
    client: Client, instance: Instance, player: Player
) -> None:
    path = f"/v2/jackpots/instances/{instance.pk}/pots/main/drop"
    client.post(path, {"player_id": "ada", "reason": "Wheel of June"})

    entry = AuditEntry.objects.get(action="jackpot.pot.dropped")
    assert (entry.actor_kind, entry.reason) == ("api_key", "Wheel of June")
    assert (entry.after["amount"], entry.after["player_id"]) == ("10.00", "ada")


def test_an_instance_that_is_paused_or_closing_drops_too(
    client: Client, operator: Operator, player: Player
) -> None:
    for kwargs in ({"paused": True}, {"status": "closing"}):
        instance = InstanceFactory.create(
            operator=operator, progressive=True, pots=[SEEDED], **kwargs
        )
        assert drop(client, instance).status_code == 201


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a raffle": ({"kind": "raffle"}, {}, "INSTANCE_WRONG_STATE"),
    "a draft": ({"status": "draft"}, {}, "INSTANCE_WRONG_STATE"),
    "closed": ({"status": "closed"}, {}, "INSTANCE_WRONG_STATE"),
    "another drop": (
        {
            "pots": [
                {**SEEDED, "drop_type": "hit_rate", "drop_probability": Decimal("0.1")},
            ]
        },
        {},
        "POT_NOT_MANUAL",
    ),
    "no such pot": ({"pots": [{**SEEDED, "name": "grand"}]}, {}, "NOT_FOUND"),
    "no opt-in": ({"opt_in_required": True}, {}, "OPT_IN_REQUIRED"),
    "blocked": ({}, {"is_blocked": True}, "PLAYER_BLOCKED"),
    "excluded": (
        {},
        {"self_excluded_until": LONG_AGO + timedelta(days=36500)},
        "PLAYER_SELF_EXCLUDED",
    ),
    "unknown": ({}, {"reference": "nobody"}, "NOT_FOUND"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_drop_moves_nothing(
    case: str, client: Client, operator: Operator, player: Player
) -> None:
    terms, state, code = REFUSED[case]
    Player.objects.filter(pk=player.pk).update(**state)
    instance = InstanceFactory.create(
        **{"operator": operator, "progressive": True, "pots": [SEEDED], **terms}
    )
    before = list(Pot.objects.values())

    response = drop(client, instance)

    assert response.json()["code"] == code
    assert response.status_code == (404 if code == "NOT_FOUND" else 409)
    assert list(Pot.objects.values()) == before
    assert not Win.objects.exists()


def test_who_opted_in_can_win_where_that_is_asked_for(
    client: Client, operator: Operator, player: Player
) -> None:
    instance = InstanceFactory.create(
        operator=operator, progressive=True, opt_in_required=True, pots=[SEEDED]
    )
    OptInFactory.create(instance=instance, player=player)

    assert drop(client, instance).status_code == 201


def test_a_pot_is_found_by_its_name_in_either_unicode_form_or_not_at_all(
    client: Client, operator: Operator, player: Player
) -> None:
    pot = {**SEEDED, "name": "Gr\u00f6\u00dfte"}
    instance = InstanceFactory.create(operator=operator, progressive=True, pots=[pot])

    found = drop(client, instance, "Gro\u0308\u00dfte")
    absent = [drop(client, instance, name) for name in ("gr\u00f6\u00dfte", "%00", "x" * 300)]

    assert (found.status_code, found.json()["pot"]) == (201, pot["name"])
    assert [each.status_code for each in absent] == [404] * 3


def test_another_operators_player_is_unknown(client: Client, instance: Instance) -> None:
    PlayerFactory.create(reference="theirs")

    assert drop(client, instance, player="theirs").status_code == 404


def test_a_drop_locks_the_instance_alone(
    client: Client, instance: Instance, player: Player, record_locks: Any
) -> None:
    with record_locks() as tables:
        drop(client, instance)

    assert tables == ["jackpots_instance"]
