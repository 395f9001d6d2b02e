"""
A casino platform that can be told to misbehave, in a thread of the test.

It keeps the bonuses it granted, checks every signature, and remembers every request. What it
does wrong is a mode: a name of MODES, set on ``mode``.
"""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any
from urllib.parse import unquote

from adapters.errors import WebhookSignatureInvalid
from adapters.http.signing import make_secret, verify


@dataclass(frozen=True)
class Recorded:
    """One request, as it came."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        [value] = [value for key, value in self.headers if key.lower() == name.lower()]
        return value

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class FakePlatform:
    """
    The server. ``mode`` says how it answers, ``status`` with which status where it may be any,
    ``answer`` with which body; ``pause_s`` is how long it dawdles between two bytes.
    """

    def __init__(self, *, tls: SSLContext | None = None) -> None:
        self.secrets = [make_secret()]
        self.mode = "ok"
        self.status = 400
        self.pause_s = 0.2
        self.answer: Any = None
        self.requests: list[Recorded] = []
        self.bonuses: dict[str, dict[str, Any]] = {}
        self.payouts: dict[str, str] = {}
        self.released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.scheme = "http" if tls is None else "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def keys(self) -> list[str]:
        """Every Idempotency-Key that came, in order."""
        return [request.header("Idempotency-Key") for request in self.requests]

    def __enter__(self) -> "FakePlatform":
        self._thread.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                platform._serve(self)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_words: object) -> None:
                """Say nothing."""

        return Handler

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.requests.append(
            Recorded(handler.command, handler.path, list(handler.headers.items()), body)
        )
        try:
            verify(self.secrets, handler.headers, body, datetime.now(UTC))  # type: ignore[arg-type]
        except WebhookSignatureInvalid:
            send(handler, 401, {"code": "BAD_SIGNATURE"})
            return
        MODES[self.mode](self, handler, body)

    def grant(self, body: bytes) -> dict[str, Any]:
        """Grant what is asked for, once for each grant_id."""
        asked = json.loads(body)
        return self.bonuses.setdefault(
            asked["grant_id"],
            {"platform_bonus_id": f"pb/{len(self.bonuses) + 1}", "status": "pending"},
        )

    def pay(self, body: bytes) -> dict[str, Any]:
        """Pay what is asked for, once for each payout_id."""
        payout_id = json.loads(body)["payout_id"]
        known = self.payouts.setdefault(payout_id, f"po/{len(self.payouts) + 1}")
        return {"platform_payout_id": known}

    def find(self, path: str) -> dict[str, Any] | None:
        """Return the bonus with that id, or of that grant."""
        wanted = unquote(path.rpartition("/")[2])
        for grant_id, bonus in self.bonuses.items():
            if wanted in (grant_id, bonus["platform_bonus_id"]):
                return {
                    **bonus,
                    "wagered_amount_subunit": 1234,
                    "weighted_progress_subunit": 617,
                    "reason": None,
                    "ts": "2026-03-29T00:59:00Z",
                }
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A client that hangs up in the middle is what several modes are about.
    handle_error = lambda *_: None  # type: ignore[assignment]  # noqa: E731


def send(
    handler: BaseHTTPRequestHandler, status: int, body: Any, media_type: str = "application/json"
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", media_type)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


Mode = Callable[[FakePlatform, BaseHTTPRequestHandler, bytes], None]


def _ok(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    if handler.command == "GET":
        found = platform.find(handler.path)
        send(handler, 200, found) if found else send(handler, 404, {"code": "UNKNOWN_BONUS"})
    elif handler.path.endswith("/payouts"):
        send(handler, 201, platform.pay(body))
    elif handler.path.endswith("/grant"):
        send(handler, 201, platform.grant(body))
    else:
        platform.bonuses[json.loads(body)["grant_id"]]["status"] = "cancelled"
        send(handler, 200, {"status": "cancelled"})


def _refuse(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    send(handler, platform.status, {"code": "PLAYER_UNKNOWN", "detail": "No such player."})


def _answer(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    answer = platform.answer
    send(handler, platform.status, answer(body) if callable(answer) else answer)


def _html(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    send(handler, 200, b"<html><script>alert(1)</script></html>", "text/html")


def _nothing(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(204)
    handler.end_headers()


def _hang(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    platform.released.wait(30)


def _grant_then_hang(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    platform.grant(body)
    platform.released.wait(30)


def _drip(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    answer = json.dumps(platform.grant(body)).encode()
    handler.send_response(201)
    handler.send_header("Content-Length", str(len(answer)))
    handler.end_headers()
    _slowly(platform, handler, answer)


def _drip_headers(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    _slowly(platform, handler, b"HTTP/1.1 201 Created\r\nX-Slow: " + b"x" * 100)


def _slowly(platform: FakePlatform, handler: BaseHTTPRequestHandler, content: bytes) -> None:
    for position in range(len(content)):
        handler.wfile.write(content[position : position + 1])
        handler.wfile.flush()
        if platform.released.wait(platform.pause_s):
            return


def _reset(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    platform.grant(body)
    handler.wfile.write(b'HTTP/1.1 201 Created\r\nContent-Length: 90\r\n\r\n{"platform')
    handler.wfile.flush()
    # Closing with a zero linger is a reset.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def _truncated(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.wfile.write(b'HTTP/1.1 201 Created\r\nContent-Length: 90\r\n\r\n{"platform')
    handler.close_connection = True


def _garbage(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.wfile.write(b"\x00\xff not HTTP at all \r\n\r\n")
    handler.close_connection = True


def _huge(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(1_000_000_000))
    handler.end_headers()
    chunk = b" " * 65536
    while not platform.released.is_set():
        handler.wfile.write(chunk)
        time.sleep(0.001)


def _bomb(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    # A gzip header, though nobody asked for one: it is not to be unpacked.
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.send_header("Content-Length", "10")
    handler.end_headers()
    handler.wfile.write(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")


def _redirect(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(307)
    handler.send_header("Location", f"{platform.url}/elsewhere")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def _duplicate(platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes) -> None:
    if handler.command == "GET":
        _ok(platform, handler, body)
        return
    if handler.path.endswith("/payouts"):
        send(handler, 409, {"error": {"code": "DUPLICATE_PAYOUT", **platform.pay(body)}})
        return
    known = platform.grant(body)["platform_bonus_id"]
    send(handler, 409, {"error": {"code": "DUPLICATE_GRANT", "platform_bonus_id": known}})


def _duplicate_unnamed(
    platform: FakePlatform, handler: BaseHTTPRequestHandler, body: bytes
) -> None:
    if handler.command == "GET":
        _ok(platform, handler, body)
        return
    if handler.path.endswith("/payouts"):
        platform.pay(body)
        send(handler, 409, {"code": "DUPLICATE_PAYOUT"})
        return
    platform.grant(body)
    send(handler, 409, {"code": "DUPLICATE_GRANT"})


MODES: dict[str, Mode] = {
    "ok": _ok,
    "refuse": _refuse,
    "answer": _answer,
    "html": _html,
    "nothing": _nothing,
    "hang": _hang,
    "grant then hang": _grant_then_hang,
    "drip": _drip,
    "drip headers": _drip_headers,
    "reset": _reset,
    "truncated": _truncated,
    "garbage": _garbage,
    "huge": _huge,
    "bomb": _bomb,
    "redirect": _redirect,
    "duplicate": _duplicate,
    "duplicate unnamed": _duplicate_unnamed,
}
