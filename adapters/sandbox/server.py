"""The HTTP of the platform: requests in, answers out, and connections that misbehave."""

import json
import logging
import socket
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from adapters.sandbox.answers import Answer
from adapters.sandbox.control import Control
from adapters.sandbox.misbehaviour import (
    DRIP_INTERVAL_S,
    HANG_S,
    HUGE_MEGABYTES,
    Misbehaviour,
    Mode,
    disfigure,
)
from adapters.sandbox.platform import Platform, RecordedRequest, Request

logger = logging.getLogger(__name__)

BODY_MAX = 1_000_000
MEGABYTE = 1_000_000
IDLE_S = 60


class SandboxServer(ThreadingHTTPServer):
    """A platform that listens."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], platform: Platform) -> None:
        self.platform = platform
        self.control = Control(platform)
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, Handler)
        platform.start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Print what went wrong with one connection; that a client left is nothing."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @property
    def url(self) -> str:
        """The address to call it at."""
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: SandboxServer
    protocol_version = "HTTP/1.1"
    server_version = "windfall-sandbox"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_S

    def do_GET(self) -> None:
        """Answer a question."""
        self._respond()

    def do_POST(self) -> None:
        """Answer an order."""
        self._respond()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log one line for a request, in our own way."""

    def _respond(self) -> None:
        request = self._read()
        if request is None:
            return
        if request.path == "/sandbox" or request.path.startswith("/sandbox/"):
            self._write(self.server.control.answer(request))
            return
        platform = self.server.platform
        recorded = platform.record(request)
        misbehaviour = platform.misbehaviours.take_for_request(request.path)
        if misbehaviour is None:
            self._write(platform.answer(request), recorded)
        else:
            recorded.misbehaviour = misbehaviour.mode.value
            self._misbehave(request, misbehaviour, recorded)
        logger.info(
            "%s %s %s %s",
            request.method,
            request.path,
            recorded.status or "-",
            recorded.misbehaviour or "",
        )

    def _read(self) -> Request | None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > BODY_MAX:
            self.close_connection = True
            self._write(Answer(413, {"code": "BODY_TOO_LARGE", "message": "One megabyte."}))
            return None
        return Request(
            method=self.command,
            path=urlsplit(self.path).path,
            headers=headers,
            body=self.rfile.read(int(length)),
        )

    def _misbehave(
        self, request: Request, misbehaviour: Misbehaviour, recorded: RecordedRequest
    ) -> None:
        platform = self.server.platform
        forgets = misbehaviour.mode is Mode.FORGET and request.path == "/v1/bonuses/grant"
        right = platform.answer(request) if misbehaviour.is_done or forgets else None
        if forgets:
            # It knows nothing of bonuses that were; it can still make one.
            assert right is not None, "it was just asked for"
            self._write(right, recorded)
            return
        wrong = disfigure(misbehaviour, right, path=request.path)
        answer = wrong or right or Answer(200, {"platform_bonus_id": "sbx_nothing"})
        match misbehaviour.mode:
            case Mode.HANG:
                misbehaviour.ended.wait(float(misbehaviour.options.get("seconds", HANG_S)))
                self._drop()
            case Mode.LOST:
                self._drop()
            case Mode.RESET:
                self._drop(with_reset=True)
            case Mode.SLOW_DRIP:
                self._drip(answer, misbehaviour, recorded)
            case Mode.HUGE:
                self._flood(misbehaviour, recorded)
            case _:
                self._write(answer, recorded)

    def _head(self, answer: Answer, length: int, recorded: RecordedRequest | None) -> None:
        if recorded is not None:
            recorded.status = answer.status
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        if answer.status != 204:
            self.send_header("Content-Length", str(length))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _write(self, answer: Answer, recorded: RecordedRequest | None = None) -> None:
        body = answer.as_bytes()
        self._head(answer, len(body), recorded)
        self.wfile.write(body)
        self.wfile.flush()

    def _drop(self, *, with_reset: bool = False) -> None:
        """Close the connection without a word."""
        self.close_connection = True
        if with_reset:
            linger_for_no_time = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_no_time)
        # The server itself would first say goodbye properly; a reset does not.
        self.connection.close() if with_reset else self.connection.shutdown(socket.SHUT_RDWR)

    def _drip(self, answer: Answer, misbehaviour: Misbehaviour, recorded: RecordedRequest) -> None:
        """Write the right answer, a byte at a time, until nobody listens any more."""
        body = answer.as_bytes()
        interval_s = float(misbehaviour.options.get("interval_s", DRIP_INTERVAL_S))
        try:
            self._head(answer, len(body), recorded)
            for position in range(len(body)):
                self.wfile.write(body[position : position + 1])
                self.wfile.flush()
                misbehaviour.ended.wait(interval_s)
        except OSError:
            self.close_connection = True

    def _flood(self, misbehaviour: Misbehaviour, recorded: RecordedRequest) -> None:
        """Write valid JSON that does not want to end, until nobody listens any more."""
        megabytes = int(misbehaviour.options.get("megabytes", HUGE_MEGABYTES))
        opening = json.dumps({"platform_bonus_id": "sbx_huge", "status": "active"})[:-1]
        start, end = f'{opening}, "padding": "'.encode(), b'"}'
        filling = b"x" * MEGABYTE
        try:
            self._head(Answer(201, b""), len(start) + megabytes * MEGABYTE + len(end), recorded)
            self.wfile.write(start)
            for _ in range(megabytes):
                self.wfile.write(filling)
            self.wfile.write(end)
            self.wfile.flush()
        except OSError:
            self.close_connection = True
