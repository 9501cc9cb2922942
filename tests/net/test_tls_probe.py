"""Whom we meet at an address of Sense."""

import socket

import pytest

from sense_mqtt.errors import SenseUnavailable
from sense_mqtt.net.tls import CertificateRefused
from sense_mqtt.net.tls_probe import probe_tls
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.certificates import authority, server
from tests.support.sense.sense_fixtures import faulty_server

pytestmark = pytest.mark.enable_socket

TIMEOUT_S = 5.0


@pytest.fixture(scope="module")
def firewall():
    return authority()


@pytest.fixture
def cloud(firewall, tmp_path):
    with SimulatedCloud(BuiltInHouse(seed=1), tls=server(firewall).context(tmp_path)) as cloud:
        yield cloud


@pytest.mark.parametrize("url", ["api_url", "feed_url"])
def test_whom_we_trust_is_named_with_its_issuer(cloud, firewall, tmp_path, url):
    (tmp_path / "ca.pem").write_bytes(firewall.pem)
    told = probe_tls(getattr(cloud, url), tmp_path / "ca.pem", TIMEOUT_S)
    assert "'O=Beispiel & Söhne, CN=api.sense.example', issued by 'O=Beispiel & Söhne, CN=Interposed Authority'" in told


def test_whom_we_do_not_trust_is_refused_with_its_issuer(cloud):
    with pytest.raises(CertificateRefused, match=r"Interposed Authority.*sense\.ca_file"):
        probe_tls(cloud.feed_url, None, TIMEOUT_S)


def test_without_tls_a_connection_is_all():
    with SimulatedCloud(BuiltInHouse(seed=1)) as cloud:
        assert probe_tls(cloud.api_url, None, TIMEOUT_S).endswith("takes connections; http:// is not encrypted")


def test_where_nobody_listens_the_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(SenseUnavailable, match=rf"127\.0\.0\.1 port {port}: connection refused; check network"):
        probe_tls(f"https://127.0.0.1:{port}/", None, TIMEOUT_S)


def test_who_speaks_no_tls_is_reported():
    def greet(connection, _over):
        connection.sendall(b"220 mail\r\n")

    with faulty_server(greet) as port, pytest.raises(SenseUnavailable, match=f"port {port}"):
        probe_tls(f"https://127.0.0.1:{port}/", None, TIMEOUT_S)
