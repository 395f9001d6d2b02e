"""Paths of the ledger."""

from django.urls import path

from wallets.api.v1 import views

urlpatterns = [
    path(
        "players/<str:player_id>/transactions",
        views.TransactionListView.as_view(),
        name="transactions",
    ),
]
