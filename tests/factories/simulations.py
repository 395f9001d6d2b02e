"""Builds limits of terms, without running the services under test."""

from decimal import Decimal

import factory

from simulations.models import TermsLimits
from tests.factories.operators import LONG_AGO, OperatorFactory


class TermsLimitsFactory(factory.django.DjangoModelFactory[TermsLimits]):
    """Great Britain, where a bonus may have to be wagered ten times at most."""

    class Meta:
        model = TermsLimits

    operator = factory.SubFactory(OperatorFactory)
    label = "Great Britain"
    wagering_multiple_max = Decimal(10)
    created_at = LONG_AGO
