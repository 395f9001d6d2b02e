"""Paths of the catalogue."""

from django.urls import path

from games.api.v1 import views

urlpatterns = [
    path("games", views.GameListView.as_view(), name="games"),
    path("games/<str:slug>", views.GameView.as_view(), name="game"),
]
