"""Certificate authorities for tests, made on the spot."""

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Beispiel & Söhne"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


@dataclass(frozen=True, slots=True)
class CertificateAndKey:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def context(self, directory: Path) -> ssl.SSLContext:
        """What a server with this certificate needs."""
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path = directory / "server.pem"
        path.write_bytes(self.key.private_bytes(*form) + self.pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def authority(common_name: str = "Interposed Authority") -> CertificateAndKey:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name(common_name), name(common_name), key, NOW + 30 * DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return CertificateAndKey(builder.sign(key, hashes.SHA256()), key)


def server(
    issuer: CertificateAndKey, ends: datetime.datetime = NOW + 20 * DAY, address: str = "127.0.0.1"
) -> CertificateAndKey:
    """A server's certificate as a firewall makes them: without key identifiers, which Python 3.13 would insist on."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name("api.sense.example"), issuer.certificate.subject, key, ends)
    host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    return CertificateAndKey(builder.add_extension(host, critical=False).sign(issuer.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, ends: datetime.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - 60 * DAY)
        .not_valid_after(ends)
    )
