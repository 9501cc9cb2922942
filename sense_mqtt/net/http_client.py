"""HTTP by `urllib3`: trusts what we trust, and knows the connection in use, so that a deadline can shut it."""

import ssl
from base64 import b64encode
from collections.abc import Mapping
from socket import socket
from urllib.parse import unquote, urlsplit

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection

from sense_mqtt.net.proxy import Proxy, find_proxy


class HttpClient:
    """One request at a time; for one thread at a time, but `find_socket` for any."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._managers: dict[str, PoolManager] = {}  # by the proxy's URL; "": none
        self._connection: HTTPConnection | None = None
        self._socket: socket | None = None

    @property
    def has_connected(self) -> bool:
        return self._socket is not None

    def find_socket(self) -> socket | None:
        return self._socket or (self._connection.sock if self._connection else None)

    def begin(self, connection: HTTPConnection) -> None:
        self._connection, self._socket = connection, None

    def end(self) -> None:
        """Close what a request has left open: a server that was asked to close may do so while the next one is sent."""
        self._connection = self._socket = None
        for manager in self._managers.values():
            manager.clear()

    def connected(self, connection: HTTPConnection) -> None:
        self._socket = connection.sock  # the connection forgets it once the headers are read

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float
    ) -> BaseHTTPResponse:
        """Return the answer once its headers are there; close it. No redirect is followed, nothing is tried again.

        `timeout_s` is that of each single read. Raises OSError, HTTPError of urllib3, HTTPException, ValueError and, of
        the proxy, SenseUnavailable.
        """
        return self._manager(find_proxy(url)).urlopen(
            method,
            _without_login(url),
            body=body,
            headers={**_login_of(url), **headers},
            timeout=Timeout(connect=timeout_s, read=timeout_s),
            retries=False,
            redirect=False,
            preload_content=False,
        )

    def _manager(self, proxy: Proxy | None) -> PoolManager:
        name = proxy.url if proxy else ""
        if name not in self._managers:
            self._managers[name] = self._make_manager(proxy)
        return self._managers[name]

    def _make_manager(self, proxy: Proxy | None) -> PoolManager:
        if proxy is None:
            manager = PoolManager(ssl_context=self._context)
        else:
            address = f"http://{f'[{proxy.host}]' if ':' in proxy.host else proxy.host}:{proxy.port}"
            login = {"Proxy-Authorization": _basic(*proxy.login)} if proxy.login else {}
            manager = ProxyManager(address, proxy_headers=login, ssl_context=self._context)
        manager.pool_classes_by_scheme = _watched_pools(self)
        return manager


def _without_login(url: str) -> str:
    """Return the URL as a server and a proxy may see it, its host in ASCII. Raises ValueError."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=place.encode("idna").decode(), fragment="").geturl()


def _login_of(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    return {"Authorization": _basic(unquote(parts.username), unquote(parts.password or ""))}


def _basic(user: str, password: str) -> str:
    """Return the credentials of HTTP's basic authentication (RFC 7617). Raises ValueError."""
    return "Basic " + b64encode(f"{user}:{password}".encode("latin-1")).decode()


def _watched_pools(client: HttpClient) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            client.begin(self)
            super().connect()
            client.connected(self)

    class Encrypted(Plain, HTTPSConnection):
        """The same, over TLS."""

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}
