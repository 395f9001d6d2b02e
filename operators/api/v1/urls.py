"""Paths of the tenant layer."""

from django.urls import path

from operators.api.v1 import views

urlpatterns = [
    path("exchange-rates", views.ExchangeRateListView.as_view(), name="exchange-rates"),
    path("exchange-rates/<str:currency>", views.ExchangeRateView.as_view(), name="exchange-rate"),
]
