"""The check of the webhooks: a connection to each server. Nothing is posted: that would start an automation."""

import socket
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}
CONNECT_S = 10.0

Connect = Callable[[str, int], None]  # host and port; raises OSError


def connect(host: str, port: int) -> None:
    """Open a connection and close it. Raises OSError."""
    socket.create_connection((host, port), CONNECT_S).close()


def describe_webhooks(urls: Sequence[str], connect: Connect, uses_proxy: Callable[[str], bool]) -> tuple[str, bool]:
    """Return a text, which holds no part of a URL, and whether all is well."""
    told = [_describe(url, connect, uses_proxy) for url in urls]
    text = "; ".join(f"webhooks.{number}: {one}" for number, (one, _) in enumerate(told))
    return text or "none is configured", all(is_well for _, is_well in told)


def _describe(url: str, connect: Connect, uses_proxy: Callable[[str], bool]) -> tuple[str, bool]:
    parts = urlsplit(url)
    if uses_proxy(url):
        return "not tested: the environment (HTTPS_PROXY, HTTP_PROXY) names a proxy for it", True
    try:
        connect(parts.hostname or "", parts.port or PORTS[parts.scheme])
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        return f"{why}; check its url, the network, and that its server runs", False
    return "its server takes connections; nothing was posted", True
