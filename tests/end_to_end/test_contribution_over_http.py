"""The whole product, running: a contribution over HTTP, and what becomes of it."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
import pytest

from core.embedded import postgres
from tests.embedded.make_run import MakeRun
from tests.embedded.standin import clean_environment

pytestmark = pytest.mark.xdist_group("make_run")

FOLDED_WITHIN_S = 60
POLL_S = 0.2
_FOLDED = """
    SELECT instance.folded_to::text::bigint, pot.seed + pot.folded
    FROM jackpots_pot AS pot JOIN jackpots_instance AS instance ON instance.id = pot.instance_id
    WHERE instance.id = %s
"""


@dataclass(frozen=True)
class Running:
    """A running Windfall, and a client with the demo's key."""

    windfall: MakeRun
    client: httpx2.Client

    def jackpots(self) -> dict[str, dict[str, Any]]:
        """Return the demo's jackpots by name."""
        page = self.client.get("/v2/jackpots/instances?page_size=200").json()
        assert page["next"] is None
        return {row["name"]: row for row in page["results"]}

    def contribute(
        self, instance_id: str, key: str | None = None, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        return self.client.post(
            f"/v2/jackpots/instances/{instance_id}/contributions",
            json={"player_id": "player-001", "base_wager": "100.00", "currency": "USD"},
            headers={"Idempotency-Key": key or str(uuid4()), **(headers or {})},
        )

    @property
    def database_url(self) -> str:
        """Where the embedded PostgreSQL listens."""
        folder = self.windfall.data_dir
        password = (folder / f"{postgres.NAME}.password").read_text().strip()
        port = (folder / f"{postgres.NAME}.port").read_text().strip()
        return f"postgresql://{postgres.OWNER}:{password}@127.0.0.1:{port}/{postgres.DATABASE}"

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of manage.py in the copy of the tree, as somebody would beside it."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.windfall.tree,
            check=False,
            env=clean_environment(
                PORT=str(self.windfall.port),
                DATA_DIR=str(self.windfall.data_dir),
            ),
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture
def running(running_windfall: MakeRun) -> Iterator[Running]:
    with httpx2.Client(
        base_url=running_windfall.base_url,
        headers={"Authorization": f"Api-Key {running_windfall.api_key}"},
        timeout=30,
        trust_env=False,
    ) as client:
        yield Running(running_windfall, client)


def meter(jackpot: dict[str, Any]) -> Decimal:
    [pot] = jackpot["pots"]
    return Decimal(pot["value"])


def test_a_contribution_to_daily_reaches_weekly_and_monthly(running: Running) -> None:
    before = running.jackpots()

    answer = running.contribute(before["Daily"]["id"])

    after = running.jackpots()
    assert answer.status_code == 201
    legs = [(leg["instance_id"], leg["role"], leg["amount"]) for leg in answer.json()["results"]]
    assert legs == [
        (before["Daily"]["id"], "main", "1.00"),
        (before["Weekly"]["id"], "linked", "0.50"),
        (before["Monthly"]["id"], "linked", "0.25"),
    ]
    with_one_pot = [name for name in before if len(before[name]["pots"]) == 1]
    gains = {name: meter(after[name]) - meter(before[name]) for name in with_one_pot}
    assert {name: gain for name, gain in gains.items() if gain} == {
        "Daily": Decimal("1.00"),
        "Weekly": Decimal("0.50"),
        "Monthly": Decimal("0.25"),
    }


def test_the_same_key_acts_once(running: Running) -> None:
    jackpot = running.jackpots()["Daily"]
    key = str(uuid4())

    first = running.contribute(jackpot["id"], key)
    second = running.contribute(jackpot["id"], key)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert meter(running.jackpots()["Daily"]) - meter(jackpot) == Decimal("1.00")


def test_a_pause_is_obeyed_by_every_process(running: Running) -> None:
    monthly = f"/v2/jackpots/instances/{running.jackpots()['Monthly']['id']}"
    body = {"player_id": "player-001", "base_wager": "10.00", "currency": "USD"}

    def statuses() -> set[int]:
        # A connection each, so that both processes are met, with what they remember.
        return {
            httpx2.post(
                f"{running.windfall.base_url}{monthly}/contributions",
                json=body,
                headers={**running.client.headers, "Idempotency-Key": str(uuid4())},
                trust_env=False,
            ).status_code
            for _number in range(20)
        }

    accruing = statuses()
    running.client.post(f"{monthly}/pause", json={"reason": "To see who obeys"})
    paused = statuses()
    running.client.post(f"{monthly}/resume", json={})

    assert (accruing, paused, statuses()) == ({201}, {409}, {201})


def test_a_promise_is_kept_by_the_worker(running: Running) -> None:
    before = running.jackpots()["Daily"]

    promised = running.contribute(before["id"], headers={"Prefer": "respond-async"})
    deadline = time.monotonic() + FOLDED_WITHIN_S
    found = running.client.get(promised.headers["Location"]).json()
    while found["status"] == "pending" and time.monotonic() < deadline:
        time.sleep(POLL_S)
        found = running.client.get(promised.headers["Location"]).json()

    assert promised.status_code == 202
    assert (found["request_id"], found["status"]) == (promised.json()["request_id"], "done")
    assert [leg["status"] for leg in found["results"]] == ["accepted"] * 3
    assert meter(running.jackpots()["Daily"]) - meter(before) == Decimal("1.00")


def test_beat_and_worker_fold_it_into_the_meter(running: Running) -> None:
    instance_id = running.jackpots()["Daily"]["id"]
    with psycopg.connect(running.database_url, autocommit=True) as connection:
        [watermark, _stored] = connection.execute(_FOLDED, [instance_id]).fetchone() or ()
        assert running.contribute(instance_id).status_code == 201
        value = meter(running.jackpots()["Daily"])

        deadline = time.monotonic() + FOLDED_WITHIN_S
        [folded_to, stored] = watermark, Decimal(0)
        while stored != value and time.monotonic() < deadline:
            time.sleep(POLL_S)
            [folded_to, stored] = connection.execute(_FOLDED, [instance_id]).fetchone() or ()

    assert stored == value
    assert folded_to > watermark


def test_is_ready_and_shows_its_doors(running: Running) -> None:
    assert running.client.get("/readyz").json() == {"status": "ready"}
    paths = running.client.get("/openapi.json").json()["paths"]
    assert "post" in paths["/v2/jackpots/instances/{instance_id}/contributions"]
    login = running.client.get("/accounts/login/")
    assert login.status_code == 200
    assert 'name="password"' in login.text


def test_the_books_balance_after_traffic(running: Running) -> None:
    played = running.manage("play", "--rate", "20", "--seconds", "3", "--seed", "1")
    checked = running.manage("check_books")

    assert played.returncode == 0, played.stdout + played.stderr
    assert re.search(r"^60 requests in \d+\.\d s: ", played.stdout, re.MULTILINE)
    assert played.stdout.endswith("The meters gained exactly what the answers said.\n")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.startswith("The books balance (")


def test_the_demo_world_is_loaded_once(running: Running) -> None:
    names = sorted(running.jackpots())

    again = running.manage("load_demo")

    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith(
        "Lucky Star Casino: 200 players, 12 games, 15 jackpots, 4 promos, 5 bonus templates.\n"
    )
    assert sorted(running.jackpots()) == names
