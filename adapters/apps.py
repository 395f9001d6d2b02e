"""Adapters as a Django application."""

from django.apps import AppConfig


class AdaptersConfig(AppConfig):
    name = "adapters"
    verbose_name = "Platforms and webhooks"

    def ready(self) -> None:
        from adapters import metrics  # noqa: F401, PLC0415 -- registers what it says
