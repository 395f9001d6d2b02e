"""
Where domains find the adapters: the settings name what is at the end of this module.

``BONUS_ADAPTERS`` names ``registry``, ``JACKPOT_PAYOUTS`` names ``payouts``.
"""

from adapters.selectors import find_adapter_config, get_default_config
from adapters.services.connections import connect_adapter, connect_payouts
from bonuses.ports import AdapterRegistry, BonusAdapter
from jackpots.ports import PayoutChannel, PayoutRegistry
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


class ConfiguredPayouts:
    """The same adapters, as ways to pay wins: where bonuses go, the wallet is."""

    def default_channel(self, *, operator: Operator) -> PayoutChannel:
        """Return the channel through which the operator's wins are paid."""
        return connect_payouts(config=get_default_config(operator=operator))

    def get_channel(self, *, slug: str) -> PayoutChannel:
        """
        Return the channel of that slug.

        :raises NotFound: if there is none.
        """
        return connect_payouts(config=find_adapter_config(slug=slug))


registry: AdapterRegistry = ConfiguredAdapters()
payouts: PayoutRegistry = ConfiguredPayouts()
