"""docs/adapters.md: the adapter that it writes keeps the contract, word for word."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import pytest

from bonuses.ports import PlatformRejected, PlatformUnavailable
from jackpots.ports import PayoutUnavailable
from tests.adapters.contract import AdapterContract, Case
from tests.adapters.orders import order, payout
from tests.docs.tour import modules_of
from tests.embedded.standin import ROOT

PAGE = ROOT / "docs/adapters.md"
MODULES = modules_of(PAGE, heading="Writing an adapter")


class Acme:
    """Acme: credits and payouts by our reference, and whatever a test has it answer instead."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, str]] = {}
        self.instead: tuple[int, bytes] | None = None
        acme = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, body = acme.instead or acme.answer(self.command, self.path, self.headers)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_PUT = do_POST = do_GET  # noqa: N815

            def log_message(self, *_words: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def answer(self, command: str, path: str, headers: Any) -> tuple[int, bytes]:
        if headers["Authorization"] != "Bearer t":
            return 401, b'{"reason": "TOKEN"}'
        kind, name, *verb = [unquote(part) for part in path.split("/")[1:]]
        if command == "PUT":
            made = {"id": f"{kind}/{len(self.known)}", "state": "open"}
            return 201, json.dumps(self.known.setdefault(name, made)).encode()
        found = next((one for key, one in self.known.items() if name in (key, one["id"])), None)
        if found is None:
            return 404, b""
        if verb == ["void"]:
            found["state"] = "void"
        return 200, json.dumps(found).encode()


@pytest.fixture(scope="module")
def package() -> Iterator[dict[str, ModuleType]]:
    """The modules of the page, importable under the names that it gives them."""
    made: dict[str, ModuleType] = {"adapters.acme": ModuleType("adapters.acme")}
    sys.modules["adapters.acme"] = made["adapters.acme"]
    for path, text in MODULES.items():
        name = path.removesuffix(".py").replace("/", ".")
        module = made[name] = sys.modules[name] = ModuleType(name)
        exec(compile(text, path, "exec"), module.__dict__)
        parent, _dot, child = name.rpartition(".")
        if parent in made:
            setattr(made[parent], child, module)
    yield made
    for name in made:
        del sys.modules[name]


@pytest.fixture
def acme(settings: Any) -> Iterator[Acme]:
    platform = Acme()
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
    thread = threading.Thread(target=platform.server.serve_forever, args=(0.05,))
    thread.start()
    yield platform
    platform.server.shutdown()
    thread.join()
    platform.server.server_close()


@pytest.fixture
def adapter(package: dict[str, ModuleType], acme: Acme) -> Any:
    url = f"http://127.0.0.1:{acme.server.server_address[1]}"
    return package["adapters.acme.adapter"].AcmeAdapter(slug="acme", base_url=url, token="t")


class TestAcmeAdapter(AdapterContract):
    """Behind it is a fake of Acme."""

    @pytest.fixture
    def case(self, adapter: Any) -> Case:
        return Case(adapter)


def test_the_page_shows_the_words_the_adapter_and_the_tests() -> None:
    assert list(MODULES) == [
        "adapters/acme/mapping.py",
        "adapters/acme/adapter.py",
        "tests/adapters/test_acme.py",
    ]


def test_its_tests_are_the_contract(package: dict[str, ModuleType]) -> None:
    tests = package["tests.adapters.test_acme"]

    assert issubclass(tests.TestAcmeAdapter, AdapterContract)


@pytest.mark.parametrize(
    "instead",
    [
        (500, b""),
        (302, b""),
        (429, b""),
        (200, b"<html>"),
        (204, b""),
        (201, b'{"id": ""}'),
        (201, b'{"id": "C-1", "state": "dancing"}'),
        (201, b"[]"),
    ],
)
def test_what_cannot_be_made_sense_of_is_no_success(
    acme: Acme, adapter: Any, instead: tuple[int, bytes]
) -> None:
    acme.instead = instead

    with pytest.raises(PlatformUnavailable):
        adapter.grant_bonus(order())


def test_a_payout_that_is_not_known_is_unavailable(acme: Acme, adapter: Any) -> None:
    acme.instead = (500, b"")

    with pytest.raises(PayoutUnavailable):
        adapter.pay_out(payout())


@pytest.mark.parametrize(
    ("instead", "code"),
    [((422, b'{"reason": "NO_SUCH_CUSTOMER"}'), "NO_SUCH_CUSTOMER"), ((400, b"?"), "HTTP_400")],
)
def test_a_refusal_has_its_code(
    acme: Acme, adapter: Any, instead: tuple[int, bytes], code: str
) -> None:
    acme.instead = instead

    with pytest.raises(PlatformRejected) as refused:
        adapter.grant_bonus(order())

    assert refused.value.code == code


def test_the_token_is_not_shown(adapter: Any) -> None:
    assert "token" not in repr(adapter)
