"""Where a URL leads: names resolved once, private addresses told from public ones.

A request goes to an address that was looked at, and names the host that was asked for; so a name that
changes its mind between look and connection (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache

import httpx

#: (host, port) -> addresses. Given in tests.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of *host*, as the system orders them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def port_of(url: httpx.URL) -> int:
    """Return the port of *url*, said or not."""
    return url.port or (443 if url.scheme == "https" else 80)


def is_public(text: str) -> bool:
    """Tell whether an address is one of the Internet: not private, loopback, link-local or the like."""
    address = _embedded(ipaddress.ip_address(text.partition("%")[0]))
    return address.is_global and not address.is_multicast


def _embedded(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address


def request_to(
    client: httpx.AsyncClient,
    method: str,
    url: httpx.URL,
    address: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> httpx.Request:
    """Return a request that goes to *address* but names, and over TLS proves, the host of *url*."""
    return client.build_request(
        method,
        url.copy_with(host=address),
        headers={"Host": url.netloc.decode("ascii"), **(headers or {})},
        content=content,
        extensions={"sni_hostname": url.raw_host.decode("ascii").strip("[]")},
    )


@lru_cache(maxsize=1)
def trusted() -> ssl.SSLContext:
    """Return the certificates that are trusted: SSL_CERT_FILE's, else the usual ones; slow to load."""
    return httpx.create_ssl_context()
