"""Promos as a Django application."""

from django.apps import AppConfig


class PromosConfig(AppConfig):
    name = "promos"
    verbose_name = "Promo codes"

    def ready(self) -> None:
        from promos import books  # noqa: F401, PLC0415 -- registers the checks
