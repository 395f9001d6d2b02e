"""Issuing: the intent is first, the platform grants once, and whatever fails is tried again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from bonuses.enums import GrantStatus, IssuanceStatus
from bonuses.errors import AdapterRejected, AdapterUnavailable, BonusIssuanceClosed
from bonuses.models import BonusGrant, BonusIssuance, BonusTemplate, Discrepancy
from bonuses.ports import PlatformBonus, PlatformRejected, PlatformUnavailable
from bonuses.rules.retries import TRIED_FOR
from bonuses.services import issuing
from bonuses.services.issuing import Issued
from core.actors import Actor
from core.errors import IdempotencyInProgress, IdempotencyKeyReused, ResourceBusy
from core.models import AuditEntry, OutboxMessage
from operators.models import Operator
from players.models import Player
from tests.bonuses.conftest import ScriptedPlatform
from tests.factories.bonuses import BonusTemplateFactory
from wallets.models import Account, Transfer

pytestmark = pytest.mark.django_db

Issue = Callable[..., Issued]
SILENT = PlatformUnavailable("It did not answer within 10 seconds.")


def stored(issuance: BonusIssuance) -> BonusIssuance:
    return BonusIssuance.objects.get(pk=issuance.pk)


def retry(at: datetime) -> int:
    return issuing.retry_due_issuances(clock=lambda: at, limit=100)


# Through ourselves


def test_our_own_bonus_is_credited_and_active_at_once(
    issue: Issue, template: BonusTemplate, player: Player, now: datetime
) -> None:
    issued = issue(template, player)

    grant = BonusGrant.objects.get()
    assert (issued.issuance.status, issued.is_replay) == (IssuanceStatus.SUCCEEDED, False)
    assert (grant.pk, grant.status, grant.is_internal) == (
        issued.issuance.grant_id, GrantStatus.ACTIVE, True,
    )  # fmt: skip
    assert (grant.granted_at, grant.activated_at) == (now, now)
    assert grant.expires_at == now + timedelta(days=7)
    assert (grant.bonus_amount, grant.bonus_currency) == (Decimal(10), "EUR")
    assert (grant.bonus_amount_base, grant.base_currency_code) == (Decimal("12.50"), "USD")
    assert (grant.fx_rate_locked, grant.fx_locked_at) == (Decimal("1.25"), now)
    assert grant.wagering_required == Decimal(300)
    account = Account.objects.get(kind="PLAYER_BONUS")
    assert (account.owner, account.balance) == (str(grant.pk), Decimal(10))


def test_it_is_told_to_audit_trail_and_outbox(
    issue: Issue, template: BonusTemplate, player: Player
) -> None:
    issue(template, player)

    actions = AuditEntry.objects.filter(action__startswith="bonus.").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "bonus.issuance.requested",
        "bonus.grant.issued",
    ]
    message = OutboxMessage.objects.get(topic="bonus.grant.issued")
    assert message.payload["bonus_amount"] == "10.00"


def test_nothing_to_wager_completes_at_once(
    issue: Issue, operator: Operator, player: Player, now: datetime
) -> None:
    gift = BonusTemplateFactory.create(operator=operator, wagering_multiplier=0)

    issue(gift, player)

    grant = BonusGrant.objects.get()
    assert (grant.status, grant.completed_at) == (GrantStatus.COMPLETED, now)
    assert grant.released_amount == Decimal(10)
    assert Account.objects.get(kind="PLAYER_MAIN").balance == Decimal(10)


# Through a platform


def test_the_intent_is_stored_before_the_platform_is_asked(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player
) -> None:
    seen: list[Any] = []
    platform.on_grant = lambda order: seen.extend(
        BonusIssuance.objects.values_list("status", "grant_id", "attempts")
    )

    issued = issue(template, player)

    assert seen == [(IssuanceStatus.PENDING, issued.issuance.grant_id, 1)]
    order = platform.orders[0]
    assert (order.grant_id, order.player_reference) == (issued.issuance.grant_id, "ada")
    assert (order.amount, order.currency, order.wagering_multiplier) == (
        Decimal(10), "EUR", Decimal(30),
    )  # fmt: skip


def test_a_platforms_grant_moves_no_money_and_waits_to_be_credited(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player
) -> None:
    issue(template, player)

    grant = BonusGrant.objects.get()
    assert (grant.adapter_slug, grant.is_internal) == (platform.slug, False)
    assert (grant.platform_bonus_id, grant.activated_at) == (f"platform-{grant.pk}", None)
    assert Transfer.objects.count() == 0


def test_a_rejection_is_final_and_leaves_no_grant(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player, now: datetime
) -> None:
    platform.answers = [PlatformRejected("PLAYER_UNKNOWN", "No such player.")]

    with pytest.raises(AdapterRejected) as refusal:
        issue(template, player)

    issuance = BonusIssuance.objects.get()
    assert refusal.value.members["platform_code"] == "PLAYER_UNKNOWN"
    assert (issuance.status, issuance.attempts) == (IssuanceStatus.REJECTED, 1)
    assert retry(now + timedelta(days=1)) == 0
    assert len(platform.orders) == 1
    assert not BonusGrant.objects.exists()


def test_the_key_of_a_rejection_asks_afresh(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player
) -> None:
    platform.answers = [PlatformRejected("LIMIT")]
    with pytest.raises(AdapterRejected):
        issue(template, player, key="once")

    issued = issue(template, player, key="once")

    first, second = BonusIssuance.objects.order_by("pk")
    assert (first.status, second.status) == (IssuanceStatus.REJECTED, IssuanceStatus.SUCCEEDED)
    assert issued.issuance == second
    assert first.grant_id != second.grant_id


def test_no_answer_is_retried_within_30_seconds_under_the_same_id(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player, now: datetime
) -> None:
    platform.answers = [SILENT, SILENT]

    with pytest.raises(AdapterUnavailable) as refusal:
        issue(template, player)

    issuance = BonusIssuance.objects.get()
    assert refusal.value.members["issuance_id"] == str(issuance.pk)
    assert issuance.next_attempt_at is not None
    assert now + timedelta(seconds=5) <= issuance.next_attempt_at <= now + timedelta(seconds=10)
    assert retry(now) == 0
    assert retry(now + timedelta(seconds=10)) == 0
    assert retry(now + timedelta(seconds=31)) == 1
    assert {order.grant_id for order in platform.orders} == {issuance.grant_id}
    assert len(set(map(repr, platform.orders))) == 1
    assert stored(issuance).attempts == 3
    assert BonusGrant.objects.get().granted_at == now + timedelta(seconds=31)


def test_the_same_key_after_no_answer_is_the_same_issuance(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player, now: datetime
) -> None:
    platform.answers = [SILENT]
    with pytest.raises(AdapterUnavailable):
        issue(template, player, key="once")

    with pytest.raises(AdapterUnavailable):
        issue(template, player, key="once")
    later = issue(template, player, key="once", at=now + timedelta(seconds=30))
    again = issue(template, player, key="once", at=now + timedelta(seconds=31))

    assert BonusIssuance.objects.count() == BonusGrant.objects.count() == 1
    assert (later.is_replay, again.is_replay) == (False, True)
    assert len(platform.orders) == 2


def test_a_key_belongs_to_one_request(
    issue: Issue, template: BonusTemplate, operator: Operator, player: Player
) -> None:
    issue(template, player, key="once")

    with pytest.raises(IdempotencyKeyReused):
        issue(BonusTemplateFactory.create(operator=operator), player, key="once")

    assert BonusGrant.objects.count() == 1


def test_a_key_whose_platform_is_being_asked_is_in_progress(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player
) -> None:
    heard: list[type[Exception]] = []

    def ask_again(order: Any) -> None:
        platform.on_grant = None
        with pytest.raises(IdempotencyInProgress) as refusal:
            issue(template, player, key="once")
        heard.append(refusal.type)

    platform.on_grant = ask_again

    issue(template, player, key="once")

    assert heard == [IdempotencyInProgress]
    assert len(platform.orders) == 1


def test_a_platform_that_never_answers_is_given_up_in_the_end(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player, now: datetime
) -> None:
    platform.answers = [SILENT] * 100
    BonusTemplate.objects.update(time_limit_hours=None)
    with pytest.raises(AdapterUnavailable):
        issue(template, player, key="once")

    hours = int(TRIED_FOR / timedelta(hours=1))
    for hour in range(1, hours):
        retry(now + timedelta(hours=hour))
    before = BonusIssuance.objects.get()
    retry(now + TRIED_FOR)
    retry(now + 2 * TRIED_FOR)

    assert (before.status, before.attempts) == (IssuanceStatus.PENDING, hours)
    issuance = BonusIssuance.objects.get()
    assert (issuance.status, issuance.attempts) == (IssuanceStatus.FAILED, hours + 1)
    assert AuditEntry.objects.get(action="bonus.issuance.failed").reason == (
        f"3 days without a grant, {hours + 1} attempts"
    )
    with pytest.raises(BonusIssuanceClosed, match="given up and not granted"):
        issue(template, player, key="once", at=now + 2 * TRIED_FOR)
    assert len(platform.orders) == hours + 1


def test_a_dead_attempt_is_taken_over_when_its_lease_is_over(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player, now: datetime
) -> None:
    class Died(BaseException):
        pass

    def die(order: Any) -> None:
        platform.on_grant = None
        raise Died

    platform.on_grant = die
    with pytest.raises(Died):
        issue(template, player)

    assert retry(now + timedelta(seconds=14)) == 0
    assert retry(now + timedelta(seconds=15)) == 1

    assert BonusGrant.objects.count() == 1
    assert {order.grant_id for order in platform.orders} == {BonusGrant.objects.get().pk}


def test_the_bonus_of_another_grant_is_no_success(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player
) -> None:
    platform.answers = [PlatformBonus("same", "pending"), PlatformBonus("same", "pending")]
    issue(template, player)

    with pytest.raises(AdapterUnavailable):
        issue(template, player)

    assert BonusGrant.objects.count() == 1
    pending = BonusIssuance.objects.get(status=IssuanceStatus.PENDING)
    assert pending.error_detail == "The platform named the bonus of another grant."


def test_other_terms_than_asked_for_are_flagged_not_stored(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player
) -> None:
    platform.answers = [PlatformBonus("p-1", "pending", amount=Decimal(1000), currency="JPY")]

    issue(template, player)

    grant = BonusGrant.objects.get()
    assert (grant.bonus_amount, grant.bonus_currency) == (Decimal(10), "EUR")
    found = Discrepancy.objects.get()
    assert (found.grant, found.kind, found.status) == (grant, "terms_differ", "open")
    assert found.detail == (
        "The platform granted amount 1000 instead of 10 and currency JPY instead of EUR."
    )


# What staff can do


def test_staff_retry_a_pending_issuance_at_once(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, operator: Operator,
    player: Player, actor: Actor, now: datetime,
) -> None:  # fmt: skip
    platform.answers = [SILENT]
    with pytest.raises(AdapterUnavailable):
        issue(template, player)
    issuance = BonusIssuance.objects.get()

    tried = issuing.retry_issuance_now(
        operator=operator, issuance_id=issuance.pk, reason="They say it works again.",
        actor=actor, clock=lambda: now,
    )  # fmt: skip

    assert tried.status == IssuanceStatus.SUCCEEDED
    entry = AuditEntry.objects.get(action="bonus.issuance.retried")
    assert entry.reason == "They say it works again."


def test_staff_give_an_issuance_up_and_nobody_tries_again(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, operator: Operator,
    player: Player, actor: Actor, now: datetime,
) -> None:  # fmt: skip
    platform.answers = [SILENT]
    with pytest.raises(AdapterUnavailable):
        issue(template, player)
    issuance = BonusIssuance.objects.get()

    issuing.give_up_issuance(
        operator=operator,
        issuance_id=issuance.pk,
        reason="Agreed by mail.",
        actor=actor,
        clock=lambda: now,
    )

    assert stored(issuance).status == IssuanceStatus.FAILED
    assert retry(now + timedelta(days=1)) == 0
    with pytest.raises(BonusIssuanceClosed):
        issuing.retry_issuance_now(
            operator=operator, issuance_id=issuance.pk, reason="x", actor=actor, clock=lambda: now
        )
    with pytest.raises(BonusIssuanceClosed):
        issuing.give_up_issuance(
            operator=operator, issuance_id=issuance.pk, reason="x", actor=actor, clock=lambda: now
        )


def test_an_attempt_under_way_is_not_given_up(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, operator: Operator,
    player: Player, actor: Actor, now: datetime,
) -> None:  # fmt: skip
    def give_up(order: Any) -> None:
        with pytest.raises(ResourceBusy):
            issuing.give_up_issuance(
                operator=operator, issuance_id=BonusIssuance.objects.get().pk, reason="x",
                actor=actor, clock=lambda: now,
            )  # fmt: skip

    platform.on_grant = give_up

    assert issue(template, player).issuance.status == IssuanceStatus.SUCCEEDED


def test_an_answer_is_remembered_once(
    issue: Issue, template: BonusTemplate, player: Player
) -> None:
    issuance = issue(template, player).issuance

    first = issuing.remember_answer(issuance_id=issuance.pk, answer="first")
    second = issuing.remember_answer(issuance_id=issuance.pk, answer="second")

    assert (first, second) == ("first", "first")


def test_one_bad_issuance_does_not_stop_the_sweep(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player, now: datetime
) -> None:
    platform.answers = [SILENT, SILENT, RuntimeError("a bug")]
    for _ in range(2):
        with pytest.raises(AdapterUnavailable):
            issue(template, player, key=str(uuid4()))

    assert retry(now + timedelta(minutes=1)) == 1
