"""Who may see reports, and who may take them away: permissions without a table."""

from typing import ClassVar

from django.db import models


class Report(models.Model):
    """No row: what Django needs to know of a thing that permissions are about."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions: ClassVar = [
            ("view_report", "Can see reports"),
            ("export_report", "Can download reports"),
            ("export_audit", "Can download the audit trail"),
            ("view_personal_data", "Can see personal data in the audit report"),
        ]
