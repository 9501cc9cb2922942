"""Whom we trust: the system's certificate authorities and those of `sense.ca_file`. There is no way not to verify."""

import functools
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from sense_mqtt.errors import ConfigError, SenseUnavailable
from sense_mqtt.net.certificate import describe_certificate
from sense_mqtt.net.error_causes import causes


class CertificateRefused(SenseUnavailable):
    """The server's certificate is not trusted: intercepted, expired, or for another host."""


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return the rules of verification; raise `ConfigError` where `ca_file` holds no certificate."""
    context = ssl.create_default_context()
    if ca_file is not None:
        _add(context, ca_file)
    return context


@functools.lru_cache
def shared_tls_context(ca_file: Path | None, what: str) -> ssl.SSLContext:  # noqa: ARG001 - part of the key
    """Return the one context of the process for connections of this kind; each takes close to a megabyte."""
    return tls_context(ca_file)


def _add(context: ssl.SSLContext, ca_file: Path) -> None:
    try:
        context.load_verify_locations(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one too
        why = error.strerror if error.strerror and not isinstance(error, ssl.SSLError) else "holds no PEM certificate"
        raise ConfigError(
            f"sense.ca_file: {ca_file}: {why}; give a PEM file with the authority's certificate"
        ) from error
    # Firewalls sign with intermediate authorities, and with extensions that Python 3.13 is strict about
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT


def find_certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """Return the refusal of a certificate that lies at the bottom of a library's error."""
    return next((each for each in causes(error) if isinstance(each, ssl.SSLCertVerificationError)), None)


def certificate_error(url: str, error: ssl.SSLCertVerificationError) -> CertificateRefused:
    """Say whose certificate was presented, by whom it was issued, and what to do."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    shown = describe_certificate(host, parts.port or 443)
    return CertificateRefused(
        f"the certificate of {host} is not trusted ({error.verify_message}): {shown}; if your own firewall inspects "
        "TLS, set sense.ca_file to its authority's certificate (PEM); if not, check this machine's clock and network"
    )
