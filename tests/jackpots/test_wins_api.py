"""Wins over HTTP: listed newest first, and decided by another key than the one that dropped."""

from collections.abc import Callable
from datetime import timedelta

from jackpots.models import Win
from operators.models import ApiKey, Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import PotFactory, WinFactory
from tests.factories.operators import LONG_AGO
from tests.jackpots.paying import read

WINS = "/v2/jackpots/wins"


def test_wins_are_listed_newest_first_and_filtered(
    client: Client, operator: Operator, player: Player
) -> None:
    pot = PotFactory.create(instance__operator=operator, instance__progressive=True)
    # In another order than their ids, and the last two at one instant.
    wins = [
        WinFactory.create(pot=pot, cycle=cycle, found_at=LONG_AGO + timedelta(hours=hour))
        for cycle, hour in ((1, 3), (2, 1), (3, 2), (4, 2))
    ]
    own = WinFactory.create(pot__instance__operator=operator, player=player, status="paid")

    page = client.get(WINS, {"instance_id": str(pot.instance_id), "page_size": 2}).json()
    rest = client.get(page["next"]).json()

    listed = [row["id"] for row in page["results"] + rest["results"]]
    same_instant = sorted(wins[2:], key=lambda win: win.pk, reverse=True)
    assert listed == [str(win.pk) for win in (wins[0], *same_instant, wins[1])]
    assert rest["next"] is None
    for query in ({"player_id": "ada"}, {"status": "paid"}):
        assert [row["id"] for row in client.get(WINS, query).json()["results"]] == [str(own.pk)]
    assert client.get(WINS, {"player_id": "nobody"}).json()["results"] == []
    assert client.get(WINS, {"status": "lost"}).status_code == 400


def test_a_key_that_dropped_the_pot_does_not_decide(
    client_of: Callable[..., Client], operator: Operator
) -> None:
    first, second = client_of(operator), client_of(operator)
    first_key, _second_key = ApiKey.objects.for_operator(operator).order_by("pk")
    approved, rejected = (
        WinFactory.create(
            pot__instance__operator=operator,
            status="awaiting_approval",
            initiated_by_kind="api_key",
            initiated_by_ref=first_key.prefix,
        )
        for _number in range(2)
    )

    refusals = [
        first.post(f"{WINS}/{approved.pk}/approve"),
        first.post(f"{WINS}/{rejected.pk}/reject", {"reason": "Mine"}),
    ]
    no_reason = second.post(f"{WINS}/{rejected.pk}/reject")
    answers = [second.post(f"{WINS}/{approved.pk}/approve", key="once") for _number in range(2)]
    again = second.post(f"{WINS}/{approved.pk}/approve")
    answer = second.post(f"{WINS}/{rejected.pk}/reject", {"reason": "A robot"})

    assert [each.json()["code"] for each in refusals] == ["SECOND_PERSON_REQUIRED"] * 2
    assert no_reason.status_code == 400
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert answers[0].json()["status"] == "payable"
    assert again.status_code == 409
    assert again.json()["code"] == "WIN_WRONG_STATE"
    assert again.json()["win_status"] == "payable"
    assert answer.json()["status"] == "rejected"
    assert answer.json()["decision_reason"] == "A robot"
    assert [read(win).status for win in (approved, rejected)] == ["payable", "rejected"]
    assert Win.objects.count() == 2
