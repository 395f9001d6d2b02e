"""
Many claims at one instant: of one promo with few left, and by one player.

Each control takes away what decides: the condition of the decrement, or the constraint.
"""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from core import locks
from core.actors import Actor, ActorKind
from core.errors import DomainError
from core.locks import AdvisoryLock
from promos.models import Promo, UserPromo
from promos.services import catalogue, claims
from promos.services.claims import ClaimTarget
from tests.concurrency.sabotage import at_once, execute, impatient, meeting, sabotaged
from tests.conftest import Client
from tests.factories.players import PlayerFactory
from tests.factories.promos import CodeBatchFactory, PromoBatchCodeFactory, PromoFactory
from tests.factories.wallets import held_by
from tests.promos.conftest import differences

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
ACTOR = Actor(kind=ActorKind.TASK, ref="race")
FUNCTION = "promos_record_claim"


def claim(promo: Promo, player: Any, *, code: str | None = None) -> str:
    """Claim, and return the status of the claim or the code of the refusal."""
    target = ClaimTarget(code=code) if code else ClaimTarget(promo_id=promo.pk)
    try:
        with transaction.atomic():
            user_promo = claims.claim_promo(
                operator=promo.operator,
                target=target,
                player_reference=player.reference,
                actor=ACTOR,
                now=NOW,
            )
    except DomainError as refusal:
        return refusal.code
    return str(user_promo.status)


def claim_at_once(promo: Promo, count: int) -> Counter[str]:
    players = PlayerFactory.create_batch(count, operator=promo.operator, currency="EUR")
    return Counter(at_once([lambda player=player: claim(promo, player) for player in players]))


@pytest.fixture
def instant() -> Promo:
    return PromoFactory.create(instant=True, claims_left=5)


# claims_left


def test_control_without_the_condition_too_many_claim(instant: Promo) -> None:
    execute("ALTER TABLE promos_promo DROP CONSTRAINT promo_never_over_claimed")
    execute("ALTER TABLE promos_promo DROP CONSTRAINT promos_promo_claims_left_check")
    try:
        with sabotaged(FUNCTION, ("AND claims_left > 0", "AND claims_left IS NOT NULL")):
            outcomes = claim_at_once(instant, 32)
        assert outcomes["COMPLETED"] > 5
    finally:
        execute("TRUNCATE promos_promo CASCADE")
        execute(
            "ALTER TABLE promos_promo ADD CONSTRAINT promos_promo_claims_left_check"
            " CHECK (claims_left >= 0)"
        )
        execute(
            "ALTER TABLE promos_promo ADD CONSTRAINT promo_never_over_claimed CHECK ("
            "(claims_cap IS NULL AND claims_left IS NULL) OR (claims_cap IS NOT NULL"
            " AND claims_left IS NOT NULL AND claims_left >= 0 AND claims_left <= claims_cap))"
        )


def test_64_threads_claim_what_is_left_and_no_more(instant: Promo) -> None:
    outcomes = claim_at_once(instant, 64)

    assert outcomes == {"COMPLETED": 5, "PROMO_CLAIMS_EXHAUSTED": 59}
    assert UserPromo.objects.count() == 5
    assert Promo.objects.get().claims_left == 0
    assert differences() == []


def test_without_a_cap_nobody_is_refused() -> None:
    promo = PromoFactory.create()

    assert claim_at_once(promo, 32) == {"CLAIMED": 32}


# One player


def one_player_claims(promo: Promo, count: int) -> Counter[str]:
    player = PlayerFactory.create(operator=promo.operator, currency="EUR")
    return Counter(at_once([lambda: claim(promo, player)] * count))


def test_control_without_the_constraint_one_player_claims_several_times(instant: Promo) -> None:
    taking = "UPDATE promos_promo SET claims_left = claims_left - 1"
    execute("ALTER TABLE promos_userpromo DROP CONSTRAINT user_promo_claimed_once")
    try:
        with (
            meeting(5) as all_have_looked,
            sabotaged(FUNCTION, (taking, f"{all_have_looked} {taking}")),
        ):
            outcomes = one_player_claims(instant, 5)
        assert outcomes == {"COMPLETED": 5}
    finally:
        execute("TRUNCATE promos_userpromo CASCADE")
        execute(
            "ALTER TABLE promos_userpromo ADD CONSTRAINT user_promo_claimed_once"
            " UNIQUE (promo_id, player_id)"
        )


def test_one_player_claims_once_and_burns_one(instant: Promo) -> None:
    outcomes = one_player_claims(instant, 8)

    assert outcomes == {"COMPLETED": 1, "PROMO_ALREADY_CLAIMED": 7}
    assert Promo.objects.get().claims_left == 4
    assert held_by(UserPromo.objects.get().player) == 10
    assert differences() == []


def test_one_request_sixteen_times_is_one_claim_with_one_answer(
    instant: Promo, client_of: Callable[..., Client]
) -> None:
    player = PlayerFactory.create(operator=instant.operator, currency="EUR")
    client = client_of(instant.operator)
    path, body = f"/v1/promos/{instant.pk}/claim", {"player_id": player.reference}

    responses = at_once([lambda: client.post(path, body, key="once")] * 16)

    assert Counter(response.status_code for response in responses) == {201: 16}
    replays = [response.headers.get("Idempotency-Replayed") for response in responses]
    assert Counter(replays) == {None: 1, "true": 15}
    assert len({response.content for response in responses}) == 1
    assert Promo.objects.get().claims_left == 4
    assert held_by(player) == 10
    assert differences() == []


