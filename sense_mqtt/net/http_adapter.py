"""An adapter of `requests`: trusts what we trust, and knows the connection in use, so that a deadline can shut it."""

import ssl
from socket import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class WatchedAdapter(HTTPAdapter):
    """One connection at a time; for one thread at a time, but `find_socket` for any."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._connection: HTTPConnection | None = None
        self._socket: socket | None = None
        super().__init__(max_retries=0)

    @property
    def has_connected(self) -> bool:
        return self._socket is not None

    def find_socket(self) -> socket | None:
        return self._socket or (self._connection.sock if self._connection else None)

    def begin(self, connection: HTTPConnection | None) -> None:
        self._connection, self._socket = connection, None

    def connected(self, connection: HTTPConnection) -> None:
        self._socket = connection.sock  # the connection forgets it once the headers are read

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **more)
        self.poolmanager.pool_classes_by_scheme = _watched_pools(self)

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **more)
        manager.pool_classes_by_scheme = _watched_pools(self)
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002 - requests calls it so
        """Verification is the context's business; requests would add certifi's authorities to it."""
        conn.cert_reqs = "CERT_REQUIRED"


class UnfollowingSession(requests.Session):
    """Follows no redirect, and reads none: requests would take in the whole body of one, whatever its length."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - requests calls it so
        return None


def _watched_pools(adapter: WatchedAdapter) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            adapter.begin(self)
            super().connect()
            adapter.connected(self)

    class Encrypted(HTTPSConnection):
        def connect(self) -> None:
            adapter.begin(self)
            super().connect()
            adapter.connected(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}
