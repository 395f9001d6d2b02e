"""`python -m bench.peer.prepare`: the peer's tables, something to buy, users and vouchers."""

import json
import os
import sys
from datetime import timedelta
from decimal import Decimal
from typing import Any

import django
from django.core.management import call_command


def main(wanted: dict[str, Any]) -> None:
    """Make what ``wanted`` counts: users, vouchers for each customer once, and limited ones."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peer.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    _make_product()
    # Models can be imported only when the apps are loaded.
    from django.contrib.auth import get_user_model  # noqa: PLC0415

    users = get_user_model()
    users.objects.bulk_create(
        users(username=f"user-{number}", email=f"user-{number}@example.com")
        for number in range(wanted["users"])
    )
    for number in range(wanted["once"]):
        _make_voucher(f"ONCE{number}", usage="Once per customer")
    for number in range(wanted["single"]):
        _make_voucher(f"SINGLE{number}", usage="Single use")
    for number in range(wanted["limited"]):
        _make_voucher(f"LIMITED{number}", usage="Multi-use", applications_max=wanted["limit"])


def _make_product() -> None:
    from oscar.core.loading import get_model  # noqa: PLC0415

    made_of = get_model("catalogue", "ProductClass").objects.create(
        name="Thing", requires_shipping=False, track_stock=False
    )
    product = get_model("catalogue", "Product").objects.create(
        product_class=made_of, title="Thing", upc="thing"
    )
    partner = get_model("partner", "Partner").objects.create(name="Partner")
    get_model("partner", "StockRecord").objects.create(
        product=product, partner=partner, partner_sku="thing", price=Decimal(10)
    )


def _make_voucher(code: str, *, usage: str, applications_max: int | None = None) -> None:
    from django.utils import timezone  # noqa: PLC0415
    from oscar.core.loading import get_model  # noqa: PLC0415

    everything, _is_new = get_model("offer", "Range").objects.get_or_create(
        name="Everything", includes_all_products=True
    )
    condition = get_model("offer", "Condition").objects.create(
        range=everything, type="Count", value=1
    )
    benefit = get_model("offer", "Benefit").objects.create(
        range=everything, type="Absolute", value=1
    )
    offer = get_model("offer", "ConditionalOffer").objects.create(
        name=f"Offer {code}",
        offer_type="Voucher",
        condition=condition,
        benefit=benefit,
        max_global_applications=applications_max,
    )
    now = timezone.now()
    voucher = get_model("voucher", "Voucher").objects.create(
        name=code,
        code=code,
        usage=usage,
        start_datetime=now - timedelta(days=1),
        end_datetime=now + timedelta(days=30),
    )
    voucher.offers.add(offer)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
