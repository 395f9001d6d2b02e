"""A platform's address may lead to the open Internet, and nowhere else (S11, S12)."""

import socket
import threading
from typing import Any

import pytest

from adapters.http.guard import (
    AddressRefused,
    NameNotResolved,
    check_address,
    is_allowed,
    is_public,
    resolve_public,
)

PUBLIC = "93.184.216.34"


def resolving_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Make every name have these addresses, and return the list of names that are asked for."""
    asked: list[str] = []

    def answer(host: str, port: int, **_kwargs: Any) -> list[Any]:
        asked.append(host)
        return [(None, None, None, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://platform.example.com", "https://platform.example.com"),
        ("https://platform.example.com/", "https://platform.example.com"),
        ("https://platform.example.com/api/v2.1/", "https://platform.example.com/api/v2.1"),
        ("HTTPS://Platform.Example.COM:443/A", "https://platform.example.com:443/A"),
        (f"https://{PUBLIC}", f"https://{PUBLIC}"),
        ("https://[2606:4700::1111]/x", "https://[2606:4700::1111]/x"),
    ],
)
def test_a_public_https_address_is_taken(url: str, normal: str) -> None:
    assert check_address(url).url == normal


REFUSED = [
    # Not HTTPS, or not an address at all.
    "http://platform.example.com",
    "ftp://platform.example.com",
    "file:///etc/passwd",
    "gopher://platform.example.com",
    "//platform.example.com",
    "platform.example.com",
    "https://",
    "https:///x",
    "",
    # Ourselves and our neighbours.
    "https://127.0.0.1",
    "https://127.8.9.1",
    "https://[::1]",
    "https://0.0.0.0",
    "https://[::]",
    "https://10.0.0.1",
    "https://172.16.0.1",
    "https://192.168.1.1",
    "https://169.254.169.254",
    "https://100.64.0.1",
    "https://[fe80::1]",
    "https://[fc00::1]",
    "https://[fe80::1%25eth0]",
    "https://224.0.0.1",
    "https://255.255.255.255",
    "https://240.0.0.1",
    "https://[ff02::1]",
    # IPv4 in disguise.
    "https://[::ffff:127.0.0.1]",
    "https://[::ffff:7f00:1]",
    "https://[::ffff:93.184.216.34%25lo]",
    "https://[2002:7f00:1::]",
    "https://[64:ff9b::7f00:1]",
    "https://2130706433",
    "https://0x7f000001",
    "https://0x7f.1",
    "https://0177.0.0.1",
    "https://127.1",
    "https://127.0.0.1.",
    "https://１２７.0.0.1",
    # Names of private networks.
    "https://localhost",
    "https://LOCALHOST",
    "https://a.localhost",
    "https://postgres",
    "https://redis.internal",
    "https://printer.local",
    "https://localhost.",
    # What hides another host, or slips something into a header or a path.
    "https://user@platform.example.com",
    "https://user:password@platform.example.com",
    "https://@platform.example.com",
    "https://platform.example.com@127.0.0.1",
    "https://platform.example.com\\@127.0.0.1",
    "https://platform.example.com#@127.0.0.1",
    "https://platform.example.com/x?y=1",
    "https://platform.example.com/x?",
    "https://platform.example.com/#",
    "https://platform.example.com/\r\nX-Admin: 1",
    "https://platform.example.com\r\nHost: 127.0.0.1",
    "https://platform.example.com /",
    "https://platform.example.com/a b",
    "https://platform.example.com/../admin",
    "https://platform.example.com/x/..",
    "https://platform.example.com/.hidden",
    "https://platform.example.com//x",
    "https://platform.example.com/%2e%2e/admin",
    "https://plätform.example.com",
    "https://plätform.example.com",
    "https://under_score.example.com",
    "https://-dash.example.com",
    "https://a..example.com",
    "https://[platform.example.com]",
    "https://[::1",
    # Other ports.
    "https://platform.example.com:80",
    "https://platform.example.com:5432",
    "https://platform.example.com:8443",
    "https://platform.example.com:0",
    "https://platform.example.com:99999",
    "https://platform.example.com:x",
    "https://" + "a" * 500 + ".com",
]


@pytest.mark.parametrize("url", REFUSED)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(url)


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:9000"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("localhost", "http://localhost"),
        ("sandbox", "https://sandbox:8443/api"),
        ("::1", "http://[::1]:9000"),
        ("[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_a_listed_host_may_be_private_and_without_tls(
    settings: Any, allowed: str, url: str
) -> None:
    settings.ADAPTER_ALLOWED_HOSTS = [allowed]

    assert check_address(url).url == url


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("127.0.0.1:9000", "http://127.0.0.1:9001"),
        ("127.0.0.1", "http://127.0.0.2:9000"),
        ("127.0.0.1", "http://localhost:9000"),
        ("127.0.0.1", "http://2130706433:9000"),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]:9000"),
        ("localhost", "http://localhost.example.com"),
        ("sandbox", "http://user@sandbox"),
        ("sandbox", "http://sandbox/../admin"),
        ("sandbox", "ftp://sandbox"),
    ],
)
def test_a_listing_is_for_that_host_only_and_excuses_nothing_else(
    settings: Any, allowed: str, url: str
) -> None:
    settings.ADAPTER_ALLOWED_HOSTS = [allowed]

    with pytest.raises(AddressRefused):
        check_address(url)


def test_without_a_list_nothing_is_allowed(settings: Any) -> None:
    settings.ADAPTER_ALLOWED_HOSTS = []

    assert not is_allowed("127.0.0.1", 443)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (PUBLIC, True),
        ("2606:4700::1111", True),
        ("::ffff:93.184.216.34", True),
        ("::ffff:10.0.0.1", False),
        ("127.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("feff:ffff::1", False),
        ("3fff::1", False),
        ("3fff:fff:ffff::1", False),
        ("3ffe:ffff::1", True),
        ("192.0.2.1", False),
        ("no address", False),
    ],
)
def test_public_is_what_the_internet_routes(address: str, expected: bool) -> None:
    assert is_public(address) is expected


def test_a_name_with_public_addresses_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving_to(monkeypatch, PUBLIC, "2606:4700::1111", PUBLIC)

    found = resolve_public("platform.example.com", 443, timeout_s=1)

    assert found == [PUBLIC, "2606:4700::1111"]
    assert asked == ["platform.example.com"]


@pytest.mark.parametrize("private", ["127.0.0.1", "10.1.2.3", "::1", "169.254.169.254"])
def test_one_private_address_among_others_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch, private: str
) -> None:
    resolving_to(monkeypatch, PUBLIC, private)

    with pytest.raises(AddressRefused):
        resolve_public("platform.example.com", 443, timeout_s=1)


def test_another_port_is_refused_before_anything_is_resolved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = resolving_to(monkeypatch, PUBLIC)

    with pytest.raises(AddressRefused):
        resolve_public("platform.example.com", 5432, timeout_s=1)
    assert asked == []


def test_a_listed_name_may_have_a_private_address(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ADAPTER_ALLOWED_HOSTS = ["sandbox"]
    resolving_to(monkeypatch, "10.0.0.7")

    assert resolve_public("sandbox", 9000, timeout_s=1) == ["10.0.0.7"]


def test_a_name_without_an_address_is_said_to_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> Any:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(NameNotResolved):
        resolve_public("platform.example.com", 443, timeout_s=1)


def test_a_resolver_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over, names = threading.Event(), []

    def say_nothing(*_args: Any, **_kwargs: Any) -> Any:
        is_over.wait(timeout=60)
        names.append("found too late")
        return []

    monkeypatch.setattr(socket, "getaddrinfo", say_nothing)
    try:
        with pytest.raises(NameNotResolved):
            resolve_public("platform.example.com", 443, timeout_s=0.1)

        assert names == []
    finally:
        is_over.set()
