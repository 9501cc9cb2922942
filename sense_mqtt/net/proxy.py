"""The proxy for an address, from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.

One rule for REST, feed and webhooks: libraries read these variables in different ways.
"""

import contextlib
import ipaddress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from sense_mqtt.errors import SenseUnavailable

SCHEMES = {"https": "https", "wss": "https", "http": "http", "ws": "http"}
PORT = 80  # default port of a proxy


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy."""

    host: str
    port: int
    login: tuple[str, str] | None = field(default=None, repr=False)  # user and password
    url: str = field(default="", repr=False)


def find_proxy(url: str) -> Proxy | None:
    """Return the proxy for this address; None for a direct connection. Raises SenseUnavailable."""
    parts, proxies = urlsplit(url), getproxies_environment()
    given = proxies.get(SCHEMES[parts.scheme]) or proxies.get("all")
    if not given or _is_exempt(parts.hostname or "", parts.netloc.rpartition("@")[2], proxies):
        return None
    return _read(given if "://" in given else f"http://{given}")


def _is_exempt(host: str, netloc: str, proxies: dict[str, str]) -> bool:
    if proxy_bypass(host, proxies) or proxy_bypass(netloc, proxies):
        return True
    for exempt in proxies.get("no", "").split(","):
        with contextlib.suppress(ValueError):  # no address, or no network
            if ipaddress.ip_address(host) in ipaddress.ip_network(exempt.strip(), strict=False):
                return True
    return False


def _read(given: str) -> Proxy:
    try:
        parts = urlsplit(given)
        port = parts.port or PORT
    except ValueError:
        raise SenseUnavailable("the proxy of the environment is no address such as http://host:3128") from None
    if parts.scheme != "http" or not parts.hostname:  # SOCKS and TLS to a proxy would work for REST or feed alone
        raise SenseUnavailable(f"the proxy of the environment must begin with http://, not {parts.scheme}://")
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return Proxy(parts.hostname, port, login, given)
