"""Paths of players and segments."""

from django.urls import path

from players.api.v1 import views

urlpatterns = [
    path("players", views.PlayerListView.as_view(), name="players"),
    path("players/<str:player_id>", views.PlayerView.as_view(), name="player"),
    path(
        "players/<str:player_id>/self-exclusion",
        views.SelfExclusionView.as_view(),
        name="self-exclusion",
    ),
    path("segments", views.SegmentListView.as_view(), name="segments"),
    path("segments/<uuid:segment_id>", views.SegmentView.as_view(), name="segment"),
]
