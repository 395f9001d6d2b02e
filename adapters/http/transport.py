"""
One request to a stranger: bounded in time, in size, and in where it goes.

The deadline is one for the whole exchange: every wait of the socket gets what is left of it,
so that a platform that sends a byte a second is given up as soon as one that sends nothing.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from ssl import SSLContext
from typing import Any

import httpcore2
import httpx2

from adapters.http import guard

ANSWER_BYTES_MAX = 256 * 1024


class NoAnswer(Exception):
    """The platform was not reached, or was not done in time."""


class AnswerTooLarge(Exception):
    """The platform answered more than anybody needs."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as it came."""

    status: int
    media_type: str
    body: bytes


class Deadline:
    """The instant at which an exchange is over, whatever it is doing."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends_at = time.monotonic() + seconds

    def left_s(self) -> float:
        """
        Return how many seconds are left.

        :raises NoAnswer: if none are.
        """
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise NoAnswer(f"The platform did not answer within {self.seconds:g} s.")
        return left


def exchange(
    method: str,
    base_url: str,
    path: str,
    *,
    headers: dict[str, str],
    body: bytes,
    deadline: Deadline,
) -> Answer:
    """
    Send one request and return its answer. Redirects are answers like any other.

    :raises AddressRefused: if the address is not one that we connect to.
    :raises NoAnswer: if the platform was not reached, or was not done by the deadline.
    :raises AnswerTooLarge: if the answer has more than ANSWER_BYTES_MAX bytes.
    """
    url = guard.check_address(base_url).url + path
    # The environment's proxies would see to the resolving, and the pin would be gone.
    client = httpx2.Client(
        transport=_PinnedTransport(deadline), trust_env=False, follow_redirects=False
    )
    with (
        _network_errors(deadline),
        client,
        client.stream(method, url, headers=headers, content=body or None, timeout=None) as response,
    ):
        return Answer(
            status=response.status_code,
            media_type=response.headers.get("content-type", "").partition(";")[0].strip().lower(),
            body=_read(response),
        )


@cache
def tls_context() -> SSLContext:
    """Return how platforms prove who they are: by the system's authorities."""
    return httpx2.create_ssl_context(trust_env=False)


def _read(response: httpx2.Response) -> bytes:
    # Raw: we ask for no compression, and a bomb must not go off here.
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise AnswerTooLarge(f"The answer has more than {ANSWER_BYTES_MAX} bytes.")
    return bytes(body)


@contextmanager
def _network_errors(deadline: Deadline) -> Iterator[None]:
    try:
        yield
    except guard.NameNotResolved as error:
        raise NoAnswer(str(error)) from error
    except (httpcore2.TimeoutException, httpx2.TimeoutException) as error:
        raise NoAnswer(f"The platform did not answer within {deadline.seconds:g} s.") from error
    except (
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpx2.HTTPError,
        httpx2.StreamError,
        httpx2.InvalidURL,
    ) as error:
        raise NoAnswer(f"The connection failed ({type(error).__name__}).") from error


class _PinnedTransport(httpx2.BaseTransport):
    """httpx2's own transport, but for the network below it."""

    def __init__(self, deadline: Deadline) -> None:
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls_context(),
            max_connections=1,
            max_keepalive_connections=0,
            network_backend=_PinnedBackend(deadline),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self._pool.handle_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        assert isinstance(answer.stream, Iterable), "a synchronous pool streams synchronously"
        return httpx2.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_AnswerStream(answer.stream),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._pool.close()


class _AnswerStream(httpx2.SyncByteStream):
    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks

    def close(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()


class _PinnedBackend(httpcore2.NetworkBackend):
    """Connects to what the guard has looked at. Host header and SNI keep the name."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore2.NetworkStream:
        addresses = guard.resolve_public(host, port, timeout_s=self._deadline.left_s())
        failure: Exception = httpcore2.ConnectError("There was no address to connect to.")
        for address in addresses:
            try:
                stream = self._sockets.connect_tcp(address, port, timeout=self._deadline.left_s())
            except httpcore2.ConnectError as error:
                failure = error
            else:
                return _DeadlineStream(stream, self._deadline)
        raise failure


class _DeadlineStream(httpcore2.NetworkStream):
    """A connection whose every wait ends at the deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=self._deadline.left_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=self._deadline.left_s())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        secured = self._stream.start_tls(
            ssl_context, server_hostname, timeout=self._deadline.left_s()
        )
        return _DeadlineStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
