"""A feed whose server is silent, or breaks the protocol."""

import logging
import re
import threading

import pytest

from sense_mqtt.items import FeedEnded, FrameArrived
from tests.support.sense.faulty_responses import FAULTY_RESPONSES, HANDSHAKE, OPENED, accept, say
from tests.support.sense.feed_items import frames, told, transports, updates
from tests.support.sense.sense_fixtures import (
    PATIENCE_S,
    faulty_server,
    feed_of,
    items_until,
    of_kind,
    read_head,
    running,
    wait_for,
)

pytestmark = pytest.mark.enable_socket


def test_silence_is_noticed(cloud, session, inbox, settings):
    with running(feed_of(session, inbox, settings(silence_timeout_s=1.0, stable_messages=3))):
        items_until(inbox, lambda items: len(updates(items)) >= 5)
        cloud.faults.silent = cloud.faults.no_pongs = True
        items = told(inbox, FeedEnded)
        assert of_kind(items, FeedEnded)[0].reason == "silent for 1 s"
        cloud.faults.silent = cloud.faults.no_pongs = False
        items_until(inbox, lambda items: len(updates(items)) >= 1)
    assert cloud.records.counts.sockets_most == 1


def test_a_monitor_that_is_offline_is_no_refusal(cloud, session, inbox, settings):
    cloud.faults.offline = True
    with running(feed_of(session, inbox, settings(silence_timeout_s=0.3, max_rejections=1))):
        items = told(inbox, FeedEnded, 3)
    assert not transports(items)


def test_a_socket_is_pinged(session, inbox, settings):
    pinged = threading.Event()

    def answer(connection, over):
        connection.sendall(HANDSHAKE + accept(read_head(connection)) + b"\r\n\r\n")
        while not over.is_set() and (received := connection.recv(6)):
            if received[0] & 0x0F == 9:
                pinged.set()

    with faulty_server(answer) as port:
        quick = settings(url=f"ws://127.0.0.1:{port}", ping_interval_s=0.1)
        with running(feed_of(session, inbox, quick)):
            assert pinged.wait(PATIENCE_S)


@pytest.mark.parametrize(
    ("behave", "reason"), [row[1:] for row in FAULTY_RESPONSES], ids=[row[0] for row in FAULTY_RESPONSES]
)
def test_the_feed_survives_a_server_that(session, inbox, settings, caplog, behave, reason):
    session.token()
    rude = {"timeout_s": 0.4, "silence_timeout_s": 0.4, "max_message_bytes": 1_000_000, "mode": "stream"}
    with faulty_server(behave) as port, caplog.at_level(logging.DEBUG, "sense_mqtt.sense"):
        feed = feed_of(session, inbox, settings(url=f"ws://127.0.0.1:{port}", **rude))
        with running(feed):
            wait_for(lambda: len([record for record in caplog.records if "trying again" in record.message]) >= 2)
    complaints = [record for record in caplog.records if "trying again" in record.message]
    assert [record.levelname for record in complaints][:2] == ["WARNING", "DEBUG"]
    assert re.search(reason, complaints[0].message), complaints[0].message


def test_text_that_is_no_text_is_brought_all_the_same(session, inbox, settings):
    with (
        faulty_server(say(OPENED + b"\x81\x02\xff{")) as port,
        running(feed_of(session, inbox, settings(url=f"ws://127.0.0.1:{port}"))),
    ):
        items = told(inbox, FrameArrived)
    assert frames(items)[0].raw == "\ufffd{"
