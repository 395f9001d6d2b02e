"""What tests of the home page ask of it, and bonuses for it to tell of."""

import re
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from bonuses.enums import GrantStatus, IssuanceStatus
from core.admin.panels import Tile
from operators.models import Operator
from tests.factories.bonuses import (
    BonusGrantFactory,
    BonusIssuanceFactory,
    BonusTemplateFactory,
)


def home(client: Client, **query: str) -> str:
    response = client.get("/admin/", query)
    assert response.status_code == 200
    return response.content.decode()


def tiles_of(client: Client) -> dict[str, Tile]:
    return {tile.label: tile for tile in client.get("/admin/").context["tiles"]}


def listed(client: Client, url: str) -> int:
    """Return how many rows the list at the address has."""
    return len(client.get(url).context["cl"].result_list)


def links_in(page: str, text: str) -> list[str]:
    """Return the addresses of the links that say just ``text``."""
    found = re.findall(rf'<a class="wf-link" href="([^"]+)">{re.escape(text)}</a>', page)
    return [url.replace("&amp;", "&") for url in found]


@pytest.fixture
def granted(operator: Operator) -> None:
    """Two active grants and an expired one of today, in euros; one of long ago in dollars."""
    template = BonusTemplateFactory.create(operator=operator)
    made = {"asked_template": template, "granted_at": timezone.now()}
    for amount in (10, 5):
        BonusGrantFactory.create(
            **made, bonus_amount=amount, bonus_amount_base=Decimal(amount) * Decimal("1.25")
        )
    BonusGrantFactory.create(
        **made, bonus_amount=20, bonus_amount_base=25, status=GrantStatus.EXPIRED
    )
    BonusGrantFactory.create(
        asked_template=template,
        bonus_currency="USD",
        bonus_amount=Decimal("7.50"),
        bonus_amount_base=Decimal("7.50"),
    )
    offered = BonusTemplateFactory.create(operator=operator, match=True)
    BonusIssuanceFactory.create_batch(2, template=offered, status=IssuanceStatus.AWAITING_DEPOSIT)