def test_who_cannot_wait_for_the_key_hears_that_it_is_in_progress(
    instant: Promo, client_of: Callable[..., Client]
) -> None:
    player = PlayerFactory.create(operator=instant.operator, currency="EUR")
    client, key = client_of(instant.operator), f"{instant.operator_id}:once"
    path, body = f"/v1/promos/{instant.pk}/claim", {"player_id": player.reference}
    is_held, is_refused = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            locks.lock_exclusively(AdvisoryLock.IDEMPOTENCY_KEY, key)
            is_held.set()
            assert is_refused.wait(timeout=60)

    def claim_impatiently() -> Any:
        assert is_held.wait(timeout=60)
        try:
            with impatient():
                return client.post(path, body, key="once")
        finally:
            is_refused.set()

    _held, response = at_once([hold, claim_impatiently])

    assert (response.status_code, response.json()["code"]) == (409, "IDEMPOTENCY_IN_PROGRESS")
    assert response.headers["Retry-After"] == "1"
    assert client.post(path, body, key="once").status_code == 201
    assert Promo.objects.get().claims_left == 4


def test_one_player_opens_one_of_several_promos() -> None:
    first = PromoFactory.create(claims_left=9)
    others = PromoFactory.create_batch(7, operator=first.operator, claims_left=9)
    player = PlayerFactory.create(operator=first.operator)

    outcomes = at_once([lambda promo=promo: claim(promo, player) for promo in (first, *others)])

    assert Counter(outcomes) == {"CLAIMED": 1, "PROMO_CODE_IS_ACTIVE": 7}
    assert sorted(Promo.objects.values_list("claims_left", flat=True)) == [8] + [9] * 7


# Single-use codes


def test_a_single_use_code_is_used_by_one() -> None:
    batch = CodeBatchFactory.create(count=1, made_count=1, finished_at=NOW)
    code = PromoBatchCodeFactory.create(batch=batch)
    players = PlayerFactory.create_batch(16, operator=batch.operator)

    outcomes = at_once(
        [lambda player=player: claim(batch.promo, player, code=code.code) for player in players]
    )

    assert Counter(outcomes) == {"CLAIMED": 1, "PROMO_CLAIMS_EXHAUSTED": 15}


# Changes of the promo meanwhile


def adjust(promo: Promo, delta: int) -> str:
    catalogue.adjust_claims_left(
        operator=promo.operator, promo_id=promo.pk, delta=delta, reason="r", actor=ACTOR, now=NOW
    )
    return f"{delta:+}"


def set_title(promo: Promo, title: str) -> str:
    catalogue.update_promo(
        operator=promo.operator, promo_id=promo.pk, changes={"title": title}, actor=ACTOR, now=NOW
    )
    return "changed"


def test_control_a_value_that_was_read_before_loses_claims(instant: Promo) -> None:
    Promo.objects.update(claims_left=40, claims_cap=40)
    read = Promo.objects.get().claims_left
    assert read is not None

    claim_at_once(instant, 4)
    Promo.objects.update(claims_left=read + 10, claims_cap=50)

    assert [difference.split(" is ")[0] for difference in differences()] == [
        f"promos.claims: promo {instant.code} {instant.pk}"
    ]


def test_differences_and_claims_lose_nothing(instant: Promo) -> None:
    # Enough that no difference finds fewer claims than it takes away.
    Promo.objects.update(claims_left=40, claims_cap=40)
    players = PlayerFactory.create_batch(32, operator=instant.operator, currency="EUR")
    work: list[Callable[[], str]] = [
        lambda player=player: claim(instant, player) for player in players
    ]
    work += [lambda: adjust(instant, 3)] * 4 + [lambda: adjust(instant, -1)] * 4

    outcomes = Counter(at_once(work))

    assert outcomes == {"COMPLETED": 32, "+3": 4, "-1": 4}
    promo = Promo.objects.get()
    assert (promo.claims_cap, promo.claims_left) == (48, 16)
    assert UserPromo.objects.count() == 32
    assert differences() == []


@pytest.mark.parametrize("left", [100, None])
def test_a_claim_is_wholly_before_a_change_of_the_terms_or_after_it(left: int | None) -> None:
    promo = PromoFactory.create(claims_left=left)
    players = PlayerFactory.create_batch(16, operator=promo.operator)
    work: list[Callable[[], str]] = [
        lambda player=player: claim(promo, player) for player in players
    ]
    work += [lambda number=number: set_title(promo, f"title {number}") for number in range(4)]

    outcomes = Counter(at_once(work))

    assert outcomes["changed"] == 4
    assert outcomes["CLAIMED"] + outcomes["RESOURCE_BUSY"] == 16
    assert UserPromo.objects.count() == outcomes["CLAIMED"]
    assert Promo.objects.get().claims_left == (left and left - outcomes["CLAIMED"])
    assert differences() == []
