"""The express way: as much of DRF as a command needs that comes thousands of times a second."""

from typing import IO, Any, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.parsers import StrictJSONParser
from core.api.views import WindfallView

#: How nearly everybody says that a body is JSON.
_MEDIA_TYPES = {"application/json", "application/json; charset=utf-8"}


class ExpressRequest:
    """As much of DRF's request as keys, scopes, limits and commands look at."""

    __slots__ = ("META", "_body", "_request", "auth", "method", "path")

    #: DRF asks whether nobody at all has authenticated; somebody has, or we are not here.
    authenticators = ()

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.META = request.META
        self.method = request.method
        self.path = request.path
        self.auth: Any = None
        self._body: list[Any] = []

    @property
    def data(self) -> Any:
        """The parsed body; parsed when it is first asked for, which is after every refusal."""
        if not self._body:
            # A request is a stream of its body; DRF hands it to parsers just so.
            self._body.append(StrictJSONParser().parse(cast("IO[bytes]", self._request)))
        return self._body[0]


class ExpressView(WindfallView):
    """
    One path of the API, for commands that come thousands of times a second.

    A POST of JSON goes the express way: the same keys, scopes, limits, parser, handler and
    problem documents, in the same order, without what DRF does for other media types, forms
    and versions. Anything else goes the general way (docs/adr/0011).
    """

    _renderer: BaseRenderer
    _headers: dict[str, str]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view function; what is the same for every request is made here, once."""
        cls._renderer = cls.renderer_classes[0]()
        cls._headers = cls(**initkwargs).default_response_headers
        return super().as_view(**initkwargs)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer a request, by the express way if it is one for it."""
        if not _is_plain(request):
            return super().dispatch(request, *args, **kwargs)
        self.args, self.kwargs = args, kwargs
        express: Any = ExpressRequest(request)
        self.request = express
        self.headers = self._headers
        response: HttpResponseBase
        try:
            self._admit(express)
            response = self.post(express, *args, **kwargs)  # type: ignore[attr-defined]
        except Exception as error:  # noqa: BLE001
            # As in DRF: it becomes a problem document here, or is raised again.
            response = self.handle_exception(error)
        if isinstance(response, Response):
            response.accepted_renderer = self._renderer
            response.accepted_media_type = self._renderer.media_type
            response.renderer_context = self.get_renderer_context()  # type: ignore[attr-defined]
        for name, value in self.headers.items():
            response[name] = value
        return response

    def _admit(self, request: Request) -> None:
        (authenticator,) = self.get_authenticators()
        found = authenticator.authenticate(request)
        assert found is not None, "an authenticator that lets strangers pass"
        request.auth = found[1]
        self.check_permissions(request)
        self.check_throttles(request)


def _is_plain(request: HttpRequest) -> bool:
    meta = request.META
    return (
        request.method == "POST"
        and meta.get("CONTENT_TYPE") in _MEDIA_TYPES
        and meta.get("CONTENT_LENGTH", "").isdecimal()
        and meta["CONTENT_LENGTH"] != "0"
        # The body is still to be read.
        and not request._read_started  # type: ignore[attr-defined]
    )
