"""Paths of casino platforms and webhooks."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
