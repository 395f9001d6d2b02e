"""Wallets as a Django application."""

from django.apps import AppConfig


class WalletsConfig(AppConfig):
    name = "wallets"
    verbose_name = "Wallets"

    def ready(self) -> None:
        from wallets import books  # noqa: F401, PLC0415 -- registers the checks
