"""A running server as an integrator sees it: it is asked, answers, and is asked again."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from time import monotonic, sleep
from types import TracebackType
from typing import Any

import httpx2

ATTEMPTS_MAX = 6
TIMEOUT_S = 10.0
#: Where the answer names no time, and the longest that one is obeyed.
RETRY_AFTER_S = 0.5
RETRY_AFTER_MAX_S = 10.0
#: The same request is sent again, under the same key, after any of these.
_RETRIED = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


class ServerTrouble(Exception):
    """The server cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class PotReading:
    """What a pot held when it was read, its reserve included, and since how many wins."""

    name: str
    value: Decimal
    cycle: int = 1


@dataclass(frozen=True, slots=True)
class InstanceReading:
    """A jackpot instance when it was read."""

    id: str
    name: str
    currency: str
    is_accruing: bool
    is_player_funded: bool
    pots: tuple[PotReading, ...]


@dataclass(frozen=True, slots=True)
class ContributionRequest:
    """A contribution to be sent, and the key that it keeps however often it is sent."""

    instance_id: str
    key: str
    body: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Return where it is sent."""
        return f"/v2/jackpots/instances/{self.instance_id}/contributions"

    @property
    def role(self) -> str:
        """Return the role of the leg that a refusal is about."""
        return "main"


@dataclass(frozen=True, slots=True)
class BetRequest:
    """A bet to be placed and settled at once, and the key that it keeps."""

    player_id: str
    key: str
    body: Mapping[str, Any]
    #: No jackpot is concerned.
    instance_id: str = ""

    @property
    def path(self) -> str:
        """Return where it is sent."""
        return f"/v1/players/{self.player_id}/bets"

    @property
    def role(self) -> str:
        """Return what the answer is counted as."""
        return "bet"


PlayRequest = ContributionRequest | BetRequest


@dataclass(frozen=True, slots=True)
class Leg:
    """What one instance did with a contribution; or, in the role "bet", what became of a bet."""

    instance_id: str
    role: str
    error_code: str | None
    pots: tuple[PotReading, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What became of one request.

    ``legs`` has the main leg or the bet at least, unless the server never answered: then it
    is empty, and nobody knows what was done.
    """

    legs: tuple[Leg, ...]
    latency_s: float
    retry_count: int


class Server:
    """
    The API at an address, called with one key over connections that are kept.

    May be used by many threads at once. ``transport`` replaces the network, ``pause`` the
    wait before a request is sent again.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        connections_max: int,
        transport: httpx2.BaseTransport | None = None,
        pause: Callable[[float], None] = sleep,
    ) -> None:
        if not (api_key.isascii() and api_key.isprintable()):
            raise ServerTrouble("The API key has characters that no key has: copy it again.")
        self._url = url.rstrip("/")
        self._pause = pause
        self._client = httpx2.Client(
            headers={"Authorization": f"Api-Key {api_key}"},
            timeout=TIMEOUT_S,
            limits=httpx2.Limits(
                max_connections=connections_max, max_keepalive_connections=connections_max
            ),
            # A proxy of the environment has no way to this machine's loopback address.
            trust_env=False,
            transport=transport,
        )

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()

    def read_instances(self) -> list[InstanceReading]:
        """
        Return every instance with its meters.

        :raises ServerTrouble: if the server does not answer, or does not let us read.
        """
        return [_instance(row) for row in self._rows("/v2/jackpots/instances?page_size=200")]

    def send(self, request: PlayRequest) -> Answer:
        """Send the request until the server decides upon it, and return what it said."""
        url = f"{self._url}{request.path}"
        latency_s = 0.0
        response: httpx2.Response | None = None
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                self._pause(_retry_after_s(response))
            began = monotonic()
            try:
                response = self._client.post(
                    url, json=dict(request.body), headers={"Idempotency-Key": request.key}
                )
            except httpx2.TransportError:
                response = None
                continue
            latency_s = monotonic() - began
            if not _is_to_be_retried(response):
                break
        return Answer(
            legs=() if response is None else _legs(request, response),
            latency_s=latency_s,
            retry_count=attempt,
        )

    def _rows(self, path: str) -> Iterator[dict[str, Any]]:
        url: str | None = f"{self._url}{path}"
        while url is not None:
            page = self._get(url)
            yield from page["results"]
            url = page["next"]

    def _get(self, url: str) -> dict[str, Any]:
        try:
            response = self._client.get(url)
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise ServerTrouble(
                f"{self._url} is not an address ({error}): give one such as "
                "--url http://127.0.0.1:8000."
            ) from error
        except httpx2.TransportError as error:
            raise ServerTrouble(
                f"Nothing answers at {self._url} ({error}): start it with `make run`, or name "
                "another address with --url."
            ) from error
        match response.status_code:
            case HTTPStatus.OK if "results" in (page := _json(response)):
                return page
            case HTTPStatus.UNAUTHORIZED:
                raise ServerTrouble(
                    f"{self._url} does not know this API key: name the file that `load_demo` "
                    "wrote there with --credentials, or give a key with --api-key."
                )
            case HTTPStatus.FORBIDDEN:
                raise ServerTrouble("The API key needs the scopes `read` and `play`.")
            case status:
                raise ServerTrouble(
                    f"{self._url} answers {status} where it should list jackpots: is it Windfall?"
                )


def _is_to_be_retried(response: httpx2.Response) -> bool:
    return response.status_code in _RETRIED or _is_in_progress(response)


def _is_in_progress(response: httpx2.Response) -> bool:
    return (
        response.status_code == HTTPStatus.CONFLICT
        and _json(response).get("code") == "IDEMPOTENCY_IN_PROGRESS"
    )


def _retry_after_s(response: httpx2.Response | None) -> float:
    named = "" if response is None else response.headers.get("Retry-After", "")
    seconds = float(named) if named.isdecimal() else RETRY_AFTER_S
    return min(seconds, RETRY_AFTER_MAX_S)


def _legs(request: PlayRequest, response: httpx2.Response) -> tuple[Leg, ...]:
    body = _json(response)
    if response.status_code == HTTPStatus.CREATED:
        if isinstance(request, BetRequest):
            # A body without the bet is not the answer that was promised.
            return (Leg("", request.role, None, ()),) if "bet" in body else ()
        return tuple(_leg(result) for result in body.get("results", ()))
    is_refusal = HTTPStatus.BAD_REQUEST <= response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    is_undone = is_refusal and not _is_in_progress(response)
    if is_undone or response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        code = str(body.get("code") or f"HTTP_{response.status_code}")
        return (Leg(instance_id=request.instance_id, role=request.role, error_code=code, pots=()),)
    return ()


def _leg(result: Mapping[str, Any]) -> Leg:
    return Leg(
        instance_id=result["instance_id"],
        role=result["role"],
        error_code=None if result["error"] is None else result["error"]["code"],
        pots=tuple(PotReading(pot["name"], Decimal(pot["amount"])) for pot in result["pots"]),
    )


def _instance(row: Mapping[str, Any]) -> InstanceReading:
    return InstanceReading(
        id=row["id"],
        name=row["name"],
        currency=row["currency"],
        is_accruing=row["status"] == "active" and not row["is_paused"],
        is_player_funded=row["funding"] == "player",
        pots=tuple(
            PotReading(pot["name"], Decimal(pot["value"]) + Decimal(pot["reserve"]), pot["cycle"])
            for pot in row["pots"]
        ),
    )


def _json(response: httpx2.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
