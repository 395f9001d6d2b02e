"""Activity as a Django application."""

from django.apps import AppConfig


class ActivityConfig(AppConfig):
    name = "activity"
    verbose_name = "Activity"

    def ready(self) -> None:
        from activity import books  # noqa: F401, PLC0415 -- registers the checks
