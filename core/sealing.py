"""
Secrets at rest: sealed in the database, opened only where they are used.

The setting ``SECRETS_KEYS`` lists Fernet keys (``Fernet.generate_key()``): the first one
seals, every one opens. A new key is put in front; the old one may go once nothing that it
sealed is left.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SealBroken(Exception):
    """The text was not sealed with any of our keys, or has been altered."""


def seal(text: str) -> str:
    """Return ``text`` encrypted and authenticated, as ASCII that a column can hold."""
    return _keys().encrypt(text.encode()).decode("ascii")


def unseal(text: str) -> str:
    """
    Return what was sealed.

    :raises SealBroken: if none of the keys opens it.
    """
    try:
        return _keys().decrypt(text.encode()).decode()
    except InvalidToken:
        raise SealBroken("None of SECRETS_KEYS opens it.") from None


def is_sealing_key(key: str) -> bool:
    """Tell whether ``key`` is one that can seal."""
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def _keys() -> MultiFernet:
    # Made anew each time: making it costs microseconds, and a setting may change in a test.
    return MultiFernet([Fernet(key) for key in settings.SECRETS_KEYS])
