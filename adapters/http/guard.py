"""
Which addresses a platform may have: a guard against being sent to our own network.

Checked when an address is saved, and again when a connection is made: there the name is
resolved once, every address that it has is looked at, and the connection goes to what was
looked at. A name that points elsewhere a moment later gains nothing by it.

A host that ``ADAPTER_ALLOWED_HOSTS`` lists, as it stands in the address, may be private,
at any port (or at the listed one), and without TLS.
"""

import ipaddress
import queue
import re
import socket
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

HTTPS_PORT = 443

_PRINTABLE = re.compile(r"[!-~]{1,500}")
# Labels of letters, digits and dashes: no user, no line break, no escape gets through.
_NAME = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*")
# What the C library would read as a number: 2130706433, 0x7f000001, 127.1, 0177.0.0.1.
_NUMERIC_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_PRIVATE_ENDINGS = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa")
# IPv4 in disguise: what is behind these is not for us to judge.
_TRANSLATED = tuple(
    ipaddress.ip_network(network)
    for network in ("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48")
)
# What ``ipaddress`` takes for global, although nobody routes it: site-local addresses, which
# networks may still use inside, and those for documentation (RFC 9637).
_UNROUTED = tuple(ipaddress.ip_network(network) for network in ("fec0::/10", "3fff::/20"))


class AddressRefused(Exception):
    """The address is not one that we connect to."""


class NameNotResolved(Exception):
    """The name has no address, or none was found in time."""


@dataclass(frozen=True, slots=True)
class Address:
    """A platform's address, taken apart; ``url`` has no slash at its end."""

    url: str
    scheme: str
    host: str
    port: int


def check_address(url: str) -> Address:
    """
    Return the address of a platform, if it may be one by what it says; nothing is resolved.

    :raises AddressRefused: if it may not, with a sentence that says why.
    """
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise AddressRefused("It holds characters that an address cannot have.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("It is not an address such as https://platform.example.com.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AddressRefused("It is not an address such as https://platform.example.com.")
    if "@" in parts.netloc:
        raise AddressRefused("It must not name a user.")
    if "?" in url or "#" in url:
        raise AddressRefused("It must not have a query or a fragment.")
    path = parts.path.rstrip("/")
    if not _PATH.fullmatch(path):
        raise AddressRefused("Its path must be plain: letters, digits, dashes and single slashes.")
    host = parts.hostname.lower()
    if port is None:
        port = HTTPS_PORT if parts.scheme == "https" else 80
    _check_host(host)
    if not is_allowed(host, port):
        _check_stranger(parts.scheme, host, port)
    shown = f"[{host}]" if ":" in host else host
    # Only a port that was written is written again: 443 would be another signature's host.
    suffix = "" if parts.port is None else f":{port}"
    return Address(
        url=f"{parts.scheme}://{shown}{suffix}{path}", scheme=parts.scheme, host=host, port=port
    )


def is_allowed(host: str, port: int) -> bool:
    """Tell whether ``ADAPTER_ALLOWED_HOSTS`` lists the host, or the host with this port."""
    for entry in settings.ADAPTER_ALLOWED_HOSTS:
        listed = urlsplit(f"//{entry}" if entry.count(":") < 2 or "[" in entry else f"//[{entry}]")
        if listed.hostname == host and listed.port in (None, port):
            return True
    return False


def resolve_public(host: str, port: int, *, timeout_s: float) -> list[str]:
    """
    Return the addresses to connect to for ``host``: all it has, each one looked at.

    :raises AddressRefused: if it is not allow-listed and any of them is not public.
    :raises NameNotResolved: if it has none, or none was found within ``timeout_s``.
    """
    allowed = is_allowed(host, port)
    if not allowed and port != HTTPS_PORT:
        raise AddressRefused(f"Only port {HTTPS_PORT} may be used.")
    addresses = _resolve(host, port, timeout_s=timeout_s)
    if not allowed and not all(map(is_public, addresses)):
        raise AddressRefused("The host has an address that is not public.")
    return addresses


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the open Internet."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None or any(ip in network for network in (*_TRANSLATED, *_UNROUTED)):
            return False
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _check_host(host: str) -> None:
    if _is_ip(host):
        return
    if len(host) > 253 or not _NAME.fullmatch(host) or _NUMERIC_END.fullmatch(host):
        raise AddressRefused("Its host is neither a name nor a plain IP address.")


def _check_stranger(scheme: str, host: str, port: int) -> None:
    if scheme != "https":
        raise AddressRefused("It must begin with https://.")
    if port != HTTPS_PORT:
        raise AddressRefused(f"Only port {HTTPS_PORT} may be used.")
    if _is_ip(host):
        if not is_public(host):
            raise AddressRefused("The host is not public.")
    elif "." not in host or host.rpartition(".")[2] in _PRIVATE_ENDINGS:
        raise AddressRefused("The host is a name of a private network.")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _resolve(host: str, port: int, *, timeout_s: float) -> list[str]:
    # The C library's resolver has no deadline; a thread that it holds up is left behind.
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()
    threading.Thread(target=_ask_resolver, args=(host, port, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=max(timeout_s, 0))
    except queue.Empty:
        raise NameNotResolved(f"{host} was not resolved in time.") from None
    if isinstance(answer, OSError):
        raise NameNotResolved(f"{host} has no address.") from answer
    return answer


def _ask_resolver(host: str, port: int, answers: "queue.SimpleQueue[list[str] | OSError]") -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        answers.put(list(dict.fromkeys(str(each[4][0]) for each in found)))
    except (OSError, UnicodeError) as error:
        answers.put(error if isinstance(error, OSError) else OSError(str(error)))
