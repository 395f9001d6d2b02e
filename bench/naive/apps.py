"""The app."""

from django.apps import AppConfig


class NaiveConfig(AppConfig):
    """Its tables are made by `migrate --run-syncdb`: they live as long as a measurement."""

    name = "bench.naive"
    label = "naive"
    default_auto_field = "django.db.models.BigAutoField"
