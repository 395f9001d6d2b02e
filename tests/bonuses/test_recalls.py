"""A bonus that is not wanted any more: nobody gets it, here or at a platform that may have it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bonuses.enums import GrantStatus, IssuanceStatus
from bonuses.errors import AdapterUnavailable, BonusIssuanceClosed
from bonuses.models import BonusGrant, BonusIssuance, BonusTemplate
from bonuses.ports import (
    PlatformBonusUnknown,
    PlatformRejected,
    PlatformUnavailable,
    PlatformView,
)
from bonuses.services import issuing
from bonuses.services.issuing import Issued
from core.actors import Actor
from core.errors import NotFound
from core.models import AuditEntry
from operators.models import Operator
from players.errors import CurrencyLocked
from players.models import Player
from players.services.registration import put_player
from tests.bonuses.conftest import ScriptedPlatform
from tests.factories.bonuses import BonusTemplateFactory

pytestmark = pytest.mark.django_db

Issue = Callable[..., Issued]
SILENT = PlatformUnavailable("It did not answer within 10 seconds.")
HOUR = timedelta(hours=1)


@pytest.fixture
def pending(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player
) -> BonusIssuance:
    """Return an issuance whose platform was asked once and said nothing."""
    platform.answers = [SILENT]
    with pytest.raises(AdapterUnavailable):
        issue(template, player, key="once")
    return BonusIssuance.objects.get()


def retry(at: datetime) -> int:
    return issuing.retry_due_issuances(clock=lambda: at, limit=100)


def has(platform: ScriptedPlatform, issuance: BonusIssuance, status: str = "credited") -> None:
    """Let the platform have granted it all the same."""
    platform.views[str(issuance.grant_id)] = PlatformView("p-1", status)


def bar(player: Player, how: str, now: datetime) -> None:
    if how == "blocked":
        Player.objects.filter(pk=player.pk).update(is_blocked=True)
    else:
        Player.objects.filter(pk=player.pk).update(self_excluded_until=now + timedelta(days=90))


# Whoever may not have it any more


@pytest.mark.parametrize(
    ("how", "code"),
    [("blocked", "PLAYER_BLOCKED"), ("self-excluded", "PLAYER_SELF_EXCLUDED")],
)
def test_nobody_is_given_a_bonus_who_was_barred_while_it_waited(
    pending: BonusIssuance, platform: ScriptedPlatform, player: Player, how: str, code: str,
    now: datetime,
) -> None:  # fmt: skip
    bar(player, how, now)

    retry(now + HOUR)

    pending = BonusIssuance.objects.get()
    assert (pending.status, pending.error_code) == (IssuanceStatus.FAILED, code)
    assert pending.error_detail.endswith("meanwhile. The platform has not granted it.")
    assert len(platform.orders) == 1
    assert not BonusGrant.objects.exists()


def test_control_a_player_who_may_have_it_is_given_it(
    pending: BonusIssuance, platform: ScriptedPlatform, now: datetime
) -> None:
    retry(now + HOUR)

    assert len(platform.orders) == 2
    assert BonusGrant.objects.get().status == GrantStatus.ACTIVE


def test_what_the_platform_had_granted_to_somebody_barred_is_cancelled_there(
    pending: BonusIssuance, platform: ScriptedPlatform, player: Player, now: datetime
) -> None:
    has(platform, pending)
    bar(player, "blocked", now)

    retry(now + HOUR)

    pending = BonusIssuance.objects.get()
    assert (pending.status, pending.error_code) == (IssuanceStatus.FAILED, "PLAYER_BLOCKED")
    assert pending.error_detail.endswith("The platform had granted it, and has cancelled it.")
    assert platform.cancelled == [pending.grant_id]


@pytest.mark.parametrize("says", ["nothing", "that it may not be asked", "nothing to the cancel"])
def test_a_platform_that_does_not_tell_is_asked_again(
    pending: BonusIssuance, platform: ScriptedPlatform, player: Player, now: datetime, says: str
) -> None:
    bar(player, "blocked", now)
    match says:
        case "nothing":
            platform.views[str(pending.grant_id)] = SILENT
        case "that it may not be asked":
            platform.views[str(pending.grant_id)] = PlatformRejected("FORBIDDEN")
        case _:
            has(platform, pending)
            platform.answers = [SILENT]

    retry(now + HOUR)
    pending = BonusIssuance.objects.get()
    first = (pending.status, pending.attempts)
    platform.views[str(pending.grant_id)] = PlatformBonusUnknown()
    retry(now + 3 * HOUR)

    pending = BonusIssuance.objects.get()
    assert first == (IssuanceStatus.PENDING, 2)
    assert (pending.status, pending.error_code) == (IssuanceStatus.FAILED, "PLAYER_BLOCKED")


@pytest.mark.parametrize("status", ["completed", "forfeited", "expired", "credited"])
def test_what_the_platform_has_ended_or_will_not_cancel_is_a_grant(
    pending: BonusIssuance, platform: ScriptedPlatform, player: Player, now: datetime, status: str
) -> None:
    has(platform, pending, status)
    platform.answers = [PlatformRejected("ALREADY_PLAYED")]
    bar(player, "blocked", now)

    retry(now + HOUR)

    pending = BonusIssuance.objects.get()
    assert pending.status == IssuanceStatus.SUCCEEDED
    assert BonusGrant.objects.get().platform_bonus_id == "p-1"


def test_a_bonus_whose_time_is_over_is_not_granted(
    pending: BonusIssuance, platform: ScriptedPlatform, now: datetime
) -> None:
    expires_at = pending.locked_terms().expires_at
    assert expires_at is not None

    retry(expires_at)

    pending = BonusIssuance.objects.get()
    assert (pending.status, pending.error_code) == (IssuanceStatus.FAILED, "TIME_LIMIT_OVER")
    assert len(platform.orders) == 1


def test_control_a_bonus_is_granted_until_its_time_is_over(
    pending: BonusIssuance, now: datetime
) -> None:
    expires_at = pending.locked_terms().expires_at
    assert expires_at is not None

    retry(expires_at - timedelta(seconds=1))

    assert BonusGrant.objects.get().expires_at == expires_at


def test_the_key_of_what_was_not_granted_says_so_for_good(
    pending: BonusIssuance, issue: Issue, template: BonusTemplate, player: Player, now: datetime
) -> None:
    bar(player, "blocked", now)
    retry(now + HOUR)

    with pytest.raises(BonusIssuanceClosed, match="blocked meanwhile") as refusal:
        issue(template, player, key="once", at=now + 2 * HOUR)

    assert refusal.value.retry_after_s is None
    assert refusal.value.members["issuance_id"] == str(pending.pk)


# Given up by staff


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (PlatformBonusUnknown(), "The platform has not granted it."),
        (PlatformView("p-1", "credited"), "The platform had granted it, and has cancelled it."),
        (PlatformView("p-1", "cancelled"), "The platform has cancelled it already."),
        (SILENT, f"{SILENT.detail} The platform may have granted it all the same."),
        (
            NotFound("There is no such adapter."),
            "Its adapter is gone. The platform may have granted it all the same.",
        ),
    ],
)
def test_giving_up_asks_the_platform_what_it_has(
    pending: BonusIssuance, platform: ScriptedPlatform, operator: Operator, actor: Actor,
    now: datetime, view: Any, said: str,
) -> None:  # fmt: skip
    platform.views[str(pending.grant_id)] = view

    ended = issuing.give_up_issuance(
        operator=operator, issuance_id=pending.pk, reason="By mail.", actor=actor, clock=lambda: now
    )

    assert (ended.status, ended.error_detail) == (IssuanceStatus.FAILED, said)
    assert AuditEntry.objects.get(action="bonus.issuance.failed").reason == "By mail."
    assert len(platform.cancelled) == said.startswith("The platform had granted")


def test_giving_up_what_the_platform_has_ended_writes_the_grant(
    pending: BonusIssuance, platform: ScriptedPlatform, operator: Operator, actor: Actor,
    now: datetime,
) -> None:  # fmt: skip
    has(platform, pending, "completed")

    ended = issuing.give_up_issuance(
        operator=operator, issuance_id=pending.pk, reason="By mail.", actor=actor, clock=lambda: now
    )

    assert ended.status == IssuanceStatus.SUCCEEDED
    assert BonusGrant.objects.get().pk == pending.grant_id


def test_nobody_attempts_what_is_being_given_up(
    pending: BonusIssuance, platform: ScriptedPlatform, operator: Operator, actor: Actor,
    now: datetime, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    tried: list[int] = []

    def look(**given: Any) -> PlatformView:
        tried.append(retry(now + timedelta(seconds=20)))
        raise PlatformBonusUnknown

    monkeypatch.setattr(platform, "get_bonus", look)

    issuing.give_up_issuance(
        operator=operator, issuance_id=pending.pk, reason="By mail.", actor=actor,
        clock=lambda: now + timedelta(seconds=11),
    )  # fmt: skip

    assert tried == [0]
    assert len(platform.orders) == 1


# What fails by a fault of ours


def test_what_fails_unexpectedly_is_put_off_and_seen(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player, now: datetime
) -> None:
    platform.answers = [RuntimeError("a bug"), RuntimeError("a bug")]

    with pytest.raises(RuntimeError):
        issue(template, player)

    issuance = BonusIssuance.objects.get()
    assert (issuance.status, issuance.error_code) == (IssuanceStatus.PENDING, "INTERNAL_ERROR")
    assert "RuntimeError" in issuance.error_detail
    assert "a bug" not in issuance.error_detail
    assert issuance.next_attempt_at is not None
    assert now < issuance.next_attempt_at <= now + timedelta(seconds=10)
    # And again, which does not stop the sweep: later each time, and not for ever.
    assert retry(now + timedelta(seconds=10)) == 0
    issuance = BonusIssuance.objects.get()
    assert issuance.next_attempt_at is not None
    assert issuance.next_attempt_at >= now + timedelta(seconds=20)
    platform.answers = [RuntimeError("a bug")]
    retry(now + timedelta(days=3))
    issuance = BonusIssuance.objects.get()
    assert (issuance.status, issuance.error_code) == (IssuanceStatus.FAILED, "INTERNAL_ERROR")


def test_the_sweep_leaves_a_new_issuance_to_whoever_asked_for_it(
    issue: Issue, platform: ScriptedPlatform, template: BonusTemplate, player: Player,
    now: datetime, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    class Died(BaseException):
        pass

    def die(**given: Any) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(issuing, "attempt_issuance", die)
        with pytest.raises(Died):
            issue(template, player)

    assert retry(now) == 0
    assert retry(now + timedelta(seconds=14)) == 0
    assert retry(now + timedelta(seconds=15)) == 1


# The currency that was promised


def test_the_currency_stays_once_a_bonus_was_worked_out_in_it(
    pending: BonusIssuance, operator: Operator, player: Player, actor: Actor, now: datetime
) -> None:
    with pytest.raises(CurrencyLocked):
        put_player(
            operator=operator, reference=player.reference, currency="USD", profile={},
            actor=actor, now=now,
        )  # fmt: skip


def test_an_offer_promises_no_currency_yet(
    issue: Issue, operator: Operator, player: Player, actor: Actor, now: datetime
) -> None:
    issue(BonusTemplateFactory.create(operator=operator, match=True), player, is_offer=True)

    changed = put_player(
        operator=operator, reference=player.reference, currency="USD", profile={},
        actor=actor, now=now,
    )  # fmt: skip

    assert changed.player.currency == "USD"
