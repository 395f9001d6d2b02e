"""What no page may do while somebody uses it, and what is noticed when one does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

NETWORK_SCHEMES = ("http", "https", "ws", "wss", "ftp")
#: What Chromium says of a response that is noticed here by itself, with its status.
SAID_OF_RESPONSES = "Failed to load resource"


@dataclass(frozen=True)
class Remark:
    """Something that a page of others says in the console, and why that is let be."""

    page: str
    text: str
    reason: str


#: Every message of the console that is let be. Ours are not.
EXCUSED: tuple[Remark, ...] = ()


class Watch:
    """
    Notices what the windows of a person do: errors, warnings, refusals, and going elsewhere.

    A violation of the Content-Security-Policy is an error in the console.
    """

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.findings: list[str] = []
        self._host = urlsplit(origin).netloc
        self._expected: set[int] = set()
        context.on("console", self._hear)
        context.on("weberror", self._catch)
        context.on("request", self._look_at_request)
        context.on("response", self._look_at_response)
        context.on("requestfailed", self._look_at_failure)

    def take(self) -> list[str]:
        """Return what was noticed since the last time."""
        found, self.findings = self.findings, []
        return found

    @contextmanager
    def expecting(self, *statuses: int) -> Iterator[None]:
        """Let pages answer with one of these statuses: a refusal that the test asks for."""
        self._expected = set(statuses)
        try:
            yield
        finally:
            self._expected = set()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning") or message.text.startswith(SAID_OF_RESPONSES):
            return
        address = message.page.url if message.page is not None else ""
        if any(each.page in address and each.text in message.text for each in EXCUSED):
            return
        self.findings.append(f"console {message.type} at {address}: {message.text}")

    def _catch(self, error: WebError) -> None:
        address = error.page.url if error.page is not None else ""
        self.findings.append(f"page error at {address}: {error.error}")

    def _look_at_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in NETWORK_SCHEMES and parts.netloc != self._host:
            self.findings.append(f"request to another host: {request.url}")

    def _look_at_response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self._expected:
            self.findings.append(f"{response.request.method} {response.url}: {response.status}")

    def _look_at_failure(self, request: Request) -> None:
        # What a page still waits for when somebody leaves it is aborted: that is no failure.
        if request.failure and "ERR_ABORTED" not in request.failure:
            self.findings.append(f"{request.url}: {request.failure}")
