"""Requests that are sent until they are decided upon, and what is made of the answers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from activity.traffic.driving import Pace, drive
from activity.traffic.progress import Progress
from activity.traffic.report import judge, render_report
from activity.traffic.server import (
    ATTEMPTS_MAX,
    Answer,
    BetRequest,
    ContributionRequest,
    InstanceReading,
    Leg,
    PotReading,
    Server,
)
from activity.traffic.tally import PotGain, Tally

REQUEST = ContributionRequest(
    instance_id="daily", key="play-1", body={"player_id": "player-001", "base_wager": "1.00"}
)
ACCEPTED = {
    "results": [
        {
            "instance_id": "daily",
            "role": "main",
            "error": None,
            "pots": [{"name": "main", "amount": "0.01"}],
        },
        {
            "instance_id": "weekly",
            "role": "linked",
            "error": {"code": "OPT_IN_REQUIRED", "detail": "…"},
            "pots": [],
        },
    ]
}
LEGS = (
    Leg("daily", "main", None, (PotReading("main", Decimal("0.01")),)),
    Leg("weekly", "linked", "OPT_IN_REQUIRED", ()),
)


NEVER_ANSWERED = (
    "2 requests were never answered: nobody knows what they did, so the meters prove nothing."
)


class Line:
    """A network that answers as it is told, and notes what it was sent."""

    def __init__(self, answers: Sequence[httpx2.Response | Exception]) -> None:
        self.answers = list(answers)
        self.keys: list[str] = []
        self.pauses_s: list[float] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.keys.append(request.headers["Idempotency-Key"])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def server(self) -> Server:
        return Server(
            "http://windfall.test",
            "wf_key",
            connections_max=1,
            transport=httpx2.MockTransport(self.answer),
            pause=self.pauses_s.append,
        )


def accepted() -> httpx2.Response:
    return httpx2.Response(201, json=ACCEPTED)


def problem(status: int, code: str, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, json={"code": code}, headers=headers)


@pytest.mark.parametrize(
    ("first", "pause_s"),
    [
        (problem(429, "RATE_LIMITED", **{"Retry-After": "3"}), 3.0),
        (problem(503, "RESOURCE_BUSY", **{"Retry-After": "2"}), 2.0),
        (problem(503, "RESOURCE_BUSY", **{"Retry-After": "3600"}), 10.0),
        (problem(409, "IDEMPOTENCY_IN_PROGRESS", **{"Retry-After": "1"}), 1.0),
        (httpx2.Response(502, text="<html>"), 0.5),
        (httpx2.ConnectError("refused"), 0.5),
        (httpx2.ReadTimeout("slow"), 0.5),
    ],
)
def test_is_sent_again_under_the_same_key(
    first: httpx2.Response | Exception, pause_s: float
) -> None:
    line = Line([first, accepted()])

    answer = line.server().send(REQUEST)

    assert answer.legs == LEGS
    assert answer.retry_count == 1
    assert line.keys == ["play-1", "play-1"]
    assert line.pauses_s == [pause_s]


def test_a_refusal_is_final() -> None:
    line = Line([problem(409, "PLAYER_BLOCKED")])

    answer = line.server().send(REQUEST)

    assert answer.legs == (Leg("daily", "main", "PLAYER_BLOCKED", ()),)
    assert line.keys == ["play-1"]


@pytest.mark.parametrize(
    ("last", "legs"),
    [
        (lambda: problem(503, "RESOURCE_BUSY"), (Leg("daily", "main", "RESOURCE_BUSY", ()),)),
        (lambda: problem(429, "RATE_LIMITED"), (Leg("daily", "main", "RATE_LIMITED", ()),)),
        # After these nobody knows what was done.
        (lambda: problem(409, "IDEMPOTENCY_IN_PROGRESS"), ()),
        (lambda: httpx2.Response(500, text="<html>"), ()),
        (lambda: httpx2.Response(201, text="not what was promised"), ()),
        (lambda: httpx2.ConnectError("refused"), ()),
    ],
)
def test_gives_up_in_the_end(last: Callable[[], Any], legs: tuple[Leg, ...]) -> None:
    line = Line([last() for _ in range(ATTEMPTS_MAX)])

    assert line.server().send(REQUEST).legs == legs


@pytest.mark.parametrize(
    ("answer", "legs"),
    [
        (httpx2.Response(201, json={"bet": {"bet_id": "b"}}), (Leg("", "bet", None, ()),)),
        (
            problem(409, "BET_RESTRICTED_BY_PROMO_ACTIVE_CODE"),
            (Leg("", "bet", "BET_RESTRICTED_BY_PROMO_ACTIVE_CODE", ()),),
        ),
        (httpx2.Response(201, json={"detail": "not what was promised"}), ()),
    ],
)
def test_a_bet_is_counted_by_what_became_of_it(
    answer: httpx2.Response, legs: tuple[Leg, ...]
) -> None:
    line = Line([answer])
    request = BetRequest("player-001", "play-2", {"bet_id": "play-2"})

    assert request.path == "/v1/players/player-001/bets"
    assert line.server().send(request).legs == legs
    assert line.keys == ["play-2"]


def reading(name: str, value: str, *, is_accruing: bool = True) -> InstanceReading:
    return InstanceReading(
        id=name,
        name=name.title(),
        currency="USD",
        is_accruing=is_accruing,
        is_player_funded=False,
        pots=(PotReading("main", Decimal(value)),),
    )


def tally_of(*answers: Answer) -> Tally:
    tally = Tally()
    for answer in answers:
        tally.add(answer)
    return tally


def gain(before: str, after: str, expected: str) -> PotGain:
    return PotGain("Daily", "USD", "main", Decimal(before), Decimal(after), Decimal(expected))


def won(before: str, after: str, expected: str) -> PotGain:
    return replace(gain(before, after, expected), has_dropped=True)


def test_gains_are_those_of_pots_that_accrue_or_were_given_something() -> None:
    tally = tally_of(Answer(LEGS, 0.004, 0), Answer(LEGS, 0.004, 0))
    before = [
        reading("weekly", "5000.00"),
        reading("draft", "1.00", is_accruing=False),
        reading("daily", "500.00", is_accruing=False),
    ]
    after = [
        reading("daily", "500.02"),
        reading("draft", "1.00"),
        reading("new", "0"),
        reading("weekly", "5000.00"),
    ]

    gains = tally.gains(before, after)

    assert gains == [
        PotGain("Daily", "USD", "main", Decimal(500), Decimal("500.02"), Decimal("0.02")),
        PotGain("Weekly", "USD", "main", Decimal(5000), Decimal(5000), Decimal(0)),
    ]


def test_the_report_is_two_tables_and_a_line() -> None:
    tally = tally_of(
        Answer(LEGS, 0.004, 0),
        Answer((Leg("daily", "main", "PLAYER_BLOCKED", ()),), 0.012, 2),
        Answer((Leg("", "bet", None, ()),), 0.004, 0),
        Answer((Leg("", "bet", "INSUFFICIENT_FUNDS", ()),), 0.004, 0),
    )
    assert tally.refused_count == 2

    report = render_report([gain("500", "500.0125", "0.0125")], tally, elapsed_s=0.5)

    assert report == (
        "jackpot  pot        before     after   gained\n"
        "Daily    main  USD  500.00  500.0125  +0.0125\n"
        "\n"
        "outcome                     main  linked  bets\n"
        "accepted                       1       0     1\n"
        "failed: INSUFFICIENT_FUNDS     0       0     1\n"
        "failed: OPT_IN_REQUIRED        0       1     0\n"
        "failed: PLAYER_BLOCKED         1       0     0\n"
        "\n"
        "4 requests in 0.5 s: 8.0 a second, p50 4 ms, p95 12 ms, 2 sent again."
    )


@pytest.mark.parametrize(
    ("gains", "unanswered", "status", "sentence"),
    [
        ([gain("1", "3", "2")], 0, 0, "The meters gained exactly what the answers said."),
        ([gain("1", "2.99", "2")], 0, 1, "  Daily, main: 1.99, not 2.00 USD"),
        ([gain("1", "0.5", "0")], 0, 1, "  Daily, main: -0.50, not 0.00 USD"),
        ([gain("1", "3.01", "2")], 0, 2, "  Daily, main: 2.01, not 2.00 USD"),
        ([gain("1", "2.99", "2"), gain("1", "4", "2")], 0, 1, "  Daily, main: 1.99, not 2.00 USD"),
        ([gain("1", "3", "2")], 2, 1, NEVER_ANSWERED),
        ([won("9", "1", "2")], 0, 0, "The meters gained exactly what the answers said."),
        ([won("9", "1", "2"), gain("1", "2.99", "2")], 0, 1, "  Daily, main: 1.99, not 2.00 USD"),
    ],
)
def test_the_verdict_is_exact(
    gains: list[PotGain], unanswered: int, status: int, sentence: str
) -> None:
    tally = tally_of(*[Answer((), 0.0, 5)] * unanswered)

    verdict = judge(gains, tally)

    assert verdict.exit_status == status
    assert verdict.sentences[-1] == sentence


def test_a_pot_that_was_won_meanwhile_is_named_and_not_compared() -> None:
    tally = tally_of(Answer(LEGS, 0.004, 0))
    before, after = reading("daily", "500.00"), reading("daily", "500.00")
    [pot] = after.pots
    after = replace(after, pots=(replace(pot, value=Decimal("1.00"), cycle=2),))

    gains = tally.gains([before], [after])

    assert gains == [won("500.00", "1.00", "0.01")]
    assert judge(gains, tally).sentences == (
        "Daily, main was won meanwhile, so its meter proves nothing.",
        "The meters gained exactly what the answers said.",
    )


def test_drives_every_request_once_and_at_its_time() -> None:
    requests = [ContributionRequest("daily", f"play-{number}", {}) for number in range(30)]
    line = Line([accepted() for _ in requests])
    seen: list[int] = []

    tally, elapsed_s = drive(
        line.server(),
        requests,
        pace=Pace(rate=60, seconds=0.5),
        threads_count=4,
        watch=lambda tally, _elapsed_s: seen.append(tally.request_count),
    )

    assert sorted(line.keys) == sorted(request.key for request in requests)
    assert tally.answered_count == 30
    assert elapsed_s >= 0.5
    assert seen[-1] == 30


def test_ctrl_c_sends_no_more_and_keeps_what_was_answered() -> None:
    requests = [ContributionRequest("daily", f"play-{number}", {}) for number in range(1000)]
    line = Line([accepted() for _ in requests])

    def interrupt(tally: Tally, elapsed_s: float) -> None:
        raise KeyboardInterrupt

    tally, elapsed_s = drive(
        line.server(),
        requests,
        pace=Pace(rate=50, seconds=20),
        threads_count=4,
        watch=interrupt,
    )

    assert elapsed_s < 10
    assert tally.answered_count == len(line.keys) > 0


def test_without_a_terminal_progress_is_a_line_every_few_seconds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tally = tally_of(Answer(LEGS, 0.004, 0))

    with Progress(100) as progress:
        for elapsed_s in (1.0, 5.1, 6.0, 10.2):
            progress.show(tally, elapsed_s)

    assert capsys.readouterr().err == (
        "   5 s  1 of 100 requests, 0 refused\n  10 s  1 of 100 requests, 0 refused\n"
    )
