"""What a feed does next, without a thread, a socket or a clock that runs by itself."""

import pytest

from sense_mqtt.errors import LoginRefused, SenseUnavailable, TokenRefused
from sense_mqtt.inbox import MAX_WAITING_OF_ONE
from sense_mqtt.items import FeedChanged, FeedEnded, FeedOpened, FrameArrived, UpdatePolled
from sense_mqtt.sense.feed.connection_errors import ConnectionClosed, HandshakeRejected
from tests.support.sense.feed_doubles import MONITOR, MachineHarness, ScriptedConnection

UPDATE = b'{"type": "realtime_update", "payload": {"w": 5}}'
LOST = ConnectionClosed("connection lost without a close frame", by_peer=True)


def of_kind(items, kind):
    return [item for item in items if isinstance(item, kind)]


def test_poll_mode_asks_once_in_each_interval(tmp_path):
    harness = MachineHarness(tmp_path, mode="poll", poll_interval_s=60.0)
    harness.begin()
    assert [harness.next() for _ in range(3)] == [60.0, 60.0, 60.0]
    told = harness.told()
    assert told[0] == FeedOpened(MONITOR, "poll")
    assert len(of_kind(told, UpdatePolled)) == len(told) - 1 == 4


def test_a_poll_that_fails_is_told_once_and_made_again(tmp_path):
    harness = MachineHarness(tmp_path, mode="poll", poll_interval_s=60.0)
    harness.begin()
    harness.told()
    harness.session.polls = [SenseUnavailable("HTTP 502"), SenseUnavailable("HTTP 502"), {"w": 2}]
    waits = [harness.next() for _ in range(3)]
    assert all(wait_s >= 60.0 for wait_s in waits)
    kinds = [type(item) for item in harness.told()]
    assert kinds == [FeedEnded, FeedOpened, UpdatePolled]


def test_messages_are_delivered_in_order_and_a_drop_is_followed_by_another_attempt(tmp_path):
    first = ScriptedConnection(UPDATE, b"second", LOST)
    harness = MachineHarness(tmp_path, first, ScriptedConnection(UPDATE))
    harness.begin()
    told = harness.told()
    assert told[:3] == [FeedOpened(MONITOR, "stream"), FrameArrived(MONITOR, UPDATE), FrameArrived(MONITOR, b"second")]
    assert [type(item) for item in told[3:]] == [FeedEnded]
    assert first.closed == 1
    assert harness.next() >= 1.0
    assert harness.told() == [FeedOpened(MONITOR, "stream"), FrameArrived(MONITOR, UPDATE)]


def test_where_the_inbox_has_no_room_nothing_is_read_and_nothing_is_lost(tmp_path):
    messages = [b"%d" % number for number in range(3 * MAX_WAITING_OF_ONE)]
    connection = ScriptedConnection(*messages)
    harness, came = MachineHarness(tmp_path, connection), []
    harness.begin()
    while len(came) < len(messages):
        harness.machine.on_ready() if not harness.loop.waits_for_room else None
        if harness.loop.waits_for_room:
            assert harness.loop.watched is None
            assert len(harness.inbox) <= MAX_WAITING_OF_ONE + 1
            harness.machine.on_due()  # however long it takes, that is not Sense's silence
        came += [item.raw for item in of_kind(harness.told(), FrameArrived)]
        harness.loop.waits_for_room = False
        harness.machine.on_room()
    assert came == messages
    assert connection.times_extended > 0


def test_a_snapshot_is_one_frame_and_holds_no_socket(tmp_path):
    connections = [ScriptedConnection(b'{"type": "hello"}', UPDATE, UPDATE) for _ in range(2)]
    harness = MachineHarness(tmp_path, *connections, mode="snapshot", poll_interval_s=60.0)
    harness.begin()
    assert harness.next() == 60.0
    assert len(of_kind(harness.told(), FrameArrived)) == 4
    assert [connection.closed for connection in connections] == [1, 1]


