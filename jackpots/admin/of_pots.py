"""What the pages of things that belong to a pot say alike."""

from typing import Any

from django.contrib import admin

from core.admin import LargeTableAdmin
from core.admin.display import object_link


class OfPotAdmin(LargeTableAdmin):
    """The fields of boosts and losses that say where each belongs."""

    @admin.display(description="Pot")
    def pot_shown(self, subject: Any) -> str:
        """Return the pot."""
        return str(subject.pot)

    @admin.display(description="Instance")
    def instance_link(self, subject: Any) -> str:
        """Return a link to the instance."""
        return object_link(subject.pot.instance)

    @admin.display(description="Operator")
    def operator_link(self, subject: Any) -> str:
        """Return a link to the operator."""
        return object_link(subject.operator)
