"""The addresses of reports, below /admin/reports/."""

from django.contrib import admin
from django.urls import path

from reports.admin import views

app_name = "reports"

urlpatterns = [
    path("", admin.site.admin_view(views.list_view), name="index"),
    path("<slug:name>/", admin.site.admin_view(views.report_view), name="report"),
    path("<slug:report_name>/export/", admin.site.admin_view(views.export_view), name="export"),
]
