"""The one way out: HTTP to where the settings point, and nowhere else.

No redirect is followed. A name is resolved once, every address is judged, and the connection goes to the address
that was judged, so that a name which answers differently a moment later (DNS rebinding) gains nothing. Private,
loopback, link-local and reserved addresses are refused unless the settings allow their network. TLS is verified;
plain HTTP goes only to allowed networks. The whole exchange has one deadline, and only so much of an answer is read.

With a proxy, what is not in an allowed network leaves through its tunnel (CONNECT): TLS still ends at the receiver, and
the proxy resolves the name and decides where it may lead. The variables HTTP_PROXY and so on are not heeded.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import IPPROTO_TCP, SOCK_STREAM, gaierror, getaddrinfo
from typing import Final
from urllib.parse import unquote, urlsplit

import httpcore2

MOST_ANSWER_BYTES: Final = 65_536
_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network
_PRIVATE: Final = "the address is private; alerts.allow_networks can allow its network"
_TRANSLATED: Final = ip_network("64:ff9b::/96")
"""NAT64 (RFC 6052): the last four bytes are an IPv4 address."""


class Unreachable(Exception):
    """No answer. The message holds no address and no secret."""


class Forbidden(Exception):
    """The address may not be asked. The message holds no address and no secret."""


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is at most `MOST_ANSWER_BYTES` of it."""

    status: int
    headers: dict[str, str]
    body: bytes

    def retry_after_s(self, now: float) -> float | None:
        """`Retry-After`, as seconds or as a date; None where it says nothing that can be used."""
        said = self.headers.get("retry-after", "").strip()
        if said.isascii() and said.isdecimal():
            return float(min(int(said[:9]), 7 * 86_400))
        try:
            return min(max(parsedate_to_datetime(said).timestamp() - now, 0.0), 7 * 86_400.0)
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class Network:
    """How requests leave: what the settings allow, whom they trust, how long one exchange may last."""

    allowed: tuple[_Network, ...] = ()
    ca_file: str | None = None
    timeout_s: float = 20.0
    proxy_url: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, allowed: Iterable[str], ca_file: str | None, timeout_s: float, proxy_url: str | None = None) -> Network:
        """From settings that were checked."""
        return cls(tuple(ip_network(network) for network in allowed), ca_file, timeout_s, proxy_url)

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """POST, and the answer whatever its status. Raises `Unreachable` or `Forbidden`."""
        scheme, host, port = _parts(url)
        until = time.monotonic() + self.timeout_s
        try:
            with (
                self._pool(scheme, host, port, until) as pool,
                pool.stream("POST", url, headers=_as_bytes(headers), content=body) as response,
            ):
                got = bytearray()
                for part in response.iter_stream():
                    got += part
                    if len(got) >= MOST_ANSWER_BYTES:
                        break
                told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                return Answer(response.status, told, bytes(got[:MOST_ANSWER_BYTES]))
        except httpcore2.TimeoutException:
            raise Unreachable(f"no answer within {self.timeout_s:g} s") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ProxyError, OSError, ValueError) as error:
            reason = "its certificate is not trusted" if "CERTIFICATE" in str(error) else type(error).__name__
            raise Unreachable(f"cannot be reached ({reason})") from None

    def _pool(self, scheme: str, host: str, port: int, until: float) -> httpcore2.ConnectionPool:
        backend = _Guarded(self, needs_allowed=scheme == "http", until=until)
        if scheme == "http" or self.proxy_url is None or self._is_near(host, port):
            return httpcore2.ConnectionPool(ssl_context=self._trust, network_backend=backend)
        parts = urlsplit(self.proxy_url)
        auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        return httpcore2.HTTPProxy(address, proxy_auth=auth, ssl_context=self._trust, network_backend=backend)

    def _is_near(self, host: str, port: int) -> bool:
        """Whether a receiver is to be asked without the proxy; a name that only the proxy knows is not near."""
        addresses = _resolved(host, port)
        if any(not is_public(address) and not self.allows(address) for address in addresses):
            raise Forbidden(_PRIVATE)
        return bool(addresses) and all(self.allows(address) for address in addresses)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError:
            raise Unreachable("the CA file cannot be read") from None

    def allows(self, address: _Address) -> bool:
        """Whether the settings name a network that holds it."""
        return any(address in network for network in self.allowed if network.version == address.version)


def is_public(address: _Address) -> bool:
    """Whether an address is one that anybody on the Internet reaches, also when it carries another inside."""
    inner: _Address | None = None
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


class _Guarded(httpcore2.NetworkBackend):
    """Connects to an address that was judged, under one deadline."""

    def __init__(self, network: Network, *, needs_allowed: bool, until: float) -> None:
        self._network, self._needs_allowed, self._until = network, needs_allowed, until
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        failed: Exception = httpcore2.ConnectError("no address")
        for address in self._judged(host, port):
            try:
                left = _left(self._until)
                stream = self._inner.connect_tcp(str(address), port, left, local_address, socket_options)
                return _Deadline(stream, self._until)
            except httpcore2.ConnectError as error:
                failed = error
        raise failed

    def _judged(self, host: str, port: int) -> list[_Address]:
        """Every address of the name; all of them have to be fit, as the resolver chooses which comes first."""
        addresses = _resolved(host, port)
        for address in addresses:
            if self._network.allows(address):
                continue
            if not is_public(address):
                raise Forbidden(_PRIVATE)
            if self._needs_allowed:
                raise Forbidden("plain http leaves only to networks in alerts.allow_networks; use https")
        return addresses


class _Deadline(httpcore2.NetworkStream):
    """A stream whose reads and writes end together: a slow answer cannot hold a delivery for ever."""

    def __init__(self, inner: httpcore2.NetworkStream, until: float) -> None:
        self._inner, self._until = inner, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._until))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Deadline(self._inner.start_tls(ssl_context, server_hostname, _left(self._until)), self._until)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


def _resolved(host: str, port: int) -> list[_Address]:
    """Every address of a name, in the resolver's order; none where it is not known."""
    try:
        found = getaddrinfo(host, port, type=SOCK_STREAM, proto=IPPROTO_TCP)
    except (gaierror, UnicodeError):
        return []
    return list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


def _parts(url: str) -> tuple[str, str, int]:
    """Scheme, host and port; raises `Forbidden` for what is not http or https, or cannot be read."""
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        pass
    raise Forbidden("not an http or https address")


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the deadline has passed")
    return left


def _as_bytes(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
