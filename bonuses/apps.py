"""Bonuses as a Django application."""

from django.apps import AppConfig


class BonusesConfig(AppConfig):
    name = "bonuses"
    verbose_name = "Bonuses"

    def ready(self) -> None:
        from bonuses import books  # noqa: F401, PLC0415 -- registers the checks
