"""Batches of single-use codes: asked for, made, gone on with, downloaded, disabled."""

import csv
import io
import re
from datetime import datetime
from typing import Any

import pytest

from core.actors import Actor
from core.models import AuditEntry
from operators.models import Operator
from promos import rules, tasks
from promos.models import CodeBatch, PromoBatchCode, UserPromo
from promos.services import batches
from tests.factories.promos import (
    CodeBatchFactory,
    PromoBatchCodeFactory,
    PromoFactory,
    UserPromoFactory,
)
from tests.promos.conftest import differences

pytestmark = pytest.mark.django_db


def codes_of(batch: CodeBatch) -> list[str]:
    return list(batch.codes.order_by("pk").values_list("code", flat=True))


def download(client: Any, batch: CodeBatch) -> list[list[str]]:
    response = client.get(f"/v1/promo-batches/{batch.pk}/codes.csv")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(response.streaming_content).decode()
    return list(csv.reader(io.StringIO(text)))


# Asking


def test_a_batch_is_asked_for_and_its_progress_seen(
    client: Any, operator: Operator, now: datetime
) -> None:
    promo = PromoFactory.create(operator=operator)

    response = client.post(f"/v1/promos/{promo.pk}/codes", {"count": 3, "pattern": "VIP-@#*"})

    assert response.status_code == 202, response.content
    batch = CodeBatch.objects.get()
    body = response.json()
    assert (body["id"], body["status"], body["count"], body["made_count"]) == (
        str(batch.pk),
        "pending",
        3,
        0,
    )
    assert tasks.make_batch_codes.apply(kwargs={"batch_id": str(batch.pk)}).get() == 3
    body = client.get(f"/v1/promo-batches/{batch.pk}").json()
    assert (body["status"], body["made_count"], body["claimed_count"]) == ("done", 3, 0)
    assert AuditEntry.objects.get().action == "promo.batch.created"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"count": 9, "pattern": "VIP-#"}, "/pattern"),
        ({"count": 2, "pattern": "VIP"}, "/pattern"),
        ({"count": 1, "pattern": ""}, "/pattern"),
        ({"count": 1, "pattern": "#" * 41}, "/pattern"),
        ({"count": 1, "pattern": "A #"}, "/pattern"),
        ({"count": 0, "pattern": "####"}, "/count"),
        ({"count": 1_000_001, "pattern": "########"}, "/count"),
        ({"count": "1", "pattern": "########"}, "/count"),
    ],
)
def test_what_cannot_be_made_is_refused(
    body: dict[str, Any], pointer: str, client: Any, operator: Operator
) -> None:
    promo = PromoFactory.create(operator=operator)

    response = client.post(f"/v1/promos/{promo.pk}/codes", body)

    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert CodeBatch.objects.exists() is False


def test_an_archived_promo_gets_no_codes(client: Any, operator: Operator, now: datetime) -> None:
    promo = PromoFactory.create(operator=operator, archived_at=now)

    response = client.post(f"/v1/promos/{promo.pk}/codes", {"count": 1, "pattern": "####"})

    assert (response.status_code, response.json()["code"]) == (409, "PROMO_ARCHIVED")


# Making


def test_codes_look_like_their_pattern_without_look_alikes(now: datetime) -> None:
    batch = CodeBatchFactory.create(pattern="Vip-#@*", count=300)

    assert batches.make_batch_codes(batch_id=batch.pk, now=now) == 300

    codes = codes_of(batch)
    assert len({code.casefold() for code in codes}) == 300
    assert all(re.fullmatch("Vip-[2-9][A-HJKMNP-Z][A-HJKMNP-Z2-9]", code) for code in codes)


def test_a_pattern_can_be_used_up_to_its_last_code(now: datetime) -> None:
    batch = CodeBatchFactory.create(pattern="#@", count=8 * 23)

    batches.make_batch_codes(batch_id=batch.pk, now=now)

    assert len(set(codes_of(batch))) == 8 * 23
    assert CodeBatch.objects.get().finished_at == now


def test_a_pattern_that_others_have_used_up_fails(operator: Operator, now: datetime) -> None:
    promo = PromoFactory.create(operator=operator)
    first = CodeBatchFactory.create(promo=promo, pattern="#", count=5)
    second = CodeBatchFactory.create(promo=promo, pattern="#", count=5)

    batches.make_batch_codes(batch_id=first.pk, now=now)
    batches.make_batch_codes(batch_id=second.pk, now=now)

    failed = CodeBatch.objects.get(pk=second.pk)
    assert (failed.made_count, failed.failed_at, failed.status) == (3, now, "failed")
    assert PromoBatchCode.objects.count() == 8
    assert differences() == []


