"""
A call goes to the address that was looked at, and nowhere else (S11, at connect).

With TLS, the certificate must be the name's: the pin changes where the bytes go, not whom
they are for.
"""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.http import guard, transport
from adapters.http.transport import Answer, Deadline, NoAnswer, exchange
from bonuses.ports import PlatformUnavailable
from tests.adapters.fake_platform import FakePlatform
from tests.adapters.orders import adapter_of, order

NAME = "platform.example.com"


@pytest.fixture
def platform(settings: Any) -> Iterator[FakePlatform]:
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
    with FakePlatform() as running:
        yield running


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What a name resolves to: each look-up takes the next list, and the last one stays."""
    answers: list[list[str]] = []
    look_up = socket.getaddrinfo

    def answer(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        if host[0].isdigit():
            # Not a name: whoever connects to it is not resolving again.
            return look_up(host, port, *args, **kwargs)
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(None, None, None, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return answers


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every address that somebody connects to."""
    seen: list[tuple[str, int]] = []
    connect = socket.create_connection

    def record(address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
        seen.append(address)
        return connect(address, *args, **kwargs)

    monkeypatch.setattr(socket, "create_connection", record)
    return seen


def test_a_name_that_turns_private_is_refused_at_connect(
    platform: FakePlatform, resolver: list[list[str]], connected: list[tuple[str, int]]
) -> None:
    # It was public when it was saved.
    resolver.append(["127.0.0.1"])

    with pytest.raises(PlatformUnavailable) as failed:
        adapter_of(platform, base_url=f"https://{NAME}").grant_bonus(order())

    assert "refused" in failed.value.detail
    assert connected == []
    assert platform.requests == []


def test_control_without_the_look_at_connect_it_would_be_reached(
    resolver: list[list[str]],
    connected: list[tuple[str, int]],
    platform: FakePlatform,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolver.append(["127.0.0.1"])
    monkeypatch.setattr(guard, "is_public", lambda _address: True)

    with pytest.raises(PlatformUnavailable):
        adapter_of(platform, base_url=f"https://{NAME}").grant_bonus(order())

    assert connected == [("127.0.0.1", 443)]


def test_a_name_that_flips_between_two_looks_gains_nothing(
    settings: Any,
    platform: FakePlatform,
    resolver: list[list[str]],
    connected: list[tuple[str, int]],
) -> None:
    # Whoever resolves twice, to look and then to connect, would be led to the second.
    settings.ADAPTER_ALLOWED_HOSTS = [NAME]
    resolver.extend([["127.0.0.1"], ["127.0.0.99"]])

    adapter_of(platform, base_url=f"http://{NAME}:{platform.port}").grant_bonus(order())

    assert connected == [("127.0.0.1", platform.port)]
    assert platform.requests[0].header("Host") == f"{NAME}:{platform.port}"


def test_a_dead_address_is_passed_over_for_the_next(
    settings: Any,
    platform: FakePlatform,
    resolver: list[list[str]],
    connected: list[tuple[str, int]],
) -> None:
    settings.ADAPTER_ALLOWED_HOSTS = [NAME]
    resolver.append(["127.0.0.99", "127.0.0.1"])

    adapter_of(platform, base_url=f"http://{NAME}:{platform.port}").grant_bonus(order())

    assert [host for host, _port in connected] == ["127.0.0.99", "127.0.0.1"]


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:1", "https://127.0.0.1", "https://[::1]", "http://10.0.0.1"]
)
def test_an_address_that_is_no_longer_listed_is_refused(
    settings: Any,
    platform: FakePlatform,
    connected: list[tuple[str, int]],
    base_url: str,
) -> None:
    settings.ADAPTER_ALLOWED_HOSTS = []

    with pytest.raises(PlatformUnavailable) as failed:
        adapter_of(platform, base_url=base_url).grant_bonus(order())

    assert "refused" in failed.value.detail
    assert connected == []


def test_proxies_of_the_environment_are_not_used(
    platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    adapter_of(platform).grant_bonus(order())

    assert len(platform.requests) == 1


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for NAME, that our side trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "platform.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    trusting = ssl.create_default_context(cafile=str(file))
    monkeypatch.setattr(transport, "tls_context", lambda: trusting)
    return file


@pytest.fixture
def secured(authority: Path) -> Iterator[tuple[FakePlatform, list[str | None]]]:
    """A platform behind TLS, and the names that clients asked it for."""
    names: list[str | None] = []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority)
    tls.sni_callback = lambda _socket, name, _context: names.append(name)  # type: ignore[assignment]
    with FakePlatform(tls=tls) as running:
        yield running, names


def test_the_certificate_is_the_names_although_the_address_is_pinned(
    settings: Any,
    secured: tuple[FakePlatform, list[str | None]],
    resolver: list[list[str]],
    connected: list[tuple[str, int]],
) -> None:
    platform, names = secured
    settings.ADAPTER_ALLOWED_HOSTS = [NAME]
    resolver.append(["127.0.0.1"])

    granted = adapter_of(platform, base_url=f"https://{NAME}:{platform.port}", deadline_s=5.0)

    assert granted.grant_bonus(order()).platform_bonus_id == "pb/1"
    assert names == [NAME]
    assert connected == [("127.0.0.1", platform.port)]


def test_another_names_certificate_is_refused(
    settings: Any, secured: tuple[FakePlatform, list[str | None]], resolver: list[list[str]]
) -> None:
    platform, _names = secured
    settings.ADAPTER_ALLOWED_HOSTS = ["other.example.com"]
    resolver.append(["127.0.0.1"])

    with pytest.raises(PlatformUnavailable):
        adapter_of(platform, base_url=f"https://other.example.com:{platform.port}").grant_bonus(
            order()
        )
    assert platform.requests == []


def test_nobodys_certificate_is_refused_by_default() -> None:
    context = transport.tls_context()

    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


def test_a_deadline_that_is_over_sends_nothing(platform: FakePlatform) -> None:
    with pytest.raises(NoAnswer):
        exchange("GET", platform.url, "/v1/x", headers={}, body=b"", deadline=Deadline(0))

    assert platform.requests == []


def test_an_answer_up_to_the_cap_is_read_whole(platform: FakePlatform) -> None:
    def ask(size: int) -> Answer:
        platform.answer = b" " * size
        headers = adapter_of(platform)._signature(b"")
        return exchange(
            "GET", platform.url, "/v1/x", headers=headers, body=b"", deadline=Deadline(5)
        )

    platform.mode, platform.status = "answer", 200

    assert len(ask(transport.ANSWER_BYTES_MAX).body) == 256 * 1024
    with pytest.raises(transport.AnswerTooLarge):
        ask(transport.ANSWER_BYTES_MAX + 1)
