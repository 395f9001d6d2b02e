"""Jackpots as a Django application."""

from django.apps import AppConfig


class JackpotsConfig(AppConfig):
    name = "jackpots"
    verbose_name = "Jackpots"

    def ready(self) -> None:
        from jackpots import books  # noqa: F401, PLC0415 -- registers the checks
