"""The simulated cloud with a certificate of its own authority."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
import requests
import websocket
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sense_mqtt.simulator.house.builtin import RandomHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.simulator.simulated_client import Client, read


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return the file of a self-signed certificate for localhost, key inside."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test Authority")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = tmp_path_factory.mktemp("tls") / "cloud.pem"
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + made.public_bytes(pem))
    return file


def test_the_cloud_speaks_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with SimulatedCloud(RandomHouse(2, 1), clock_mode="manual", host="localhost", tls=context) as cloud:
        assert (cloud.api_url[:8], cloud.feed_url[:6]) == ("https://", "wss://")
        client = Client(cloud)
        with pytest.raises(requests.exceptions.SSLError):
            client.log_in()
        client.http.verify = str(certificate)
        client.log_in()
        url = f"{cloud.feed_url}/monitors/900101/realtimefeed?access_token={client.token}"
        socket = websocket.create_connection(url, timeout=9, sslopt={"ca_certs": str(certificate)})
        assert read(socket)[0] == "hello"
