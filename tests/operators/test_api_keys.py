"""Who is let in: API keys, their scopes, their end, and how soon a revocation is obeyed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from core.actors import Actor
from core.errors import NotFound
from core.models import AuditEntry
from operators import authentication
from operators.enums import Scope
from operators.models import ApiKey, Operator
from operators.services import credentials
from tests.factories.operators import ApiKeyFactory, OperatorFactory, issue_key

pytestmark = pytest.mark.django_db

PATH = "/v1/players"


def get(authorization: str | None, path: str = PATH) -> Any:
    headers = {} if authorization is None else {"Authorization": authorization}
    return APIClient().get(path, headers=headers)


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock of the cache of keys, which stands still until ``at`` is changed."""
    clock = SimpleNamespace(at=1000.0)
    monkeypatch.setattr(authentication, "time", SimpleNamespace(monotonic=lambda: clock.at))
    return clock


@pytest.fixture
def revoke(operator: Operator, actor: Actor, now: datetime) -> Callable[[], ApiKey]:
    """Return a function that revokes the operator's one key."""

    def revoke(*, at: datetime = now) -> ApiKey:
        return credentials.revoke_api_key(
            operator=operator,
            api_key_id=ApiKey.objects.get(operator=operator).pk,
            reason="It leaked.",
            actor=actor,
            now=at,
        )

    return revoke


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Api-Key",
        "Api-Key ",
        "Api-Key wf_unknown",
        "Api-Key " + "x" * 10_000,
        "Api-Key a\x00b",
        "Api-Key \u00fc",
        "Bearer {secret}",
        "Basic {secret}",
        "{secret}",
        "Api-Key {secret}x",
        "Api-Key {prefix}",
        "Api-Key {digest}",
    ],
)
def test_every_bad_key_is_refused_alike(operator: Operator, authorization: str | None) -> None:
    secret = issue_key(operator)
    key = ApiKey.objects.get()
    if authorization is not None:
        authorization = authorization.format(secret=secret, prefix=key.prefix, digest=key.digest)

    response = get(authorization)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Api-Key"
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json() == {
        "type": "urn:windfall:problem:unauthenticated",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Send a valid key as 'Authorization: Api-Key <key>'.",
        "code": "UNAUTHENTICATED",
        "instance": PATH,
    }


@pytest.mark.parametrize("scheme", ["Api-Key", "api-key", "API-KEY"])
def test_the_scheme_is_spelled_as_one_likes(operator: Operator, scheme: str) -> None:
    assert get(f"{scheme} {issue_key(operator)}").status_code == 200


def test_a_key_in_the_url_is_not_taken(operator: Operator) -> None:
    assert get(None, f"{PATH}?api_key={issue_key(operator)}").status_code == 401


@pytest.mark.parametrize(
    ("scope", "allowed"), [(Scope.READ, "get"), (Scope.PLAY, "player"), (Scope.MANAGE, "game")]
)
def test_no_scope_implies_another(
    operator: Operator, client_of: Callable[..., Any], scope: Scope, allowed: str
) -> None:
    client = client_of(operator, scopes=[scope])

    responses = {
        "get": client.get(PATH),
        "player": client.put("/v1/players/anna", {"currency": "EUR"}),
        "game": client.put("/v1/games/sums", {"name": "Sums", "category": "slots"}),
    }

    refused = {name: answer for name, answer in responses.items() if answer.status_code == 403}
    assert set(refused) == {"get", "player", "game"} - {allowed}
    assert responses[allowed].status_code in (200, 201)
    for answer in refused.values():
        assert answer.json()["code"] == "INSUFFICIENT_SCOPE"
        assert "scope" in answer.json()["detail"]


@pytest.mark.usefixtures("monotonic")
def test_a_key_ends_at_its_instant_though_it_is_remembered(operator: Operator) -> None:
    ends_at = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    secret = issue_key(operator, expires_at=ends_at)

    with time_machine.travel(ends_at - timedelta(microseconds=1), tick=False):
        before = get(f"Api-Key {secret}")
    with time_machine.travel(ends_at, tick=False):
        after = get(f"Api-Key {secret}")

    assert (before.status_code, after.status_code) == (200, 401)


def test_a_revoked_key_is_refused(operator: Operator, revoke: Callable[..., ApiKey]) -> None:
    secret = issue_key(operator)
    revoke()

    assert get(f"Api-Key {secret}").status_code == 401


def test_a_revocation_is_obeyed_within_the_time_of_the_cache(
    operator: Operator, revoke: Callable[..., ApiKey], monotonic: SimpleNamespace, settings: Any
) -> None:
    settings.API_KEY_CACHE_S = 2.0
    secret = issue_key(operator)
    assert get(f"Api-Key {secret}").status_code == 200
    revoke()

    monotonic.at += 1.999
    within = get(f"Api-Key {secret}")
    monotonic.at += 0.001
    after = get(f"Api-Key {secret}")

    assert (within.status_code, after.status_code) == (200, 401)


def test_being_asked_often_does_not_prolong_belief(
    operator: Operator, revoke: Callable[..., ApiKey], monotonic: SimpleNamespace, settings: Any
) -> None:
    settings.API_KEY_CACHE_S = 2.0
    secret = issue_key(operator)
    get(f"Api-Key {secret}")
    revoke()

    statuses = []
    for _second in range(3):
        monotonic.at += 0.9
        statuses.append(get(f"Api-Key {secret}").status_code)

    assert statuses == [200, 200, 401]


def test_a_believed_key_costs_no_query(
    operator: Operator, monotonic: SimpleNamespace, django_assert_num_queries: Any
) -> None:
    secret = issue_key(operator)
    with django_assert_num_queries(2):
        get(f"Api-Key {secret}")

    with django_assert_num_queries(1):
        get(f"Api-Key {secret}")


@pytest.mark.usefixtures("monotonic")
def test_a_key_made_after_a_vain_try_works_at_once(operator: Operator) -> None:
    secret = "wf_chosen-for-this-test"
    before = get(f"Api-Key {secret}")

    ApiKeyFactory.create(operator=operator, secret=secret)

    assert (before.status_code, get(f"Api-Key {secret}").status_code) == (401, 200)


def test_revoking_is_audited_once_and_keeps_its_instant(
    operator: Operator, revoke: Callable[..., ApiKey], now: datetime
) -> None:
    issue_key(operator)

    revoke()
    again = revoke(at=now + timedelta(days=1))

    assert again.revoked_at == now
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == ("operator.api_key.revoked", "It leaked.")


def test_another_operators_key_cannot_be_revoked(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    foreign = ApiKeyFactory.create(operator=OperatorFactory.create())

    with pytest.raises(NotFound):
        credentials.revoke_api_key(
            operator=operator, api_key_id=foreign.pk, reason="", actor=actor, now=now
        )

    assert ApiKey.objects.get().revoked_at is None


def test_a_further_key_has_the_scopes_it_was_given(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    issued = credentials.issue_api_key(
        operator=operator,
        label="Reports",
        scopes=[Scope.READ],
        expires_at=None,
        actor=actor,
        now=now,
    )

    assert get(f"Api-Key {issued.secret}").status_code == 200
    assert (issued.api_key.scopes, issued.api_key.label) == (["read"], "Reports")


def test_what_a_key_does_is_audited_under_its_prefix(operator: Operator) -> None:
    secret = issue_key(operator)

    APIClient().put(
        "/v1/players/anna", {"currency": "EUR"}, headers={"Authorization": f"Api-Key {secret}"}
    )

    entry = AuditEntry.objects.get()
    assert (entry.actor_kind, entry.actor_ref) == ("api_key", secret[:9])
