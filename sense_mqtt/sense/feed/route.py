"""How a host is reached: its addresses, or those of the proxy that leads there. Asking the name server may block."""

import socket
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from sense_mqtt.errors import SenseUnavailable
from sense_mqtt.net.error_causes import root_reason
from sense_mqtt.net.proxy import Proxy, find_proxy
from sense_mqtt.sense.feed.websocket_protocol import DEFAULT_PORTS


class Address(Struct, frozen=True):
    """Where to connect to, as the system has it."""

    family: int
    sockaddr: Any


class Route(Struct, frozen=True):
    """The addresses to try, in this order; with `proxy` they are the proxy's."""

    addresses: tuple[Address, ...]
    proxy: Proxy | None


def find_route(url: str) -> Route:
    """Ask the environment for a proxy, and the name server for addresses. Raises `SenseUnavailable`."""
    parts, proxy = urlsplit(url), find_proxy(url)
    host = proxy.host if proxy else parts.hostname or ""
    port = proxy.port if proxy else parts.port or DEFAULT_PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SenseUnavailable(f"the feed cannot be reached ({root_reason(error)})") from error
    return Route(tuple(Address(family, sockaddr) for family, _, _, _, sockaddr in found), proxy)
