"""Batches of single-use codes: asked for, downloaded and disabled through the back office."""

from typing import Any

import pytest
from django.test import Client

from core.models import AuditEntry
from operators.models import Operator
from players.models import Player
from promos.models import CodeBatch, UserPromo
from tests.admin.conftest import messages_of
from tests.admin.test_promo_pages import errors_of, page_of
from tests.factories.players import PlayerFactory
from tests.factories.promos import (
    CodeBatchFactory,
    PromoBatchCodeFactory,
    PromoFactory,
    UserPromoFactory,
)

pytestmark = pytest.mark.django_db


def test_a_batch_is_asked_for(office: Client, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)

    response = office.post(
        page_of(promo, "make-batch"), {"count": "100", "pattern": "VIP-@@##"}, follow=True
    )

    batch = CodeBatch.objects.get()
    assert response.redirect_chain == [(page_of(batch), 302)]
    assert messages_of(response) == ["100 codes are being made."]
    assert (batch.promo_id, batch.count, batch.pattern) == (promo.pk, 100, "VIP-@@##")


def test_a_pattern_that_makes_too_few_codes_is_marked(office: Client, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)

    response = office.post(page_of(promo, "make-batch"), {"count": "100", "pattern": "VIP-#"})

    assert response.status_code == 400
    assert list(errors_of(response)) == ["pattern"]
    assert CodeBatch.objects.exists() is False


def test_codes_are_downloaded_with_who_claimed_them_and_for_a_reason(
    office: Client, operator: Operator
) -> None:
    batch = PromoBatchCodeFactory.create(
        batch__promo=PromoFactory.create(operator=operator), operator=operator, code="=1+1"
    ).batch
    player: Player = PlayerFactory.create(operator=operator, reference="ada")
    claim: UserPromo = UserPromoFactory.create(
        promo=batch.promo, player=player, batch_code=batch.codes.get()
    )

    response = office.post(page_of(batch, "codes"), {"reason": "For the printer"})

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    lines = b"".join(response.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "code,claimed_at,player_id"
    assert lines[1].startswith(f"'=1+1,{claim.claimed_at:%Y-%m-%d}")
    assert lines[1].endswith(",ada")
    assert AuditEntry.objects.get(action="promo.batch.downloaded").reason == "For the printer"


def test_codes_that_are_not_all_made_are_not_handed_out(
    office: Client, operator: Operator, changes_nothing: Any
) -> None:
    batch = CodeBatchFactory.create(promo__operator=operator)

    with changes_nothing():
        response = office.post(page_of(batch, "codes"), {"reason": "Because"})

    assert response.status_code == 409
    assert "0 of 2 codes are made." in response.content.decode()


def test_a_batch_is_disabled(office: Client, operator: Operator) -> None:
    batch = PromoBatchCodeFactory.create(
        batch__promo=PromoFactory.create(operator=operator), operator=operator
    ).batch

    said = office.get(page_of(batch, "disable")).context["consequences"]
    office.post(page_of(batch, "disable"), {"reason": "Leaked"})

    assert said[0] == "1 code that nobody has claimed can never be."
    assert CodeBatch.objects.get().disabled_at is not None
    assert AuditEntry.objects.get(action="promo.batch.disabled").reason == "Leaked"
