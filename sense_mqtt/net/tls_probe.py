"""Connect to a server of Sense, with TLS if the address asks for it, and describe its certificate; nothing is sent."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

from sense_mqtt.errors import SenseUnavailable
from sense_mqtt.net.certificate import parse_certificate
from sense_mqtt.net.error_causes import root_reason
from sense_mqtt.net.tls import certificate_error, find_certificate_error, tls_context

PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}
SECURE = ("https", "wss")


def probe_tls(url: str, ca_file: Path | None, timeout_s: float) -> str:
    """Return server and certificate in words. Raises `SenseUnavailable` (`CertificateRefused`), or `ConfigError`."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    try:
        with socket.create_connection((host, port), timeout_s) as raw:
            if parts.scheme not in SECURE:
                return f"{host} port {port} takes connections; {parts.scheme}:// is not encrypted"
            with tls_context(ca_file).wrap_socket(raw, server_hostname=host) as wrapped:
                return _describe(wrapped.getpeercert(binary_form=True))
    except (OSError, ValueError) as error:  # a host that cannot be a name is a ValueError
        refused = find_certificate_error(error)
        if refused is not None:
            raise certificate_error(url, refused) from error
        why = root_reason(error)
        raise SenseUnavailable(f"{host} port {port}: {why}; check network, firewall and proxy") from error


def _describe(der: bytes | None) -> str:
    presented = parse_certificate(der or b"")
    if presented is None:
        return "the certificate is trusted"
    return f"trusted is {presented.subject!r}, issued by {presented.issuer!r}, valid until {presented.valid_until}"
