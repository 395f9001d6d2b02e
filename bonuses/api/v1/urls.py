"""Paths of bonuses."""

from django.urls import path

from bonuses.api.v1 import templates

urlpatterns = [
    path("bonus-templates", templates.BonusTemplateListView.as_view(), name="bonus-templates"),
    path(
        "bonus-templates/<uuid:template_id>",
        templates.BonusTemplateView.as_view(),
        name="bonus-template",
    ),
]
