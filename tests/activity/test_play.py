"""manage.py play: real traffic at a real server, and the meters against the answers."""

import re
import socket
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from activity.demo.credentials import read_api_key
from activity.management.commands import play as command
from activity.models import Bet
from activity.traffic.driving import plan_requests
from jackpots.models import Contribution, Instance, Pot
from operators.models import Operator
from tests.conftest import Client
from tests.factories.operators import OperatorFactory, issue_key

pytestmark = pytest.mark.django_db(transaction=True)

Play = Callable[..., str]


@pytest.fixture
def play(live_server: Any) -> Play:
    """Return a function that runs `play` at this process's server and returns what it printed."""

    def run(**options: Any) -> str:
        output = StringIO()
        call_command("play", **{"url": live_server.url, **options}, stdout=output)
        return output.getvalue()

    return run


@pytest.fixture
def api_key(load_demo: Callable[[], str], short_past: None, credentials_path: Path) -> str:
    """The key of a demo world."""
    load_demo()
    api_key = read_api_key(credentials_path)
    assert api_key is not None
    return api_key


def test_the_meters_gain_what_the_answers_say(play: Play, api_key: str) -> None:
    played = Contribution.objects.filter(gameround_id__startswith="round-")
    before, bets_before = played.count(), Bet.objects.count()

    output = play(api_key=api_key, rate=40, seconds=2, seed=7)

    legs = re.findall(r"^(accepted|failed: \w+) +(\d+) +(\d+) +(\d+)$", output, re.MULTILINE)
    counted = {name: tuple(map(int, counts)) for name, *counts in legs}
    rows = played.count() - before
    refused = sum(main for name, (main, _, _) in counted.items() if name != "accepted")
    assert sum(main for main, _linked, _bets in counted.values()) == 60
    assert rows == sum(main + linked for main, linked, _bets in counted.values()) - refused
    assert counted["accepted"][0] > 45
    # Every fourth request is a bet, settled at once.
    assert sum(bets for _main, _linked, bets in counted.values()) == 20
    assert Bet.objects.count() - bets_before == counted["accepted"][2]
    assert Bet.objects.filter(bet_id__startswith="play-", status="settled").count() > 10
    assert re.search(
        r"^80 requests in \d+\.\d s: \d+\.\d a second, p50 \d+ ms", output, re.MULTILINE
    )
    assert output.endswith("The meters gained exactly what the answers said.\n")
    assert len(re.findall(r"^Lucky Star Progressive ", output, re.MULTILINE)) == 4
    # Neither the draft nor the paused jackpot accrues.
    assert "Summer Raffle" not in output
    assert "Rush Hour" not in output


def test_the_same_seed_plays_the_same(play: Play, api_key: str) -> None:
    runs = []
    for _run in range(2):
        known = Contribution.objects.latest("number").number
        play(api_key=api_key, rate=50, seconds=0.4, seed=3)
        rows = Contribution.objects.filter(number__gt=known)
        runs.append(sorted(rows.values_list("instance__name", "gameround_id", "base_wager")))

    first, second = runs
    assert first == second
    assert len(first) > 15


def test_money_that_a_meter_has_lost_is_found(
    play: Play, api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive = command.drive

    def drive_and_lose(*args: Any, **kwargs: Any) -> Any:
        outcome = drive(*args, **kwargs)
        Pot.objects.filter(instance__name="Monthly").update(opening=F("opening") - Decimal("0.5"))
        return outcome

    monkeypatch.setattr(command, "drive", drive_and_lose)

    with pytest.raises(CommandError) as failure:
        play(api_key=api_key, rate=20, seconds=0.2, seed=1)

    assert failure.value.returncode == 1
    first, *rest = str(failure.value).splitlines()
    assert first == "The meters gained less than the answers said:"
    assert [line.split(":")[0] for line in rest] == ["  Monthly, main"]


def test_other_traffic_is_told_apart(
    play: Play, api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    weekly = Instance.objects.get(name="Weekly")

    def contribute_then_plan(*args: Any, **kwargs: Any) -> Any:
        answer = Client(api_key).post(
            f"/v2/jackpots/instances/{weekly.pk}/contributions",
            {"player_id": "player-001", "base_wager": "10.00", "currency": "USD"},
        )
        assert answer.status_code == 201
        return [
            request
            for request in plan_requests(*args, **kwargs)
            if request.instance_id not in (str(weekly.pk), str(daily.pk))
        ]

    daily = Instance.objects.get(name="Daily")
    monkeypatch.setattr(command, "plan_requests", contribute_then_plan)

    with pytest.raises(CommandError) as failure:
        play(api_key=api_key, rate=20, seconds=0.2, seed=1)

    assert failure.value.returncode == 2
    assert str(failure.value) == (
        "The meters gained more than the answers said, so there was other traffic. Run it alone "
        "to compare:\n  Weekly, main: 0.05, not 0.00 USD"
    )


def test_a_server_that_does_not_run_is_named(play: Play) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

        with pytest.raises(CommandError, match=rf"^Nothing answers at {url} \(.+\): start it with"):
            play(url=url, api_key="wf_any")


@pytest.mark.parametrize(
    ("api_key", "sentence"),
    [
        ("wf_unknown", "does not know this API key: name the file that `load_demo` wrote"),
        ("wf_unknöwn", r"The API key has characters that no key has: copy it again\."),
    ],
)
def test_a_wrong_key_is_named(play: Play, api_key: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        play(api_key=api_key)


def test_a_key_without_the_scopes_is_named(play: Play) -> None:
    secret = issue_key(OperatorFactory.create(), scopes=["manage"])

    with pytest.raises(CommandError, match=r"needs the scopes `read` and `play`"):
        play(api_key=secret)


def test_a_server_of_another_kind_is_named(play: Play, live_server: Any) -> None:
    with pytest.raises(CommandError, match=r"answers 404 where it should list jackpots"):
        play(url=f"{live_server.url}/elsewhere", api_key="wf_any")


def test_an_operator_without_active_jackpots_is_named(play: Play) -> None:
    operator: Operator = OperatorFactory.create()

    with pytest.raises(CommandError, match="No jackpot is active there"):
        play(api_key=issue_key(operator))


def test_a_missing_file_of_credentials_is_named(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "none.json"

    with pytest.raises(CommandError, match=rf"^There is no API key in {path}: start `make run`"):
        play(credentials=path)


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "fast"])
def test_a_rate_that_is_none_is_refused(rate: str) -> None:
    with pytest.raises(CommandError, match=f"'{rate}' is not a number above zero"):
        call_command("play", f"--rate={rate}")


def test_more_than_can_be_planned_is_refused(play: Play) -> None:
    with pytest.raises(CommandError, match=r"That is 2,000,000 requests; 1,000,000 at most\."):
        play(rate=2000, seconds=1000, api_key="wf_any")