def test_refused_three_times_it_polls_and_tries_the_websocket_after_the_cool_down(tmp_path):
    refused = [ScriptedConnection(refusal=HandshakeRejected("the feed refused (HTTP 503)")) for _ in range(3)]
    harness = MachineHarness(tmp_path, *refused, ScriptedConnection(UPDATE), cooldown_first_s=300.0)
    harness.begin()
    waited_s = 0.0
    while not of_kind(told := harness.told(), FrameArrived):
        changed = of_kind(told, FeedChanged)
        waited_s = 0.0 if changed else waited_s
        waited_s += harness.next()
    assert 300.0 <= waited_s <= 300.0 * 1.25 + 60.0
    assert of_kind(told, FeedChanged)[-1].transport == "stream"


def test_a_refused_token_is_given_back_and_a_second_refusal_is_one_of_the_feed(tmp_path):
    refused = [ScriptedConnection(refusal=TokenRefused("HTTP 401")) for _ in range(2)]
    harness = MachineHarness(tmp_path, *refused, ScriptedConnection(UPDATE), mode="stream")
    harness.begin()
    harness.next()
    assert harness.session.refused == ["a token", "a token"]
    harness.next()
    assert of_kind(harness.told(), FrameArrived)


def test_without_a_login_it_looks_again_soon_and_counts_no_failure(tmp_path):
    harness = MachineHarness(tmp_path, *[LoginRefused("log in")] * 20, ScriptedConnection(UPDATE), login_check_s=5.0)
    harness.begin()
    assert {harness.next() for _ in range(20)} == {5.0}
    assert harness.told() == [FeedOpened(MONITOR, "stream"), FrameArrived(MONITOR, UPDATE)]


def test_another_process_that_holds_the_feed_is_waited_for(tmp_path):
    harness = MachineHarness(tmp_path, None, None, ScriptedConnection(UPDATE))
    harness.begin()
    assert [harness.next(), harness.next()] == [1.0, 2.0]
    assert of_kind(harness.told(), FrameArrived)


@pytest.mark.parametrize("silent", [True, False])
def test_a_pause_lets_go_of_the_socket_and_ends_by_itself(tmp_path, silent):
    first = ScriptedConnection(UPDATE)
    harness = MachineHarness(tmp_path, first, ScriptedConnection(UPDATE), poll_interval_s=60.0)
    harness.begin()
    harness.told()
    harness.pauses.begin(150.0, silent=silent)
    harness.machine.interrupt()
    harness.loop.work()
    assert first.closed == 1
    waited_s = 0.0
    while harness.pauses.current:
        waited_s += harness.next()
    told = harness.told()
    assert waited_s == 150.0
    assert len(of_kind(told, UpdatePolled)) == (0 if silent else 3)
    assert [item.transport for item in of_kind(told, FeedChanged)] == ["paused", "stream"]
    assert told[-1] == FrameArrived(MONITOR, UPDATE)


def test_a_pause_while_an_attempt_is_made_elsewhere_ends_that_attempt(tmp_path):
    connection = ScriptedConnection(UPDATE)
    harness = MachineHarness(tmp_path, connection)
    harness.machine.begin()
    harness.pauses.begin(150.0, silent=True)
    harness.machine.interrupt()
    harness.loop.work()
    assert connection.closed == 1
    assert not of_kind(harness.told(), FeedOpened)


def test_begun_twice_or_called_again_it_makes_one_attempt(tmp_path):
    harness = MachineHarness(tmp_path, ScriptedConnection(UPDATE))
    harness.machine.interrupt()
    harness.machine.begin()
    harness.machine.reconsider()
    assert len(harness.loop.works) == 1


def test_the_end_comes_at_once_and_is_told(tmp_path):
    connection = ScriptedConnection(UPDATE)
    harness = MachineHarness(tmp_path, connection)
    harness.begin()
    harness.machine.closing = True
    harness.machine.interrupt()
    assert harness.machine.closed.is_set()
    assert (connection.closed, harness.loop.is_removed) == (1, True)
    assert harness.told()[-1] == FeedEnded(MONITOR, "stopping")
