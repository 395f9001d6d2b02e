"""Querysets that know their tenant."""

from typing import Any, Self, TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)


class OperatorQuerySet(models.QuerySet[M]):
    """Rows that belong to an operator; every query of a door starts with for_operator()."""

    def for_operator(self, operator: Any) -> Self:
        """Keep the rows of ``operator`` (an Operator)."""
        return self.filter(operator_id=operator.pk)
