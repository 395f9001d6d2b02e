"""The Celery application: JSON only, routes and schedule in settings."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("windfall")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
