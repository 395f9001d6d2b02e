"""Secrets are sealed with the first key, opened with any, and never readable as they lie."""

from typing import Any

import pytest
from cryptography.fernet import Fernet

from core.sealing import SealBroken, seal, unseal

SECRET = "whsec_" + "c2VjcmV0" * 4


def test_what_is_sealed_is_opened_again() -> None:
    assert unseal(seal(SECRET)) == SECRET


def test_the_seal_shows_nothing_and_is_never_the_same() -> None:
    first, second = seal(SECRET), seal(SECRET)

    assert SECRET not in first
    assert "c2VjcmV0" not in first
    assert first != second


def test_an_older_key_still_opens_and_the_newer_one_seals(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.SECRETS_KEYS = [old]
    sealed_before = seal(SECRET)

    settings.SECRETS_KEYS = [new, old]
    sealed_after = seal(SECRET)

    assert unseal(sealed_before) == SECRET
    settings.SECRETS_KEYS = [new]
    assert unseal(sealed_after) == SECRET
    with pytest.raises(SealBroken):
        unseal(sealed_before)


@pytest.mark.parametrize("position", [0, 20, -2])
def test_an_altered_seal_is_not_opened(position: int) -> None:
    sealed = list(seal(SECRET))
    sealed[position] = "A" if sealed[position] != "A" else "B"

    with pytest.raises(SealBroken):
        unseal("".join(sealed))
