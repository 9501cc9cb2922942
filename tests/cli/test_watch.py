"""The live table of a house, from what its topics say."""

import io
import json
from itertools import chain, count
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from sense_mqtt.cli.listening import Listening
from sense_mqtt.cli.watch import LiveTable, draw, watch, write_svg
from sense_mqtt.errors import ConfigError, SenseMqttError
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import BrokerConnected, BrokerDropped, MessageArrived
from tests.support.core.builders import moment
from tests.support.publisher.fake_broker import FakeBroker

EVENT = {"time": "2026-11-21T19:00:00.500Z", "name": "Dryer", "event_type": "turned_off", "duration_s": 61.4}
SAID = [
    ("sense/7/power", "1512.0"),
    ("sense/7/solar_power", "20.0"),
    ("sense/7/device/dryer/state", "ON"),
    ("sense/7/device/dryer/power", "1200.0"),
    ("sense/7/device/dryer/attributes", '{"name": "Dryer"}'),
    ("sense/7/device/lamp/power", "40.0"),
    ("sense/7/device/lamp/attributes", '{"name": "Lamp"}'),
    ("sense/7/device/lamp/energy/day", '{"consumption_kwh": 1}'),
    ("sense/7/energy/day", '{"consumption_kwh": 1}'),
    ("sense/7/device/dryer/event", json.dumps(EVENT)),
    ("sense/bridge/state", "online"),
]


def shown(board):
    console = Console(file=io.StringIO(), width=100)
    console.print(draw(board, "A house"))
    return console.file.getvalue()


@pytest.fixture
def board():
    board = LiveTable(zone=ZoneInfo("America/New_York"))
    for topic, payload in SAID:
        board.add_message(topic, payload)
    return board


def test_house_devices_and_events_are_shown_the_greatest_consumer_first(board):
    text = shown(board)
    assert "House 1512.0 W   Solar 20.0 W" in text
    assert text.index("Dryer") < text.index("Lamp")
    assert "2026-11-21 14:00:00 Dryer turned_off, 61 s" in text


def test_a_base_topic_of_several_levels_is_understood():
    board = LiveTable()
    board.add_message("home/cellar/sense/7/power", "5.0")
    assert "House 5.0 W" in shown(board)


def test_a_device_that_is_gone_is_not_shown(board):
    for key in ("state", "power", "attributes"):
        board.add_message(f"sense/7/device/dryer/{key}", "")
    assert "1200.0" not in shown(board)


@pytest.mark.parametrize("payload", ["{", "[]", "5", '{"duration_s": "long"}'])
def test_what_is_no_event_or_no_number_breaks_nothing(board, payload):
    board.add_message("sense/7/device/dryer/event", payload)
    board.add_message("sense/7/device/dryer/attributes", payload)
    board.add_message("sense/7/device/dryer/power", "lots")
    assert "Lamp" in shown(board)


class Ticking:
    """Each look at this clock takes 100 ms."""

    def __init__(self):
        self._looks = count()

    def now(self):
        return moment(next(self._looks) / 10)


class DeadInbox(Inbox):
    """Never waits; every attempt to connect fails at once."""

    def __init__(self, broker, code=None):
        super().__init__()
        self._broker, self._told, self._code = broker, 0, code

    def get(self, _timeout_s):
        if self._told < self._broker.opened:
            self._told = self._broker.opened
            return BrokerDropped(self._broker.connection_id, "refused", code=self._code)
        return super().get(0)


def watched(broker, heard, seconds=10):
    return watch(Listening(heard, broker, "here"), Console(file=io.StringIO()), "A house", Ticking(), seconds)


def test_a_broker_that_cannot_be_reached_is_tried_again_once_a_second_and_the_end_says_so():
    broker = FakeBroker()
    with pytest.raises(SenseMqttError, match=r"^here: no connection to the MQTT broker: refused$") as raised:
        watched(broker, DeadInbox(broker))
    assert raised.value.exit_code == 1
    assert 8 <= broker.opened <= 10
    assert broker.closed


@pytest.mark.parametrize("code", [134, 135])
def test_a_user_that_the_broker_does_not_take_ends_it_at_once_as_a_fault_of_the_configuration(code):
    broker = FakeBroker()
    with pytest.raises(ConfigError, match="refused"):
        watched(broker, DeadInbox(broker, code))
    assert (broker.opened, broker.closed) == (1, True)


def test_a_broker_that_has_taken_the_user_before_is_tried_again():
    broker = FakeBroker()
    heard = DeadInbox(broker, 135)
    items = chain([BrokerConnected(1, 20)], iter(lambda: DeadInbox.get(heard, 0), StopIteration))
    heard.get = lambda _timeout_s: next(items)
    assert watched(broker, heard).trouble == "refused"
    assert broker.opened >= 8


def test_what_is_heard_is_shown():
    broker, heard, console = FakeBroker(), Inbox(), Console(file=io.StringIO(), width=100)
    for topic, payload in SAID:
        heard.put(MessageArrived(1, topic, payload.encode()))
    heard.get = lambda _timeout_s: Inbox.get(heard, 0)
    watch(Listening(heard, broker, "here"), console, "A house", Ticking(), seconds=5)
    assert "House 1512.0 W" in console.file.getvalue()
    assert broker.opened == 1


def test_a_picture_is_written(board, tmp_path):
    write_svg(tmp_path / "home.svg", board, "A house")
    picture = (tmp_path / "home.svg").read_text()
    assert "Dryer" in picture
    assert "url(http" not in picture.replace('"', "")


def test_a_picture_that_cannot_be_written_is_reported(board, tmp_path):
    with pytest.raises(ConfigError, match="cannot be written"):
        write_svg(tmp_path / "nowhere" / "home.svg", board, "A house")


def test_why_there_is_no_connection_is_shown():
    assert "no connection to the MQTT broker: refused" in shown(LiveTable(trouble="refused"))


class ClosedPipe(io.StringIO):
    """Takes so many lines, as `head` does."""

    def __init__(self, lines):
        super().__init__()
        self._lines = lines

    def write(self, text):
        if self.getvalue().count("\n") >= self._lines:
            raise BrokenPipeError
        return super().write(text)


def test_in_a_pipe_each_event_is_a_line_when_it_comes_and_a_closed_pipe_ends_it():
    broker, pipe = FakeBroker(), ClosedPipe(2)
    event = MessageArrived(1, "sense/7/device/dryer/event", json.dumps(EVENT).encode())
    heard = Inbox()
    heard.get = lambda _timeout_s: event
    board, console = LiveTable(zone=ZoneInfo("America/New_York")), Console(file=pipe)
    with pytest.raises(BrokenPipeError):
        watch(Listening(heard, broker, "here"), console, "A house", Ticking(), 10, board)
    assert pipe.getvalue() == "A house\n  2026-11-21 14:00:00 Dryer turned_off, 61 s\n"
    assert broker.closed
