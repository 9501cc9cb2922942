"""No secret in any log, error, repr or file but the one that is for it."""

import logging
import traceback

import pytest

from sense_mqtt.core.backoff import Backoff
from sense_mqtt.errors import SenseMqttError
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import AuthChanged, FeedChanged, FeedEnded, FrameArrived
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.simulator.house.builtin import BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.sense.sense_fixtures import api_of, feed_of, items_until, known, of_kind, running, session_of

pytestmark = pytest.mark.enable_socket

EMAIL, PASSWORD, SECRET = "resident@example.com", "correct horse & staple", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def everything_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    return caplog


def test_no_fault_or_refusal_shows_a_secret(tmp_path, everything_is_logged):
    learned, told = [EMAIL, PASSWORD, SECRET], []
    with SimulatedCloud(
        BuiltInHouse(seed=1), speed=20, email=EMAIL, password=PASSWORD, totp_secret=SECRET, mfa=True
    ) as cloud:
        credentials = known(cloud, totp_secret=SECRET)
        session = session_of(
            cloud,
            tmp_path,
            credentials=credentials,
            post=told.append,
            add_temporary_secrets=lambda *tokens: learned.extend(tokens),
        )
        told += items_of_a_feed_whose_tokens_expire(cloud, session, tmp_path)
        told += refusals_that_repeat_secrets(cloud, session)
    told += [session, credentials, session.account()]
    told += [record.getMessage() for record in everything_is_logged.records]
    text = "\n".join([*map(repr, told), *map(str, told), everything_is_logged.text])
    assert len(learned) >= 7
    assert not [secret for secret in learned if secret and secret in text]


def items_of_a_feed_whose_tokens_expire(cloud, session, folder):
    """Return the feed, and what it says of itself."""
    inbox = Inbox()
    quick = FeedSettings(folder, url=cloud.feed_url, spacing_s=0.02, backoff=Backoff(0.02, 0.1, 0.01))
    feed = feed_of(session, inbox, quick)
    with running(feed):
        items = items_until(inbox, lambda items: len(of_kind(items, FrameArrived)) > 10)
        cloud.account.expire_access_tokens()
        cloud.rules.token_life_s = 7200
        cloud.drop_sockets()
        items += items_until(inbox, lambda items: len(of_kind(items, FrameArrived)) > 10)
    return [feed, *(item for item in items if isinstance(item, AuthChanged | FeedChanged | FeedEnded))]


def refusals_that_repeat_secrets(cloud, session):
    """Return the tracebacks of errors."""
    told = []
    for fault in ({"status": 503}, {"status": 401, "body": f'{{"error_reason": "no {EMAIL} {PASSWORD}"}}'}):
        cloud.faults.clear()
        cloud.faults.refuse(**fault)
        with pytest.raises(SenseMqttError) as refused:
            session.get("app/monitors/900101/status")
        told.append("".join(traceback.format_exception(refused.value)))
    return told


def test_only_the_session_file_holds_tokens_and_no_file_holds_the_password(tmp_path):
    learned = []
    with SimulatedCloud(BuiltInHouse(seed=1), clock_mode="manual", email=EMAIL, password=PASSWORD) as cloud:
        session_of(cloud, tmp_path, add_temporary_secrets=lambda *tokens: learned.extend(tokens)).token()
    for path in tmp_path.iterdir():
        text = path.read_text()
        assert PASSWORD not in text
        assert EMAIL not in text
        assert any(token in text for token in learned) is (path.name == "session.json")
        assert path.stat().st_mode & 0o077 == 0


def test_an_address_that_sense_repeats_is_not_repeated_by_us():
    with SimulatedCloud(BuiltInHouse(seed=1), clock_mode="manual", email=EMAIL, password=PASSWORD) as cloud:
        cloud.faults.refuse(401, path="authenticate", body=f'{{"error_reason": "no account {EMAIL}"}}')
        with pytest.raises(SenseMqttError, match=r"no account \*\*\*"):
            api_of(cloud).post("authenticate", {"email": EMAIL, "password": PASSWORD})
