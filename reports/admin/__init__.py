"""Reports in the back office: seen by those who may, taken away by those who may."""

from core.admin.staff import offer_permissions
from reports.admin import panels

__all__ = ["panels"]

offer_permissions(
    "reports.view_report",
    "reports.export_report",
    "reports.export_audit",
    "reports.view_personal_data",
)
