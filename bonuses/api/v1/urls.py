"""Paths of bonuses."""

from django.urls import path

from bonuses.api.v1 import grants, templates

urlpatterns = [
    path("bonus-templates", templates.BonusTemplateListView.as_view(), name="bonus-templates"),
    path(
        "bonus-templates/<uuid:template_id>",
        templates.BonusTemplateView.as_view(),
        name="bonus-template",
    ),
    path("bonus-grants", grants.GrantListView.as_view(), name="bonus-grants"),
    path("bonus-grants/<uuid:grant_id>", grants.GrantView.as_view(), name="bonus-grant"),
    path(
        "bonus-grants/<uuid:grant_id>/cancel",
        grants.GrantCancellationView.as_view(),
        name="bonus-grant-cancellation",
    ),
    path(
        "bonus-grants/<uuid:grant_id>/forfeit",
        grants.GrantForfeitureView.as_view(),
        name="bonus-grant-forfeiture",
    ),
    path(
        "bonus-issuances/<uuid:issuance_id>", grants.IssuanceView.as_view(), name="bonus-issuance"
    ),
]
