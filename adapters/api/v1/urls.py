"""Paths of casino platforms and webhooks."""

from django.urls import path

from adapters.api.v1 import adapters, bonus_events, deliveries, endpoints

urlpatterns = [
    # Events first, which come most often.
    path(
        "adapters/<str:adapter_slug>/webhooks/bonus-events",
        bonus_events.BonusEventView.as_view(),
        name="bonus-events",
    ),
    path("adapters", adapters.AdapterListView.as_view(), name="adapters"),
    path("adapters/<str:adapter_slug>", adapters.AdapterView.as_view(), name="adapter"),
    path("webhook-endpoints", endpoints.EndpointListView.as_view(), name="webhook-endpoints"),
    path(
        "webhook-endpoints/<uuid:endpoint_id>",
        endpoints.EndpointView.as_view(),
        name="webhook-endpoint",
    ),
    path(
        "webhook-endpoints/<uuid:endpoint_id>/rotate-secret",
        endpoints.EndpointSecretView.as_view(),
        name="webhook-endpoint-secret",
    ),
    path(
        "webhook-endpoints/<uuid:endpoint_id>/test",
        endpoints.EndpointTestView.as_view(),
        name="webhook-endpoint-test",
    ),
    path("webhook-deliveries", deliveries.DeliveryListView.as_view(), name="webhook-deliveries"),
    path(
        "webhook-deliveries/<uuid:delivery_id>/replay",
        deliveries.DeliveryReplayView.as_view(),
        name="webhook-delivery-replay",
    ),
]
