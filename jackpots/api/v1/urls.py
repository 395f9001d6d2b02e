"""Paths of jackpots, version 1."""

from django.urls import path

from jackpots.api.v1 import settings, views

urlpatterns = [
    path(
        "jackpots/instances/<uuid:instance_id>/contributions",
        views.ContributionView.as_view(),
        name="v1-contributions",
    ),
    path("jackpot-settings", settings.JackpotSettingsView.as_view(), name="jackpot-settings"),
]
