"""Answers of hot paths: JSON, made without a renderer."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.http import HttpResponse

_encode = msgspec.json.Encoder().encode


def json_response(
    body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Return the bytes that DRF's renderer would make of a body of plain values."""
    return raw_json_response(_encode(body), status=status, headers=headers)


def raw_json_response(
    body: bytes | str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Return JSON that is written already."""
    return HttpResponse(body, status=status, headers=headers, content_type="application/json")
