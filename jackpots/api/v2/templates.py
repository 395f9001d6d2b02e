"""Answers that differ in nothing but ids: written once, and filled in."""

from typing import Any
from uuid import uuid4

import msgspec

#: Stands for an id in a template; nobody else can have written it into a name.
MARK = uuid4().hex

_encode = msgspec.json.Encoder().encode


def template_of(body: Any) -> str:
    """Return a body of plain values as JSON, with ``%s`` for each MARK."""
    return _encode(body).decode().replace("%", "%%").replace(MARK, "%s")
