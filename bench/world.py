"""What is measured needs: an operator, players, jackpots, promos and bonuses, made over HTTP."""

import http.client
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

from adapters.http.signing import make_secret
from bench.load import Load, render_post
from bench.servers import Bench, Web
from core.embedded.console import say
from core.embedded.errors import CannotRun
from core.embedded.folder import LOOPBACK

#: They contribute and claim; nobody meets another's lock by chance more than in life.
PLAYERS = 1000
#: They bet, each with a promo and a grant in progress.
BETTERS = 300
#: They have a bonus of the platform.
WAGERERS = 300
SLUG = "bench"
ADAPTER = "bench-platform"
GAME = "bench-slot"
PREPARED_BY = 8
FOREVER_S = 1e9


@dataclass(frozen=True)
class Caller:
    """The API, called with one key."""

    port: int
    api_key: str

    @cached_property
    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        return {"Authorization": f"Api-Key {self.api_key}"}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """
        Return the JSON that answers a request.

        :raises CannotRun: if it is refused.
        """
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=60)
        headers = {
            **self.headers,
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid4()),
        }
        try:
            connection.request(method, path, json.dumps({} if body is None else body), headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise CannotRun(f"{method} {path} was not answered: {error}.") from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise CannotRun(f"{method} {path} was refused: {answer.status} {text.decode()}")
        return json.loads(text) if text else None

    def call_many(self, method: str, calls: Iterable[tuple[str, Any]]) -> None:
        """
        Send many requests of which nobody needs the answers.

        :raises CannotRun: if one of them is refused.
        """
        load = Load(port=self.port, connections=PREPARED_BY)
        answers = load.run(self.render(method, calls), seconds=FOREVER_S)
        if answers.unexpected:
            raise CannotRun(f"The world could not be prepared: {answers.unexpected[0]}")

    def render(self, method: str, calls: Iterable[tuple[str, Any]]) -> Iterator[bytes]:
        """Return the bytes of requests, each with a key of its own."""
        for path, body in calls:
            headers = {**self.headers, "Idempotency-Key": str(uuid4())}
            post = render_post(path, json.dumps(body).encode(), headers=headers)
            yield post if method == "POST" else method.encode() + post.removeprefix(b"POST")

    def rows(self, path: str) -> Iterator[dict[str, Any]]:
        """Return every row of a list."""
        url: str | None = path
        while url is not None:
            page = self.call("GET", url)
            yield from page["results"]
            url = page["next"] and page["next"][page["next"].index("/v") :]


@dataclass(frozen=True)
class World:
    """Whom and what the load speaks of."""

    caller: Caller
    #: The first has links to the other two.
    linked: tuple[str, str, str]
    alone: str
    batch: str
    grants: tuple[str, ...]
    secret: str

    def on(self, web: Web) -> "World":
        """Return the same world, served by another server."""
        return World(
            caller=Caller(web.port, self.caller.api_key),
            linked=self.linked,
            alone=self.alone,
            batch=self.batch,
            grants=self.grants,
            secret=self.secret,
        )


def player(number: int) -> str:
    """Return the operator's id of a player who contributes and claims."""
    return f"player-{number % PLAYERS:04}"


def better(number: int) -> str:
    """Return the operator's id of a player who bets."""
    return f"better-{number % BETTERS:04}"


def prepare(bench: Bench, web: Web, *, groups: Iterable[str]) -> World:
    """
    Make the world that ``groups`` need.

    :raises CannotRun: if the API refuses a part of it.
    """
    groups = set(groups)
    say("  Preparing players and jackpots")
    api_key = json.loads(bench.manage("create_operator", SLUG))["api_key"]
    caller = Caller(web.port, api_key)
    caller.call("PUT", f"/v1/games/{GAME}", {"name": "Slot", "category": "slots"})
    _register(caller, [player(number) for number in range(PLAYERS)])
    instances = [
        _make_instance(caller, name) for name in ("Daily", "Weekly", "Monthly", "Alone", "Batch")
    ]
    links = {"linked_instances": instances[1:3]}
    caller.call("PUT", f"/v2/jackpots/instances/{instances[0]}/links", links)
    if "bet" in groups:
        say("  Preparing bets: a promo and a grant in progress for each player")
        _prepare_bets(caller)
    secret = make_secret()
    grants: tuple[str, ...] = ()
    if "webhook" in groups:
        say("  Preparing bonuses of a platform")
        grants = _prepare_platform(bench, caller, secret)
    return World(
        caller=caller,
        linked=(instances[0], instances[1], instances[2]),
        alone=instances[3],
        batch=instances[4],
        grants=grants,
        secret=secret,
    )


def make_claimable(caller: Caller, *, claims_left: int = 1_000_000) -> str:
    """Make a promo that pays a dollar at once, to so many; return its id."""
    promo = caller.call(
        "POST",
        "/v1/promos",
        {
            "code": f"B{uuid4().hex[:20]}".upper(),
            "type": "INSTANT",
            "title": "A dollar",
            "amount": "1.00",
            "currency": "USD",
            "claims_left": claims_left,
        },
    )
    return str(promo["id"])


def _register(caller: Caller, references: list[str]) -> None:
    caller.call_many(
        "PUT", ((f"/v1/players/{reference}", {"currency": "USD"}) for reference in references)
    )


def _make_instance(caller: Caller, name: str) -> str:
    made = caller.call(
        "POST",
        "/v2/jackpots/instances",
        {
            "name": name,
            "kind": "progressive",
            "currency": "USD",
            "contribution": {"type": "percent", "percent": "1"},
        },
    )
    caller.call("POST", f"/v2/jackpots/instances/{made['id']}/activate")
    return str(made["id"])


def _prepare_bets(caller: Caller) -> None:
    references = [better(number) for number in range(BETTERS)]
    _register(caller, references)
    promo = caller.call(
        "POST",
        "/v1/promos",
        {
            "code": "BENCHBET",
            "type": "DEPOSIT",
            "title": "To be rolled over",
            "bonus_multiplier": "1",
            "max_bonus_usd_amount": "100",
            "min_deposit_usd_to_activate": "20",
            "wager_usd_amount_to_complete": "1000000000",
            "time_seconds_to_complete": 7 * 86_400,
        },
    )
    games = {"games": [{"game": GAME, "wager_multiplier": "1", "max_bet_amount": None}]}
    caller.call("PUT", f"/v1/promos/{promo['id']}/games", games)
    template = _make_template(caller, "Wagered by bets")
    claim = f"/v1/promos/{promo['id']}/claim"
    caller.call_many("POST", ((claim, {"player_id": each}) for each in references))
    money = {"amount": "10000.00", "currency": "USD"}
    caller.call_many("POST", ((f"/v1/players/{each}/deposits", money) for each in references))
    _grant(caller, template, references)


def _prepare_platform(bench: Bench, caller: Caller, secret: str) -> tuple[str, ...]:
    platform = bench.spawn(
        "sandbox",
        "-m",
        "adapters.sandbox",
        f"--port={bench.sandbox_port}",
        f"--windfall-url=http://{LOOPBACK}:{caller.port}",
        f"--adapter-slug={ADAPTER}",
        f"--secret={secret}",
        environment=bench.environment(),
    )
    url = f"http://{LOOPBACK}:{bench.sandbox_port}"
    bench.nest.wait_until(lambda: _listens(bench.sandbox_port), process=platform, seconds=30)
    caller.call(
        "PUT",
        f"/v1/adapters/{ADAPTER}",
        {"kind": "http", "base_url": url, "secret": secret, "is_default": True},
    )
    references = [f"wagerer-{number:04}" for number in range(WAGERERS)]
    _register(caller, references)
    template = _make_template(caller, "Wagered on the platform")
    _grant(caller, template, references)
    internal = {"kind": "internal", "is_default": True}
    caller.call("PUT", f"/v1/adapters/{SLUG}-internal", internal)
    bench.nest.stop(platform)
    return tuple(
        row["id"]
        for row in caller.rows("/v1/bonus-grants?page_size=200")
        if row["template_id"] == template
    )


def _make_template(caller: Caller, name: str) -> str:
    template = caller.call(
        "POST",
        "/v1/bonus-templates",
        {
            "name": name,
            "type": "no_deposit",
            "config": {"amount": "1000.00", "currency": "USD"},
            "wagering_requirement_multiplier": "10000",
            "game_contribution": {"default": 100},
            "max_grants_per_player": 1,
        },
    )
    return str(template["id"])


def _grant(caller: Caller, template: str, references: list[str]) -> None:
    caller.call_many(
        "POST",
        (
            ("/v1/bonus-grants", {"template_id": template, "player_id": reference})
            for reference in references
        ),
    )


def _listens(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.connect()
    except OSError:
        return False
    finally:
        connection.close()
    return True
