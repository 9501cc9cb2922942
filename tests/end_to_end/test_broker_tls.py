"""Who the broker is and who we are: authorities, certificates of clients, names."""

import getpass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from sense_mqtt.core.publishing.message import Message
from sense_mqtt.items import Acknowledged
from sense_mqtt.mqtt.settings import BrokerTls
from tests.support.certificates import CertificateAndKey, authority, server
from tests.support.mqtt.mosquitto import Mosquitto, make_mosquitto
from tests.support.mqtt.mqtt_connection import open_connection


def keep(signed: CertificateAndKey, folder: Path, name: str) -> tuple[Path, Path]:
    form = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    certificate.write_bytes(signed.pem)
    key.write_bytes(signed.key.private_bytes(*form))
    return certificate, key


@pytest.fixture
def secured(tmp_path: Path):
    """Return a function that makes a Mosquitto with a certificate for an address, which asks for one of ours."""
    ours = authority("Our Authority")
    ca_file, _ = keep(ours, tmp_path, "ca")
    certificate, key = keep(server(ours), tmp_path, "client")

    def make_secured(address: str = "127.0.0.1") -> tuple[Mosquitto, BrokerTls]:
        its_certificate, its_key = keep(server(ours, address=address), tmp_path, "server")
        tls = f"cafile {ca_file}\ncertfile {its_certificate}\nkeyfile {its_key}\nrequire_certificate true"
        return make_mosquitto(tmp_path, f"{tls}\nuser {getpass.getuser()}"), BrokerTls(ca_file, certificate, key)

    return make_secured


def test_a_broker_with_our_authority_takes_our_certificate(secured):
    broker, tls = secured()
    with broker, open_connection(broker.port, tls=tls) as call:
        call.connect()
        call.broker.publish(Message("a", "1"))
        call.broker.flush()
        call.expect(Acknowledged)


def test_a_broker_of_an_authority_that_we_do_not_know_is_refused(secured):
    broker, tls = secured()
    with broker, open_connection(broker.port, tls=BrokerTls(None, tls.cert_file, tls.key_file)) as call:
        refusal = call.refusal()
        assert "its certificate is not trusted" in refusal
        assert "issued by" in refusal
        assert "set mqtt.tls.ca_file" in refusal


def test_without_a_certificate_of_ours_the_broker_refuses_us(secured):
    broker, tls = secured()
    with broker, open_connection(broker.port, tls=BrokerTls(tls.ca_file)) as call:
        assert call.refusal()


def test_a_certificate_for_another_host_is_refused_unless_it_is_named(secured):
    broker, tls = secured(address="10.9.8.7")
    with broker, open_connection(broker.port, tls=tls) as call:
        assert "10.9.8.7" in call.refusal() or "mismatch" in call.refusal()
    named = BrokerTls(tls.ca_file, tls.cert_file, tls.key_file, server_name="10.9.8.7")
    with broker, open_connection(broker.port, tls=named) as call:
        call.connect()


def test_a_certificate_file_that_is_missing_is_reported(secured, tmp_path: Path):
    broker, _ = secured()
    with broker, open_connection(broker.port, tls=BrokerTls(tmp_path / "nowhere.crt")) as call:
        assert "No such file" in call.refusal()
