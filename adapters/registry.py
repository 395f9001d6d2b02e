"""Where bonuses find the adapters (the setting ``BONUS_ADAPTERS`` names ``registry``)."""

from adapters.selectors import find_adapter_config, get_default_config
from adapters.services.connections import connect_adapter
from bonuses.ports import AdapterRegistry, BonusAdapter
from operators.models import Operator


class ConfiguredAdapters:
    """The adapters that operators have configured: one query each, and nothing remembered."""

    def default_adapter(self, *, operator: Operator) -> BonusAdapter:
        """Return the adapter through which the operator's new bonuses go."""
        return connect_adapter(config=get_default_config(operator=operator))

    def get_adapter(self, *, slug: str) -> BonusAdapter:
        """
        Return the adapter of that slug.

        :raises NotFound: if there is none.
        """
        return connect_adapter(config=find_adapter_config(slug=slug))


registry: AdapterRegistry = ConfiguredAdapters()