def test_a_promos_code_is_never_drawn(operator: Operator, now: datetime) -> None:
    promo = PromoFactory.create(operator=operator, code="vip-7")
    batch = CodeBatchFactory.create(promo=promo, pattern="VIP-#", count=7)

    batches.make_batch_codes(batch_id=batch.pk, now=now)

    assert sorted(codes_of(batch)) == [f"VIP-{digit}" for digit in "2345689"]


def test_a_worker_goes_on_where_another_died(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = CodeBatchFactory.create(pattern="@@@@@", count=25)
    monkeypatch.setattr(batches, "CHUNK", 10)
    keep, kept = batches._keep, []

    def die_in_the_third(batch: CodeBatch, drawn: list[str], wanted: int) -> int:
        if len(kept) == 2:
            raise KeyboardInterrupt
        kept.append(wanted)
        return keep(batch, drawn, wanted)

    with monkeypatch.context() as patch:
        patch.setattr(batches, "_keep", die_in_the_third)
        with pytest.raises(KeyboardInterrupt):
            batches.make_batch_codes(batch_id=batch.pk, now=now)
    midway = CodeBatch.objects.get()
    assert (midway.made_count, midway.status, len(codes_of(batch))) == (20, "making", 20)

    assert tasks.make_unfinished_batches.apply().get() == 5

    assert (CodeBatch.objects.get().status, len(set(codes_of(batch)))) == ("done", 25)
    assert batches.make_batch_codes(batch_id=batch.pk, now=now) == 0


def test_100_000_codes_are_made(now: datetime) -> None:
    batch = CodeBatchFactory.create(pattern="W-@@@@@@####", count=100_000)

    assert batches.make_batch_codes(batch_id=batch.pk, now=now) == 100_000

    assert batch.codes.values("code_key").distinct().count() == 100_000
    assert differences() == []


@pytest.mark.parametrize("pattern", ["#@*", "A-#@", "x", "****"])
def test_every_number_of_a_pattern_is_another_code(pattern: str) -> None:
    space = min(rules.code_space(pattern), 20_000)

    assert len({rules.code_at(pattern, index) for index in range(space)}) == space


# Download


def test_the_codes_are_downloaded_with_their_claims(
    client: Any, operator: Operator, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    promo = PromoFactory.create(operator=operator)
    batch = CodeBatchFactory.create(promo=promo, pattern="@@@@", count=25)
    batches.make_batch_codes(batch_id=batch.pk, now=now)
    monkeypatch.setattr("promos.selectors.CODES_PER_PAGE", 10)
    used = batch.codes.order_by("pk")[11]
    UserPromoFactory.create(promo=promo, batch_code=used, player__reference="=ada")

    header, *lines = download(client, batch)

    assert header == ["code", "claimed_at", "player_id"]
    assert [line[0] for line in lines] == codes_of(batch)
    assert lines[11] == [used.code, "2026-01-01T00:00:00Z", "'=ada"]
    assert lines[12][1:] == ["", ""]
    assert client.get(f"/v1/promo-batches/{batch.pk}").json()["claimed_count"] == 1


@pytest.mark.parametrize("start", ["=", "+", "-", "'"])
def test_no_code_is_a_formula(start: str, client: Any, operator: Operator, now: datetime) -> None:
    batch = CodeBatchFactory.create(promo__operator=operator, pattern=f"{start}SUM(A#)", count=1)
    batches.make_batch_codes(batch_id=batch.pk, now=now)

    [_header, [cell, *_rest]] = download(client, batch)

    assert cell.startswith(f"'{start}SUM" if start != "'" else "'SUM")


def test_a_batch_that_is_not_done_is_not_downloaded(client: Any, operator: Operator) -> None:
    batch = CodeBatchFactory.create(promo__operator=operator)

    response = client.get(f"/v1/promo-batches/{batch.pk}/codes.csv")

    assert (response.status_code, response.json()["code"]) == (409, "PROMO_BATCH_NOT_READY")


# Disabling


def test_a_disabled_batch_stays_disabled_and_makes_no_more(
    client: Any, operator: Operator, now: datetime
) -> None:
    batch = CodeBatchFactory.create(promo__operator=operator)
    path = f"/v1/promo-batches/{batch.pk}/disable"

    first, again = client.post(path, {"reason": "Leaked"}), client.post(path)

    assert (first.status_code, first.json()["status"]) == (200, "disabled")
    assert again.json() == first.json()
    assert batches.make_batch_codes(batch_id=batch.pk, now=now) == 0
    assert tasks.make_unfinished_batches.apply().get() == 0
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == ("promo.batch.disabled", "Leaked")


def test_what_was_claimed_through_a_disabled_batch_stays(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    code = PromoBatchCodeFactory.create(batch__promo__operator=operator)
    claim = UserPromoFactory.create(promo=code.batch.promo, batch_code=code)

    batches.disable_batch(
        operator=operator, batch_id=code.batch.pk, reason="Leaked", actor=actor, now=now
    )

    assert UserPromo.objects.get(pk=claim.pk).status == "CLAIMED"
