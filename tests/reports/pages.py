"""How tests open the pages of reports, and days with rows for every one of them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.test import Client

from operators.models import Operator
from tests.factories.bonuses import BonusGrantFactory, BonusTemplateFactory
from tests.factories.jackpots import InstanceFactory, InstanceLinkFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import PromoFactory, UserPromoFactory
from tests.reports.conftest import at
from tests.reports.test_audit_export import enter

#: A minute before midnight in Malta, on the day its clocks went forward.
NOW = at("2026-03-29 21:59")
MARCH_28 = {"operator": "lucky-star", "from": "2026-03-28", "to": "2026-03-28"}


def url(name: str, what: str = "") -> str:
    return f"/admin/reports/{name}/{what}"


def export(client: Client, name: str, **asked: str) -> Any:
    return client.post(url(name, "export/"), {**MARCH_28, "reason": "Asked for", **asked})


def body(response: Any) -> str:
    return b"".join(response.streaming_content).decode()


def fill(operator: Operator, *, rows: int) -> None:
    """Give the operator so many rows for every report, on 28 March."""
    noon = at("2026-03-28 12:00")
    for number in range(rows):
        player = PlayerFactory.create(operator=operator)
        jackpot = InstanceFactory.create(
            operator=operator, progressive=True, pots=[{"seed": Decimal(10)}]
        )
        InstanceLinkFactory.create(source=jackpot, target=InstanceFactory.create(operator=operator))
        BonusGrantFactory.create(
            asked_template=BonusTemplateFactory.create(operator=operator, name=f"T{number}"),
            asked_player=player,
            granted_at=noon,
        )
        UserPromoFactory.create(
            promo=PromoFactory.create(operator=operator), player=player, claimed_at=noon
        )
        enter(operator, noon + timedelta(seconds=number))
