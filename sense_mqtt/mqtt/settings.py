"""Where the MQTT broker is, how it wants to be spoken to, and how each side proves who it is."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct


class BrokerTls(Struct, frozen=True):
    """How the broker proves who it is, and we to it."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str | None = None  # in the broker's certificate, where it is not the host


class BrokerSettings(Struct, frozen=True):
    """Where the broker is and how it wants to be spoken to."""

    host: str
    port: int = 1883
    username: str | None = None
    password: Callable[[], str | None] = lambda: None  # not text: a settings object may be printed
    transport: Literal["tcp", "websockets"] = "tcp"
    path: str = "/mqtt"  # of websockets
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    client_id: str = "sense-mqtt"
    keepalive_s: int = 20
    tls: BrokerTls | None = None
    state_dir: Path | None = None  # where is kept which protocol the broker speaks


def make_context(tls: BrokerTls) -> ssl.SSLContext:
    """Return what the connection is secured with. Raises OSError or ssl.SSLError where a file cannot be used."""
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and name; nothing turns that off
    context.server_name = tls.server_name
    context.load_default_certs()
    if tls.ca_file is not None:
        context.load_verify_locations(tls.ca_file)
    if tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    return context


class _NamedContext(ssl.SSLContext):
    """Checks the certificate against a given name in place of the host."""

    server_name: str | None = None

    def wrap_socket(self, sock: Any, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        if self.server_name is not None:
            kwargs["server_hostname"] = self.server_name
        return super().wrap_socket(sock, *args, **kwargs)
