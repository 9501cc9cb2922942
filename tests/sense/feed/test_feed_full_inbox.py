"""A feed whose inbox has no room."""

import threading
import time

import pytest

from sense_mqtt.core.wire.decode import decode
from sense_mqtt.inbox import MAX_WAITING_OF_ONE, Inbox
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.simulator.house.builtin import BEGINS, BuiltInHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.sense.feed_items import frames, updates
from tests.support.sense.sense_fixtures import PATIENCE_S, feed_of, items_until, running, session_of

pytestmark = pytest.mark.enable_socket


class StubbornInbox(Inbox):
    """Tells when it had no room."""

    def __init__(self):
        super().__init__()
        self.refused = threading.Event()

    def put_frame(self, item):
        taken = super().put_frame(item)
        if not taken:
            self.refused.set()
        return taken


def test_a_full_inbox_holds_the_frames_back_and_loses_none(tmp_path):
    with SimulatedCloud(BuiltInHouse(seed=1), clock_mode="free", until=BEGINS + 120) as cloud:
        inbox = StubbornInbox()
        feed = feed_of(session_of(cloud, tmp_path), inbox, FeedSettings(tmp_path, url=cloud.feed_url))
        with running(feed):
            assert inbox.refused.wait(PATIENCE_S)
            assert len(inbox) <= MAX_WAITING_OF_ONE + 3  # beside the frames what is told of session and feed
            items = items_until(
                inbox, lambda items: sum(b"realtime_update" in item.raw[:20] for item in frames(items)) == 240
            )
    measured = [decode(item.raw).epoch for item in updates(items)]
    assert measured == [BEGINS + second // 2 for second in range(240)]
    assert cloud.records.counts.sockets_opened == 1


def test_closing_does_not_wait_for_room_in_the_inbox(session, settings):
    inbox = StubbornInbox()
    feed = feed_of(session, inbox, settings())
    feed.start()
    assert inbox.refused.wait(PATIENCE_S)
    began = time.monotonic()
    feed.close()
    assert time.monotonic() - began < 3
