"""POST …/contributions/{id}/rollback: taken back once, whatever has happened since."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import Actor
from core.models import AuditEntry
from jackpots.enums import RollbackScope
from jackpots.errors import RollbackLossExplained
from jackpots.models import Contribution, Instance, RollbackLoss
from jackpots.services.folding import fold_instance
from jackpots.services.rollbacks import explain_rollback_loss, rollback_contribution
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory, contribution_by
from tests.jackpots.conftest import let_the_horizon_pass, link, meter
from tests.jackpots.test_player_funded import balance, fund
from wallets.enums import Tag
from wallets.models import Transfer

Rollback = Callable[..., Any]


@pytest.fixture
def rollback(client: Client) -> Rollback:
    """Roll a contribution back over HTTP; without an Idempotency-Key unless one is given."""

    def post(contribution: Contribution, *, key: str | None = None, **body: Any) -> Any:
        path = f"/v2/jackpots/contributions/{contribution.pk}/rollback"
        if key is None:
            return client.generic("POST", path, _json(body), content_type="application/json")
        return client.post(path, body, key=key)

    return post


def _json(body: dict[str, Any]) -> str:
    return "{" + ",".join(f'"{name}":"{value}"' for name, value in body.items()) + "}"


def rows_of(contribution: Contribution) -> list[tuple[str, Decimal, int | None]]:
    """Return (status, accumulated, tickets in total) of the instance's rows in their order."""
    rows = Contribution.objects.filter(instance=contribution.instance).order_by("number")
    return list(rows.values_list("status", "accumulated", "tickets_total"))


def test_a_leg_is_taken_back_with_its_tickets_and_the_answer_stays_the_same(
    operator: Operator, player: Player, rollback: Rollback
) -> None:
    instance = InstanceFactory.create(
        operator=operator, pots=[{"name": "grand", "share": "0.75"}, {"share": "0.25"}]
    )
    linked = InstanceFactory.create(operator=operator)
    link(instance, linked)
    contribution_by(player, instance, "50.00")
    leg = contribution_by(player, instance, "150.00")

    first, second = rollback(leg), rollback(leg)

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    [shown] = first.json()["contributions"]
    assert first.json()["request_id"] == str(leg.request_id)
    reversal = Contribution.objects.get(reverses=leg)
    assert shown == {
        "contribution_id": str(leg.pk),
        "instance_id": str(instance.pk),
        "role": "main",
        "status": "rolled_back",
        "amount": "1.50",
        "currency": "EUR",
        "pots": [{"name": "grand", "amount": "1.125"}, {"name": "pot-1", "amount": "0.375"}],
        "refund": None,
        "tickets": {"taken_back": 2, "total": 0},
        "rolled_back_at": shown["rolled_back_at"],
    }
    assert datetime.fromisoformat(shown["rolled_back_at"]) == reversal.created_at
    assert (meter(instance), meter(linked)) == (Decimal("0.5"), Decimal(2))
    assert rows_of(leg) == [
        ("accepted", Decimal("0.5"), 0),
        ("accepted", Decimal(2), 2),
        ("reversal", Decimal("0.5"), 0),
    ]
    assert reversal.pot_amounts == []
    assert (reversal.xid, reversal.number) > (leg.xid, leg.number)
    assert AuditEntry.objects.filter(action="jackpot.contribution.rolled_back").count() == 1
    # What comes later counts on from what is left.
    assert contribution_by(player, instance, "50.00").tickets_earned == 1


def test_a_request_is_taken_back_with_all_its_accepted_legs(
    operator: Operator, player: Player, rollback: Rollback
) -> None:
    main, linked, refusing = InstanceFactory.create_batch(3, operator=operator)
    Instance.objects.filter(pk=refusing.pk).update(paused_at=timezone.now(), paused_reason="x")
    link(main, refusing, linked)
    leg = contribution_by(player, main, "150.00")
    failed = Contribution.objects.get(instance=refusing)
    once = Contribution.objects.get(instance=linked)
    before = rollback(once).json()["contributions"]
    # Neither the end of an instance nor a player's exclusion keeps what was cancelled.
    Instance.objects.filter(pk=main.pk).update(paused_at=timezone.now(), paused_reason="x")
    Player.objects.filter(pk=player.pk).update(is_blocked=True)

    whole = rollback(leg, scope="request").json()
    from_linked = rollback(once, scope="request").json()
    refused = rollback(failed)

    assert [each["instance_id"] for each in whole["contributions"]] == [
        str(main.pk),
        str(linked.pk),
    ]
    # What had been rolled back before stays as it was.
    assert whole["contributions"][1:] == before
    assert from_linked == whole
    assert (refused.status_code, refused.json()["code"]) == (409, "CONTRIBUTION_NOT_ACCEPTED")
    assert (meter(main), meter(linked)) == (0, 0)
    assert Contribution.objects.filter(status="reversal").count() == 2
    assert set(Instance.objects.filter(needs_fold=True)) == {main, linked}


