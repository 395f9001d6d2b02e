"""
What of the audit trail is personal data, and how it looks to whoever may not see it.

Numbers, instants and ids of our own say nothing about a person; of text only what is known
to be a word of ours is shown. So whatever is added to the trail tomorrow is masked until
somebody lists it here.
"""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

#: Names an operator's player, or somebody else, whatever it looks like.
PERSONAL_KEYS = re.compile(
    r"player(_id|_reference)?|(from|to)_player(_id)?|recipient|reference|references|username"
    r"|(first|last|full)_name|e?_?mail|ip(_address)?|address|phone|user_agent|affiliate_code"
)
#: Text under these names is a word of ours, or the name of something that is no person.
PLAIN_KEYS = re.compile(
    r"(\w+_)?(status|currency|type|kind|cause|scope|scopes|slug|code|codes|topic|topics|zone)"
    r"|name|pot|pots|template|adapter|label|prefix|recurrence|pattern|commitment|report"
    r"|permissions|groups|drop|basis|category|pause_reason_code"
)

#: Makes a name of a value that says nothing about it, the same one each time.
Pseudonym = Callable[[str], str]


def mask_payload(payload: Any, *, pseudonym: Pseudonym, key: str = "") -> Any:
    """Return what an audit entry recorded, with whatever may be personal masked."""
    match payload:
        case dict():
            return {
                name: mask_payload(value, pseudonym=pseudonym, key=_named(name, key))
                for name, value in payload.items()
            }
        case list():
            return [mask_payload(value, pseudonym=pseudonym, key=key) for value in payload]
        case str() if payload and not _is_plain(payload, key):
            return pseudonym(payload)
        case bool() | None:
            return payload
        case int() | float() if PERSONAL_KEYS.fullmatch(key):
            return pseudonym(str(payload))
        case _:
            return payload


def _named(name: str, within: str) -> str:
    """Return the name that decides: what is inside something personal is personal."""
    return within if PERSONAL_KEYS.fullmatch(within) else name


def _is_plain(text: str, key: str) -> bool:
    if PERSONAL_KEYS.fullmatch(key):
        return False
    return PLAIN_KEYS.fullmatch(key) is not None or _says_nothing(text)


def _says_nothing(text: str) -> bool:
    """Tell whether the text is a number, an instant, or an id of ours."""
    for read in (UUID, datetime.fromisoformat, Decimal):
        try:
            read(text)
        except (ValueError, InvalidOperation):
            continue
        return True
    return False
