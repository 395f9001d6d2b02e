"""Builds adapters, without running the services under test."""

import factory

from adapters.enums import AdapterKind
from adapters.http.signing import make_secret
from adapters.models import AdapterConfig
from core.sealing import seal
from tests.factories.operators import LONG_AGO, OperatorFactory


class AdapterConfigFactory(factory.django.DjangoModelFactory[AdapterConfig]):
    """
    A casino platform over HTTP, not the operator's default. Give ``secret`` to know it.

    The internal adapter that every operator has is not made here: the database made it.
    """

    class Meta:
        model = AdapterConfig
        exclude = ("secret",)

    secret = factory.LazyFunction(make_secret)
    operator = factory.SubFactory(OperatorFactory)
    slug = factory.Sequence(lambda number: f"platform-{number}")
    kind = AdapterKind.HTTP
    base_url = "https://platform.example.com"
    sealed_secret = factory.LazyAttribute(lambda config: seal(config.secret))
    created_at = LONG_AGO
    updated_at = LONG_AGO