def test_what_a_player_paid_comes_back_exactly_once(
    operator: Operator, player: Player, rollback: Rollback
) -> None:
    fund(player, "5.00")
    instance = InstanceFactory.create(operator=operator, funding="player", ticket_cost=None)
    leg = contribution_by(player, instance, "150.00")
    free = contribution_by(player, instance, "0")
    paid = balance(player)

    shown = [rollback(leg, key="k").json(), rollback(leg).json(), rollback(free).json()]

    assert (paid, balance(player), meter(instance)) == (Decimal("3.5"), Decimal(5), 0)
    refunds = [each["contributions"][0]["refund"] for each in shown]
    assert refunds == [{"amount": "1.50", "currency": "EUR"}] * 2 + [None]
    transfer = Transfer.objects.get(tag=Tag.ROLLBACK)
    assert transfer.reverses.reference == f"contribution:{leg.pk}"


def test_a_key_is_not_needed_but_kept_to(
    operator: Operator, player: Player, rollback: Rollback, client_of: Callable[..., Client]
) -> None:
    instance = InstanceFactory.create(operator=operator)
    leg = contribution_by(player, instance)
    first = rollback(leg, key="once", scope="leg")

    again = rollback(leg, key="once", scope="leg")
    reused = rollback(leg, key="once", scope="request")
    reversal = rollback(Contribution.objects.get(reverses=leg))
    unknown = rollback(leg, scope="everything")
    foreign = client_of(InstanceFactory.create().operator).post(
        f"/v2/jackpots/contributions/{leg.pk}/rollback"
    )

    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
    assert (reused.status_code, reused.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert [each.status_code for each in (reversal, unknown, foreign)] == [404, 400, 404]


def test_locks_are_taken_in_the_order_of_the_house(
    operator: Operator, player: Player, actor: Actor, now: datetime
) -> None:
    fund(player, "5.00")
    leg = contribution_by(
        player, InstanceFactory.create(operator=operator, funding="player"), "150.00"
    )

    with CaptureQueriesContext(connection) as queries:
        rollback_contribution(
            operator=operator,
            contribution_id=leg.pk,
            scope=RollbackScope.LEG,
            actor=actor,
            now=now,
        )

    marks = (
        ("pg_advisory_xact_lock(2, hashint8", "the player's tickets"),
        ("pg_advisory_xact_lock_shared(3, ", "the instance, shared"),
        ('FOR NO KEY UPDATE OF "jackpots_instance"', "its row"),
        ("FOR NO KEY UPDATE", "another row"),
        ("wallets_post_transfers", "the player's account"),
    )
    taken = [next((name for mark, name in marks if mark in query["sql"]), "") for query in queries]
    assert [name for name in taken if name] == [
        "the player's tickets",
        "the instance, shared",
        "its row",
        "the player's account",
    ]


@pytest.mark.django_db(transaction=True)
def test_what_had_been_won_is_the_houses_loss_and_somebody_explains_it(
    operator: Operator, player: Player, rollback: Rollback, client: Client, actor: Actor
) -> None:
    """The winning contribution itself, and one of the cycle that runs."""
    instance = InstanceFactory.create(
        operator=operator,
        progressive=True,
        pots=[{"drop_type": "hit_rate", "drop_probability": Decimal(1), "seed": Decimal(10)}],
    )
    winning = contribution_by(player, instance, "150.00")
    fold(instance, actor)
    Instance.objects.filter(pk=instance.pk).update(contribution_percent=2)
    shown = [rollback(winning).json() for _time in range(2)]
    fold(instance, actor)

    loss = RollbackLoss.objects.get()
    explained = explain_rollback_loss(
        operator=operator,
        loss_id=loss.pk,
        explanation="The bet was void.",
        actor=actor,
        now=timezone.now(),
    )
    with pytest.raises(RollbackLossExplained):
        explain_rollback_loss(
            operator=operator,
            loss_id=loss.pk,
            explanation="Again.",
            actor=actor,
            now=timezone.now(),
        )

    assert shown[0] == shown[1]
    assert (loss.amount, loss.currency) == (Decimal("1.5"), "EUR")
    assert (explained.explained_by, explained.explanation) == ("staff:7", "The bet was void.")
    assert RollbackLoss.objects.open().count() == 0
    assert meter(instance) == Decimal(10)
    record = client.get(f"/v2/jackpots/contributions/{winning.pk}").json()
    assert (record["status"], record["house_loss"]) == ("rolled_back", "1.50")


def fold(instance: Instance, actor: Actor) -> None:
    let_the_horizon_pass()
    fold_instance(instance_id=instance.pk, actor=actor, now=timezone.now())
