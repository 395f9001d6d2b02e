"""
A process may be killed between any two steps of issuing: no bonus is lost, none is doubled.

Real processes die by SIGKILL, against a real database and a real platform.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.sandbox.demo import DEMO_SECRET
from adapters.services.configs import put_adapter
from bonuses.enums import IssuanceStatus
from bonuses.models import BonusGrant, BonusIssuance, BonusTemplate
from bonuses.services import attempts, issuing
from bonuses.services.requests import BonusRequest
from core.actors import Actor
from core.idempotency import IdempotencyKey
from operators.models import Operator
from players.models import Player
from tests.adapters.sandbox import (  # noqa: F401 -- fixtures
    Sandbox,
    sandbox_process,
    sandbox_server,
)
from tests.factories.bonuses import BonusTemplateFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.faults.forking import KILLED, run_forked
from wallets.models import Transfer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("sandbox")]

#: Where issuing through a platform can die, and where ours can besides.
FAILPOINTS = (
    "issuing.before_adapter",
    "issuing.after_adapter",
    "granting.before_grant",
    "issuing.after_settle",
)
OWN_FAILPOINTS = (*FAILPOINTS, "granting.after_credit")
#: The loop's seed, players, and kills each is good for at most.
SEED, PLAYERS, KILLS_EACH_MAX = 20260329, 15, 5

Ask = Callable[[Player, datetime], object]


@pytest.fixture
def template(operator: Operator) -> BonusTemplate:
    ExchangeRateFactory.create(operator=operator)
    return BonusTemplateFactory.create(operator=operator)


@pytest.fixture
def players(operator: Operator) -> list[Player]:
    return PlayerFactory.create_batch(PLAYERS, operator=operator)


@pytest.fixture
def ask(operator: Operator, template: BonusTemplate, actor: Actor) -> Ask:
    """Return a function that asks for the player's one bonus, under its one key."""

    def issue(player: Player, at: datetime) -> object:
        key = f"bonus-of-{player.pk}"
        return issuing.issue_bonus(
            operator=operator,
            request=BonusRequest(
                template_id=template.pk, player_reference=player.reference, idempotency_key=key
            ),
            key=IdempotencyKey(value=key, fingerprint="one request"),
            actor=actor,
            clock=lambda: at,
        )

    return issue


@pytest.fixture
def external(
    sandbox_process: Sandbox,  # noqa: F811
    operator: Operator,
    actor: Actor,
    now: datetime,
    settings: Any,
) -> Sandbox:
    """The operator's bonuses go through a sandbox platform."""
    settings.ADAPTER_ALLOWED_HOSTS = [sandbox_process.host]
    put_adapter(
        operator=operator,
        slug=f"{operator.slug}-casino",
        kind="http",
        details={
            "base_url": sandbox_process.base_url,
            "secret": DEMO_SECRET,
            "is_default": True,
        },
        actor=actor,
        now=now,
    )
    return sandbox_process


def everything_is_granted_once(sandbox: Sandbox | None = None) -> None:
    issuances = list(BonusIssuance.objects.all())
    grants = list(BonusGrant.objects.all())
    assert {issuance.status for issuance in issuances} == {IssuanceStatus.SUCCEEDED}
    assert sorted(grant.pk for grant in grants) == sorted(each.grant_id for each in issuances)
    assert len({grant.player_id for grant in grants}) == len(grants)
    if sandbox is None:
        credited = Transfer.objects.filter(reference__endswith=":credit")
        assert sorted(each.reference for each in credited) == sorted(
            f"bonus:{grant.pk}:credit" for grant in grants
        )
    else:
        ids = [bonus["platform_bonus_id"] for bonus in sandbox.bonuses()]
        assert sorted(ids) == sorted(grant.platform_bonus_id for grant in grants)


@pytest.mark.parametrize("failpoint", OWN_FAILPOINTS)
def test_our_own_bonus_survives_a_kill(
    failpoint: str, ask: Ask, players: list[Player], now: datetime
) -> None:
    died = run_forked(lambda: ask(players[0], now), failpoints=f"{failpoint}:kill")

    assert died == KILLED
    issuing.retry_due_issuances(clock=lambda: now + timedelta(minutes=1), limit=10)
    ask(players[0], now + timedelta(minutes=2))
    everything_is_granted_once()


@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_a_platforms_bonus_survives_a_kill(
    failpoint: str, ask: Ask, players: list[Player], external: Sandbox, now: datetime
) -> None:
    died = run_forked(lambda: ask(players[0], now), failpoints=f"{failpoint}:kill")

    assert died == KILLED
    issuing.retry_due_issuances(clock=lambda: now + timedelta(minutes=1), limit=10)
    ask(players[0], now + timedelta(minutes=2))
    everything_is_granted_once(external)


def test_a_loop_of_kills_converges(
    ask: Ask, players: list[Player], external: Sandbox, now: datetime
) -> None:
    dice = random.Random(SEED)
    kills, at = 0, now

    for player in players:
        for _attempt in range(dice.randint(1, KILLS_EACH_MAX)):
            at += timedelta(minutes=1)
            where = dice.choice(FAILPOINTS)
            # Once it is settled a repeat passes no failpoint, and lives.
            kills += (
                run_forked(
                    lambda player=player, at=at: ask(player, at),  # type: ignore[misc]
                    failpoints=f"{where}:kill",
                )
                == KILLED
            )

    issuing.retry_due_issuances(clock=lambda: at + timedelta(hours=1), limit=100)
    assert kills > PLAYERS
    assert BonusGrant.objects.count() == PLAYERS
    everything_is_granted_once(external)


def test_a_platform_that_grants_and_never_says_so_is_found_out(
    ask: Ask, players: list[Player], external: Sandbox, now: datetime
) -> None:
    external.misbehave("lost", times=2)

    died = run_forked(lambda: ask(players[0], now))
    again = run_forked(lambda: ask(players[0], now + timedelta(minutes=1)))
    ask(players[0], now + timedelta(minutes=5))

    assert (died, again) == (1, 1)
    everything_is_granted_once(external)


def test_control_without_the_stored_id_a_kill_doubles_the_bonus(
    ask: Ask, players: list[Player], external: Sandbox, now: datetime, monkeypatch: Any
) -> None:
    """Forget which id the platform was asked under, and its idempotency protects nobody."""
    run_forked(lambda: ask(players[0], now), failpoints="issuing.after_adapter:kill")
    order_of = attempts.order_of

    def forgetful(*, issuance: BonusIssuance) -> Any:
        issuance.grant_id = BonusIssuance._meta.get_field("grant_id").get_default()
        return order_of(issuance=issuance)

    monkeypatch.setattr(attempts, "order_of", forgetful)

    issuing.retry_due_issuances(clock=lambda: now + timedelta(minutes=1), limit=10)

    assert BonusGrant.objects.count() == 1
    assert len(external.bonuses()) == 2
