"""One path, and one to see that somebody listens."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from bench.naive.views import ContributionView


def ready(_request: HttpRequest) -> HttpResponse:
    """Say that the server is there."""
    return HttpResponse("ready")


urlpatterns = [
    path("readyz", ready),
    path("instances/<int:pk>/contributions", ContributionView.as_view()),
]
