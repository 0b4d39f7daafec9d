"""Where a result URL may lead: strict URL reading, one resolution, public addresses only.

Pure but for DNS.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from generations.providers.base import DownloadError

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>[/?][!-\[\]-~]*)?",
    # ASCII: else "ı" and "K" would pass for "i" and "k".
    re.IGNORECASE | re.ASCII,
)
_URL_CAP = 8192
_PORTS = {"http": 80, "https": 443}

# Global by the registry, and still not the internet: relay anycast, a cloud's own metadata service.
_V4_REFUSED = (IPv4Network("192.88.99.0/24"), IPv4Network("168.63.129.16/32"))
_V6_UNICAST = IPv6Network("2000::/3")
# Tunnels that carry an IPv4 address inside (Teredo, 6to4), and documentation.
_V6_REFUSED = (
    IPv6Network("2001::/23"),
    IPv6Network("2001:db8::/32"),
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),
)
_ISATAP = (0x00005EFE, 0x02005EFE)


@dataclass(frozen=True, slots=True)
class Place:
    """A URL taken apart.

    `target` is path and query, without the fragment; `host` lower case, no dot at its end.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.target}"


def refused(message: str) -> DownloadError:
    return DownloadError(message=message, reason="refused_url")


def parse(url: str) -> Place:
    """Read an absolute http(s) URL, or raise DownloadError("refused_url").

    One strict reading: user names, backslashes, spaces, control and non-ASCII characters and odd
    spellings of numbers are refused, so that no two parsers can disagree about the host.
    """
    match = _URL.fullmatch(url.partition("#")[0]) if len(url) <= _URL_CAP else None
    if match is None:
        raise refused("not an absolute http or https URL")
    scheme, host = (
        match["scheme"].lower(),
        match["host"].lower().strip("[]").removesuffix("."),
    )
    port = int(match["port"] or _PORTS[scheme])
    if not 0 < port < 65536:
        raise refused("no such port")
    if _ends_in_number(host) and _literal(host) is None:
        raise refused("not a host name and not a plain address")
    if not host or ".." in host or host.startswith("."):
        raise refused("not a host name")
    target = match["target"] or "/"
    return Place(scheme, host, port, target if target.startswith("/") else f"/{target}")


def resolve(host: str, port: int) -> list[str]:
    """Every address of `host`, in the resolver's order. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def approve(place: Place, *, allow_loopback: bool, allowed_hosts: frozenset[str]) -> list[str]:
    """The addresses we may connect to for `place`, or DownloadError.

    Resolves once. One address among several that is not allowed refuses them all. Plain http is for
    loopback only; loopback only where `allow_loopback`, and only by a literal address or
    "localhost".
    """
    if allowed_hosts and not _listed(place.host, allowed_hosts):
        raise refused("the host is not on the account's list")
    if place.scheme == "http" and not allow_loopback:
        raise refused("plain http")
    addresses = [place.host] if _literal(place.host) else _resolved(place)
    for text in addresses:
        address = _literal(text)
        if address is not None and is_public(address) and place.scheme == "https":
            continue
        if address is None or not (allow_loopback and _is_own_machine(place.host, address)):
            raise refused("the host does not lead to a public address")
    return addresses


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether `address` is a plain unicast address of the internet that embeds no other address."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _V4_REFUSED)
    if address not in _V6_UNICAST or any(address in network for network in _V6_REFUSED):
        return False
    return (int(address) >> 32) & 0xFFFFFFFF not in _ISATAP


def _is_own_machine(host: str, address: IPv4Address | IPv6Address) -> bool:
    named = host == "localhost" or _literal(host) is not None
    plain = isinstance(address, IPv4Address) or address == IPv6Address("::1")
    return named and plain and address.is_loopback


def _resolved(place: Place) -> list[str]:
    try:
        addresses = resolve(place.host, place.port)
    except (OSError, UnicodeError):
        addresses = []
    if not addresses:
        raise DownloadError(message="the host name does not resolve")
    return addresses


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _ends_in_number(host: str) -> bool:
    """Whether some resolver would read `host` as a number: 127.1, 0x7f000001, 2130706433."""
    last = host.rpartition(".")[2]
    return ":" in host or last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None


def _listed(host: str, allowed: frozenset[str]) -> bool:
    """Exact names; an entry "*.example.com" stands for every name below example.com."""
    parents = (f"*.{host[index + 1 :]}" for index, char in enumerate(host) if char == ".")
    return host in allowed or any(parent in allowed for parent in parents)
