"""Adapters as a Django application."""

from django.apps import AppConfig


class AdaptersConfig(AppConfig):
    name = "adapters"
    verbose_name = "Platforms and webhooks"
