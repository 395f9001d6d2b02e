"""What a request is bound to, and how much one person may do alone unless told otherwise."""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

#: What holds for an operator that has set nothing, in its base currency.
CLAWBACK_ABOVE = Decimal(500)
MANUAL_GRANT_ABOVE = Decimal(500)
VALID_HOURS = 72
#: A month: what nobody has decided by then is asked for again.
VALID_HOURS_MAX = 720


def fingerprint_of(
    *,
    kind: str,
    operator_id: int,
    subject_type: str,
    subject_id: str,
    payload: Mapping[str, Any],
) -> str:
    """
    Return the SHA-256 of what would be done, in hex: another word of it, another fingerprint.

    The payload holds text, whole numbers, yes or no, lists and objects. Amounts are text: a
    floating-point number would not survive being stored.
    """
    assert is_canonical(payload), payload
    bound = {
        "kind": kind,
        "operator": operator_id,
        "payload": payload,
        "subject": [subject_type, subject_id],
    }
    text = json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def is_canonical(value: Any) -> bool:
    """Tell whether the value comes out of the database as it went in."""
    match value:
        case Mapping():
            return all(isinstance(key, str) and is_canonical(value[key]) for key in value)
        case list() | tuple():
            return all(map(is_canonical, value))
        case str() | int() | None:
            return True
        case _:
            return False
