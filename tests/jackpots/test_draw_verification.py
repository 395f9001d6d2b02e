"""A draw can be checked by anybody: over HTTP, and with docs/verify_draw.py alone."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from core.actors import Actor
from jackpots.models import Draw, Instance
from jackpots.services.verification import verify_draw
from operators.enums import Scope
from operators.models import Operator
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import OperatorFactory
from tests.jackpots.raffles import Raffling, draw_of

pytestmark = pytest.mark.django_db

ANOTHER_PLAYER = (
    "SELECT player_id FROM jackpots_drawentry AS entry WHERE entry.draw_id = jackpots_win.draw_id"
    " AND entry.player_id <> jackpots_win.player_id LIMIT 1"
)
SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "verify_draw.py"


@pytest.fixture
def world(operator: Operator, actor: Actor, now: datetime) -> Raffling:
    return Raffling(operator, actor, now)


@pytest.fixture
def drawn(world: Raffling) -> Draw:
    raffle = world.opened(
        prizes=[
            {"name": "Half", "share": Decimal("0.33333333"), "count": 2, "min_tickets": 3},
            {"name": "Five", "amount": Decimal(5), "count": 3, "priority": 1},
        ]
    )
    # Ordered by bytes, whatever a language makes of it: capitals first, accents last.
    world.contributed(raffle, ada="3.5", Zoë=7, émile=4, bob="1.25", cyd="0.5")
    return world.drawn(raffle)


def published(draw: Draw) -> dict[str, Any]:
    return verify_draw(operator=draw.operator, draw_id=draw.pk)


def failed_checks(draw: Draw) -> list[str]:
    document = published(draw)
    failed = [check["check"] for check in document["checks"] if not check["ok"]]
    assert document["verified"] == (not failed)
    return failed


def run_script(document: dict[str, Any], *args: str) -> tuple[int, list[str]]:
    """Run the script as anybody would, and return its exit status and what is wrong."""
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *args],
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    lines = [line.split(": ") for line in done.stdout.splitlines()]
    assert [name for name, _verdict in lines] == ["commitment", "entries", "winners"], done.stderr
    return done.returncode, [name for name, verdict in lines if verdict == "WRONG"]


def tamper(sql: str, *params: Any) -> None:
    """Change what the triggers protect."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, params)
        assert cursor.rowcount == 1
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def test_a_draw_is_shown_and_proved_over_http(
    world: Raffling, client: Client, client_of: Callable[..., Client]
) -> None:
    raffle = world.opened()
    world.contributed(raffle, ada=5)
    path = f"/v2/jackpots/instances/{raffle.pk}"
    [before] = client.get(f"{path}/draws").json()["results"]
    too_early = client.get(f"/v2/jackpots/draws/{before['id']}/verification")

    assert client_of(world.operator, scopes=[Scope.READ]).post(f"{path}/draw").status_code == 403
    answer = client.post(f"{path}/draw", {"reason": "It is time"})
    again = client.post(f"{path}/draw")

    assert (too_early.status_code, too_early.json()["code"]) == (409, "INSTANCE_WRONG_STATE")
    assert too_early.json()["commitment"] == before["commitment"]
    assert (before["seed"], before["drawn_at"], before["winners"]) == (None, None, [])
    assert (answer.status_code, answer.json()["status"]) == (200, "drawn")
    assert (again.status_code, again.json()["code"]) == (409, "INSTANCE_WRONG_STATE")
    [draw] = client.get(f"{path}/draws").json()["results"]
    assert draw["commitment"] == before["commitment"]
    assert draw["seed"] == draw_of(raffle).seed
    assert draw["winners"] == [
        {
            "position": 1,
            "prize": "The whole pot",
            "player_id": "ada",
            "amount": "5.00",
            "counter": 0,
        }
    ]
    proof = client.get(f"/v2/jackpots/draws/{draw['id']}/verification").json()
    assert proof["verified"] is True
    assert proof["entries"] == [{"player_id": "ada", "tickets": 5}]
    assert proof["winners"] == draw["winners"]
    assert run_script(proof) == (0, [])


def test_a_progressive_has_no_draws_and_strangers_see_none(
    world: Raffling, client: Client, client_of: Callable[..., Client]
) -> None:
    progressive = InstanceFactory.create(operator=world.operator, progressive=True)
    raffle = world.opened()
    stranger = client_of(OperatorFactory.create())
    path = f"/v2/jackpots/instances/{raffle.pk}"

    listed = client.get(f"/v2/jackpots/instances/{progressive.pk}/draws").json()
    assert listed == {"next": None, "previous": None, "results": []}
    assert stranger.get(f"{path}/draws").status_code == 404
    assert stranger.post(f"{path}/draw").status_code == 404
    assert stranger.get(f"/v2/jackpots/draws/{draw_of(raffle).pk}/verification").status_code == 404
    assert client.get(f"/v2/jackpots/draws/{uuid4()}/verification").status_code == 404
    assert Instance.objects.get(pk=raffle.pk).status == "active"


def test_everything_drawn_is_as_published(drawn: Draw, tmp_path: Path) -> None:
    document = published(drawn)

    assert failed_checks(drawn) == []
    assert [entry["player_id"] for entry in document["entries"]] == ["Zoë", "ada", "bob", "émile"]
    assert [winner["prize"] for winner in document["winners"]] == ["Half"] * 2 + ["Five"] * 3
    assert document["pot_amount"] == "16.25"
    file = tmp_path / "draw.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert run_script({}, str(file)) == (0, [])


@pytest.mark.parametrize(
    ("table", "change", "wrong"),
    [
        ("jackpots_drawentry", "tickets = tickets + 1", ["entries", "winners"]),
        ("jackpots_win", f"player_id = ({ANOTHER_PLAYER})", ["winners"]),
        ("jackpots_win", "amount = amount + 0.01", ["winners"]),
        ("jackpots_draw", "seed = reverse(seed)", ["commitment", "winners"]),
        ("jackpots_draw", "entries_digest = reverse(entries_digest)", ["entries"]),
    ],
    ids=["one ticket", "one winner", "one amount", "the seed", "the digest"],
)
def test_whatever_is_altered_is_found(
    drawn: Draw, table: str, change: str, wrong: list[str]
) -> None:
    which = {
        "jackpots_drawentry": "draw_id = %s AND position = 3",
        "jackpots_win": "draw_id = %s AND draw_position = 1",
        "jackpots_draw": "id = %s",
    }
    tamper(f"UPDATE {table} SET {change} WHERE {which[table]}", drawn.pk)

    failed = failed_checks(drawn)
    status, found = run_script(published(drawn))

    # One ticket more need not change who won; that the entries are others always shows.
    assert wrong[0] in failed
    assert set(failed) <= set(wrong)
    assert (status, found) == (1, failed)
