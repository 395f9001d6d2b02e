"""The kernel as a Django application."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "System"

    def ready(self) -> None:
        from core import checks, figures, transactions  # noqa: F401, PLC0415 -- registers them
