"""Redeeming a voucher in the peer, by the steps of its own views of basket and checkout."""

import json
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from oscar.core import prices
from oscar.core.loading import get_class, get_model

OrderCreator = get_class("order.utils", "OrderCreator")
OrderTotalCalculator = get_class("checkout.calculators", "OrderTotalCalculator")
Applicator = get_class("offer.applicator", "Applicator")
Selector = get_class("partner.strategy", "Selector")
Free = get_class("shipping.methods", "Free")
Basket = get_model("basket", "Basket")
Product = get_model("catalogue", "Product")
Voucher = get_model("voucher", "Voucher")


def ready(_request: HttpRequest) -> HttpResponse:
    """Say that the server is there."""
    return HttpResponse("ready")


def redeem(request: HttpRequest) -> HttpResponse:
    """Order one thing with a voucher; 409 if the voucher is not to be had."""
    asked = json.loads(request.body)
    user = get_user_model().objects.get(username=asked["user"])
    # As the session's middleware would.
    request.user = user
    basket = Basket.objects.create(owner=user)
    basket.strategy = Selector().strategy(request=request, user=user)
    basket.add_product(Product.objects.get(upc="thing"), 1)

    # As VoucherAddView does.
    voucher = Voucher.objects.get(code=asked["voucher"])
    is_available, message = voucher.is_available_to_user(user=user)
    if not voucher.is_active() or not is_available:
        return JsonResponse({"message": str(message)}, status=409)
    basket.vouchers.add(voucher)
    Applicator().apply(basket, user, request)
    if not basket.offer_applications.grouped_voucher_discounts:
        return JsonResponse({"message": "The voucher gives nothing."}, status=409)

    # As PaymentDetailsView and OrderPlacementMixin do, with nothing to pay by.
    charge = prices.Price(currency=basket.currency, excl_tax=Decimal(0), tax=Decimal(0))
    total = OrderTotalCalculator().calculate(basket, charge)
    try:
        order = OrderCreator().place_order(
            basket=basket,
            total=total,
            shipping_method=Free(),
            shipping_charge=charge,
            user=user,
            request=request,
        )
    except ValueError as refusal:
        return JsonResponse({"message": str(refusal)}, status=409)
    basket.submit()
    return JsonResponse({"order": order.number}, status=201)


urlpatterns = [path("readyz", ready), path("redeem", redeem)]
