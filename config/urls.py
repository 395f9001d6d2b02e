"""Every path of the product."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView

from config.api_docs import RedocView, SwaggerView, redoc_bundle
from core import health
from core.api.metrics import metrics

urlpatterns = [
    # First what nearly every request is for: paths are tried in this order.
    path("v2/", include("jackpots.api.v2.urls")),
    path("v1/", include("activity.api.v1.urls")),
    path("v1/", include("promos.api.v1.urls")),
    path("v1/", include("adapters.api.v1.urls")),
    path("", RedirectView.as_view(url="/admin/"), name="home"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("docs/", SwaggerView.as_view(), name="swagger"),
    path("redoc/", RedocView.as_view(), name="redoc"),
    path("redoc/bundle.js", redoc_bundle, name="redoc-bundle"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/reports/", include("reports.admin.urls")),
    path("admin/", admin.site.urls),
    path("accounts/", include("staff.sign_in.urls")),
    path("v1/", include("players.api.v1.urls")),
    path("v1/", include("games.api.v1.urls")),
    path("v1/", include("operators.api.v1.urls")),
    path("v1/", include("wallets.api.v1.urls")),
    path("v1/", include("bonuses.api.v1.urls")),
    path("v1/", include("jackpots.api.v1.urls")),
    path("v1/", include("simulations.api.v1.urls")),
]

handler404 = "config.error_pages.not_found_page"
handler500 = "config.error_pages.server_error_page"
