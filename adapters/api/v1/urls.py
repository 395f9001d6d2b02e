"""Paths of casino platforms and webhooks."""

from django.urls import path

from adapters.api.v1 import adapters, bonus_events

urlpatterns = [
    path("adapters", adapters.AdapterListView.as_view(), name="adapters"),
    path("adapters/<str:adapter_slug>", adapters.AdapterView.as_view(), name="adapter"),
    path(
        "adapters/<str:adapter_slug>/webhooks/bonus-events",
        bonus_events.BonusEventView.as_view(),
        name="bonus-events",
    ),
]
