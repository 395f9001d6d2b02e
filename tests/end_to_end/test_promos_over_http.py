"""Promos over HTTP, with a real worker: the worked example, and a batch of 100,000 codes."""

import time
from collections.abc import Iterator
from uuid import uuid4

import httpx2
import pytest

from tests.embedded.make_run import MakeRun

pytestmark = pytest.mark.xdist_group("make_run")

CODES_COUNT = 100_000
MADE_WITHIN_S = 60
POLL_S = 0.2


class Caller:
    """A client of the demo's operator that names every command."""

    def __init__(self, client: httpx2.Client) -> None:
        self.client = client

    def post(self, path: str, **body: object) -> httpx2.Response:
        return self.client.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})


@pytest.fixture
def caller(running_windfall: MakeRun) -> Iterator[Caller]:
    with httpx2.Client(
        base_url=running_windfall.base_url,
        headers={"Authorization": f"Api-Key {running_windfall.api_key}"},
        timeout=30,
        trust_env=False,
    ) as client:
        yield Caller(client)


def test_a_claim_a_deposit_and_a_bet(caller: Caller) -> None:
    player = f"e2e-{uuid4()}"
    caller.client.put(f"/v1/players/{player}", json={"currency": "USD"})

    claimed = caller.post("/v1/promos/claim", code="welcome100", player_id=player)
    deposited = caller.post(f"/v1/players/{player}/deposits", amount="100.00", currency="USD")
    bet = caller.post(
        f"/v1/players/{player}/bets",
        bet_id="1", game="lucky-star", stake="10.00", payout="4.00", currency="USD",
    )  # fmt: skip
    withdrawn = caller.post(f"/v1/players/{player}/withdrawals", amount="1.00", currency="USD")

    assert [each.status_code for each in (claimed, deposited, bet, withdrawn)] == [
        201, 201, 201, 409,
    ]  # fmt: skip
    assert claimed.json()["status"] == "CLAIMED"
    assert deposited.json()["promo"]["progress"]["wager_usd_amount_to_complete"] == "3000.00"
    assert bet.json()["promo"]["progress"]["wagered_usd_amount"] == "10.00"
    assert withdrawn.json()["code"] == "PROMO_CODE_IS_ACTIVE"
    wallet = caller.client.get(f"/v1/players/{player}/wallet").json()
    assert wallet["balances"] == [{"currency": "USD", "main": "194.00", "vault": "0.00"}]


def test_a_worker_makes_100_000_codes_that_can_be_claimed_once_each(caller: Caller) -> None:
    promo = caller.post(
        "/v1/promos", code=f"E2E-{uuid4()}", type="INSTANT", title="Batch",
        amount="1.00", currency="USD",
    ).json()  # fmt: skip
    asked = caller.post(f"/v1/promos/{promo['id']}/codes", count=CODES_COUNT, pattern="GIFT-******")
    batch_path = f"/v1/promo-batches/{asked.json()['id']}"

    deadline = time.monotonic() + MADE_WITHIN_S
    codes = caller.client.get(f"{batch_path}/codes.csv")
    while codes.status_code == 409 and time.monotonic() < deadline:
        time.sleep(POLL_S)
        codes = caller.client.get(f"{batch_path}/codes.csv")

    assert (asked.status_code, codes.status_code) == (202, 200)
    lines = codes.text.splitlines()
    assert lines[0] == "code,claimed_at,player_id"
    made = {line.split(",")[0] for line in lines[1:]}
    assert len(made) == len(lines) - 1 == CODES_COUNT
    player = f"e2e-{uuid4()}"
    caller.client.put(f"/v1/players/{player}", json={"currency": "USD"})
    code = lines[1].split(",")[0]
    assert caller.post("/v1/promos/claim", code=code, player_id=player).status_code == 201
    again = caller.post("/v1/promos/claim", code=code, player_id="player-001")
    assert (again.status_code, again.json()["code"]) == (409, "PROMO_CLAIMS_EXHAUSTED")
