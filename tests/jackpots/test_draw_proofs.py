"""proofs.prove_draw: a draw is recomputed once for whoever asks within the hour."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actors import Actor
from core.errors import NotFound, ResourceBusy
from jackpots.models import Draw
from jackpots.services import proofs
from jackpots.services.proofs import prove_draw
from jackpots.services.verification import verify_draw
from operators.models import Operator
from tests.conftest import Client
from tests.factories.operators import OperatorFactory
from tests.jackpots.raffles import Raffling

pytestmark = pytest.mark.django_db


@pytest.fixture
def drawn(operator: Operator, actor: Actor, now: datetime) -> Draw:
    world = Raffling(operator, actor, now)
    raffle = world.opened()
    world.contributed(raffle, ada=3, Zoë=2)
    return world.drawn(raffle)


def reads_of_entries(ask: Callable[[], Any]) -> int:
    """Return how often the entries of a draw are read while something is asked."""
    with CaptureQueriesContext(connection) as queries:
        ask()
    return sum("jackpots_drawentry" in query["sql"] for query in queries)


def test_over_http_a_draw_is_recomputed_once(client: Client, drawn: Draw) -> None:
    path = f"/v2/jackpots/draws/{drawn.pk}/verification"
    answers: list[Any] = []

    counts = [reads_of_entries(lambda: answers.append(client.get(path))) for _ in range(3)]

    assert counts == [1, 0, 0]
    assert len({answer.content for answer in answers}) == 1
    assert answers[2].headers["Content-Type"] == "application/json"
    assert answers[2].json() == verify_draw(operator=drawn.operator, draw_id=drawn.pk)


def test_a_remembered_proof_is_still_its_operators_alone(drawn: Draw, now: datetime) -> None:
    prove_draw(operator=drawn.operator, draw_id=drawn.pk, now=now)

    with pytest.raises(NotFound):
        prove_draw(operator=OperatorFactory.create(), draw_id=drawn.pk, now=now)


def test_a_proof_says_when_the_draw_was_recomputed(drawn: Draw, now: datetime) -> None:
    first = prove_draw(operator=drawn.operator, draw_id=drawn.pk, now=now)

    second = prove_draw(operator=drawn.operator, draw_id=drawn.pk, now=now + timedelta(minutes=9))

    assert second == first
    assert (first.is_verified, first.recomputed_at) == (True, now)


def test_a_big_draw_is_recomputed_for_one_at_a_time(
    drawn: Draw, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "ALONE_ABOVE_ENTRIES", 1)
    asked_meanwhile: list[str] = []
    recompute = proofs.recompute_draw

    def recompute_slowly(*, draw: Draw) -> dict[str, Any]:
        with pytest.raises(ResourceBusy):
            prove_draw(operator=drawn.operator, draw_id=drawn.pk, now=now)
        asked_meanwhile.append("refused")
        return recompute(draw=draw)

    monkeypatch.setattr(proofs, "recompute_draw", recompute_slowly)
    prove_draw(operator=drawn.operator, draw_id=drawn.pk, now=now)

    assert asked_meanwhile == ["refused"]
    # What is remembered is given to everybody, and nothing is held after it was forgotten.
    assert prove_draw(operator=drawn.operator, draw_id=drawn.pk, now=now).is_verified
    cache.delete(f"draw-proof:{drawn.pk}")
    assert prove_draw(operator=drawn.operator, draw_id=drawn.pk, now=now).is_verified


def test_without_a_cache_every_proof_is_made_anew(
    drawn: Draw, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def __getattr__(self, name: str) -> Any:
            raise ConnectionError("no cache")

    monkeypatch.setattr(proofs, "cache", Away())
    monkeypatch.setattr(proofs, "ALONE_ABOVE_ENTRIES", 1)

    def prove() -> None:
        assert prove_draw(operator=drawn.operator, draw_id=drawn.pk, now=now).is_verified

    assert [reads_of_entries(prove) for _ in range(2)] == [1, 1]
