"""The API speaks JSON, whatever a client says it would rather have."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AlwaysJSON(DefaultContentNegotiation):
    """Pick the parser by the body's type, and the first renderer always."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> Any:
        # Nearly every body names the type just so, and comparing types takes its time.
        for parser in parsers:
            if request.content_type == parser.media_type:
                return parser
        return super().select_parser(request, parsers)

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> Any:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
