"""
The base of every model with a lifecycle.

The state machine says which moves exist; services say whether one is allowed now, under
the row's lock. Two traps of the library are closed here: ``refresh_from_db`` would lift
the protection of the state field for the whole process, and a stale row could overwrite
a newer state.
"""

from typing import TYPE_CHECKING, Any, NoReturn

from django.db import models

if TYPE_CHECKING:
    # The library's mixin is Any to mypy, and would make every model with a lifecycle Any.
    class ConcurrentTransitionMixin:
        """Stands in for the library's mixin."""

else:
    from django_fsm import ConcurrentTransitionMixin


class LifecycleModel(ConcurrentTransitionMixin, models.Model):
    """A row with a protected state, saved only over the state it was read with."""

    class Meta:
        abstract = True

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> NoReturn:
        """
        Refuse: read the row again instead.

        :raises RuntimeError: always.
        """
        raise RuntimeError(f"{type(self).__name__} rows are read again, not refreshed.")
