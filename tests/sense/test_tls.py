"""Whom we trust, and what is said where we do not."""

import datetime
import ssl
import threading

import pytest

from sense_mqtt.errors import ConfigError, SenseUnavailable
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import FrameArrived
from sense_mqtt.net.certificate import Certificate, parse_certificate
from sense_mqtt.net.tls import CertificateRefused, certificate_error, tls_context
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.certificates import DAY, NOW, authority, server
from tests.support.sense.sense_fixtures import api_at, api_of, feed_of, items_until, known, of_kind, running, session_of

pytestmark = pytest.mark.enable_socket

ISSUER = "O=Beispiel & Söhne, CN=Interposed Authority"
SUBJECT = "O=Beispiel & Söhne, CN=api.sense.example"


@pytest.fixture(scope="module")
def firewall():
    return authority()


@pytest.fixture
def ca_file(firewall, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes(firewall.pem)
    return path


@pytest.fixture
def cloud_with(tmp_path):
    clouds = []

    def start(certificate):
        cloud = SimulatedCloud(BuiltInHouse(seed=1), tls=certificate.context(tmp_path))
        clouds.append(cloud)
        return cloud.start()

    yield start
    for cloud in clouds:
        cloud.stop()


def log_in(cloud, ca_file):
    api = api_of(cloud, ca_file=ca_file)
    return api.post("authenticate", {"email": cloud.email, "password": cloud.password})


def test_with_its_authority_in_ca_file_an_interposed_certificate_is_trusted(cloud_with, firewall, ca_file):
    assert log_in(cloud_with(server(firewall)), ca_file)["authorized"]


def test_without_it_the_message_says_who_interposed_and_what_to_set(cloud_with, firewall):
    cloud = cloud_with(server(firewall))
    with pytest.raises(CertificateRefused) as refused:
        log_in(cloud, None)
    message = str(refused.value)
    assert f"presented is '{SUBJECT}', issued by '{ISSUER}'" in message
    assert "set sense.ca_file to its authority's certificate" in message
    assert cloud.records.counts.requests == 0


def test_an_expired_certificate_is_refused_with_its_end(cloud_with, firewall, ca_file):
    ended = NOW - DAY
    with pytest.raises(CertificateRefused, match=f"has expired.*valid until {ended:%Y-%m-%d}"):
        log_in(cloud_with(server(firewall, ended)), ca_file)


def test_a_certificate_for_another_host_is_refused(cloud_with, firewall, ca_file):
    with pytest.raises(CertificateRefused, match="IP address mismatch"):
        log_in(cloud_with(server(firewall, address="10.0.0.1")), ca_file)


def test_another_authority_of_the_same_name_is_refused(cloud_with, ca_file):
    with pytest.raises(CertificateRefused):
        log_in(cloud_with(server(authority())), ca_file)


def test_the_feed_trusts_the_same(cloud_with, firewall, ca_file, tmp_path):
    cloud, inbox = cloud_with(server(firewall)), Inbox()
    session = session_of(cloud, tmp_path, api=api_of(cloud, ca_file=ca_file))
    with running(feed_of(session, inbox, FeedSettings(tmp_path, url=cloud.feed_url, ca_file=ca_file))):
        items_until(inbox, lambda items: len(of_kind(items, FrameArrived)) > 5)


def test_the_feed_says_the_same(cloud_with, firewall, ca_file, tmp_path, caplog):
    cloud, inbox = cloud_with(server(firewall)), Inbox()
    session = session_of(cloud, tmp_path, api=api_of(cloud, ca_file=ca_file))
    session.token()
    with running(feed_of(session, inbox, FeedSettings(tmp_path, url=cloud.feed_url))):
        while "trying again" not in caplog.text:
            threading.Event().wait(0.01)
    assert f"issued by '{ISSUER}'" in caplog.text
    assert not cloud.records.requests("realtimefeed")


def test_a_login_over_an_untrusted_line_costs_no_budget(cloud_with, firewall, tmp_path):
    cloud = cloud_with(server(firewall))
    session = session_of(cloud, tmp_path, credentials=known(cloud))
    for _ in range(6):
        with pytest.raises(CertificateRefused):
            session.token()
    assert session.logins_last_hour == 0
    assert session.auth == "unavailable"


def test_the_system_is_trusted_beside_the_file(ca_file):
    system, both = tls_context(None), tls_context(ca_file)
    assert both.cert_store_stats()["x509_ca"] == system.cert_store_stats()["x509_ca"] + 1
    for context in (system, both):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


def test_an_intermediate_authority_may_be_given(ca_file):
    assert tls_context(ca_file).verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), ("no certificate", "holds no PEM certificate")])
def test_a_ca_file_that_is_none_is_named(tmp_path, content, why):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=f"sense.ca_file: .*ca.pem: {why}"):
        tls_context(path)


def test_a_certificate_that_cannot_be_looked_at_is_named_all_the_same():
    error = ssl.SSLCertVerificationError()
    error.verify_message = "unable to get local issuer certificate"
    assert "of nowhere.invalid is not trusted (unable" in str(certificate_error("https://nowhere.invalid/x", error))


def test_a_port_without_tls_is_no_certificate_matter():
    with SimulatedCloud(BuiltInHouse(seed=1)) as plain, pytest.raises(SenseUnavailable) as refused:
        api_at(plain.api_url.replace("http://", "https://")).get("x", token="t")
    assert not isinstance(refused.value, CertificateRefused)


# --- reading a certificate


def test_a_certificate_tells_subject_issuer_and_end(firewall):
    ends = datetime.datetime(2031, 2, 3, tzinfo=datetime.UTC)
    assert parse_certificate(server(firewall, ends).der) == Certificate(SUBJECT, ISSUER, "2031-02-03")


@pytest.mark.parametrize("year", [1999, 2049, 2050, 2120])
def test_a_year_is_read_in_either_form(firewall, year):
    ends = datetime.datetime(year, 12, 31, tzinfo=datetime.UTC)
    told = parse_certificate(server(firewall, ends).der)
    assert told is not None
    assert told.valid_until == f"{year}-12-31"


def test_a_damaged_certificate_is_none(firewall):
    der = server(firewall).der
    for length in range(200):
        assert parse_certificate(der[:length]) is None


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x00", b"\x30\x84\xff\xff\xff\xff", b"\xff" * 100, b"\x00" * 100])
def test_what_is_no_certificate_is_none(der):
    assert parse_certificate(der) is None
