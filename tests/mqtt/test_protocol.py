"""Which version of MQTT is spoken where mqtt.protocol is `auto`, and what is kept of it over restarts."""

import pytest

from sense_mqtt.mqtt.protocol import FILE, REMEMBERED_S, ProtocolChoice, ProtocolMemory

DAY_S = 86400.0


class World:
    """A state directory, and a clock that the test turns."""

    def __init__(self, folder):
        self.folder, self.now = folder / "state", 1e9

    def start(self, wanted="auto", broker="localhost:1883"):
        """Begin a new process."""
        return ProtocolChoice(wanted, ProtocolMemory(broker, self.folder, lambda: self.now))


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def meet_older(choice, *, silent=False):
    """Connect to a broker that hangs up on MQTT 5, or never answers it; return the versions that were tried."""
    tried = []
    while len(tried) < 10:
        tried.append(choice.version)
        if choice.version == "5":
            choice.unanswered(silent=silent)
        elif choice.taken():
            break
    return tried


def test_a_broker_that_takes_mqtt_5_is_spoken_to_so_whatever_happens_later(world):
    choice = world.start()
    assert choice.version == "5"
    assert choice.taken()
    for silent in (False, True):
        assert not choice.unanswered(silent=silent)
    assert choice.version == "5"


def test_after_a_hang_up_mqtt_5_is_tried_once_more_before_3_1_1_is_kept(world):
    assert meet_older(world.start()) == ["5", "3.1.1", "5", "3.1.1"]


def test_a_broker_that_hung_up_once_as_it_was_starting_is_spoken_to_with_mqtt_5(world):
    choice = world.start()
    assert choice.unanswered(silent=False)
    assert not choice.taken()
    assert choice.version == "5"
    assert choice.taken()
    assert world.start().version == "5"


def test_a_broker_that_hangs_up_on_everything_is_tried_with_both(world):
    choice = world.start()
    tried = []
    for _ in range(4):
        tried.append(choice.version)
        choice.unanswered(silent=False)
    assert tried == ["5", "3.1.1", "5", "3.1.1"]


def test_a_broker_that_never_answers_mqtt_5_costs_that_wait_once_also_over_restarts(world):
    assert meet_older(world.start(), silent=True) == ["5", "3.1.1"]
    assert meet_older(world.start(), silent=True) == ["3.1.1"]


def test_what_was_learnt_survives_that_the_broker_is_away(world):
    choice = world.start()
    meet_older(choice)
    for silent in (False, True):
        assert not choice.unanswered(silent=silent)
    assert choice.version == "3.1.1"
    assert choice.taken()


def test_an_answer_that_mqtt_5_is_not_known_is_believed_at_once_and_kept(world):
    choice = world.start()
    assert choice.refused()
    assert choice.version == "3.1.1"
    assert choice.taken()
    assert world.start().version == "3.1.1"


def test_a_broker_that_was_replaced_by_an_older_one_is_followed(world):
    choice = world.start()
    choice.taken()
    assert choice.refused()
    assert choice.version == "3.1.1"


def test_a_broker_that_knows_mqtt_5_only_is_followed(world):
    choice = world.start()
    choice.refused()
    assert not choice.refused()
    assert choice.version == "5"
    assert world.start().version == "5"


@pytest.mark.parametrize("is_running", [True, False], ids=["by the process", "by the next one"])
def test_mqtt_5_is_tried_again_after_a_week(world, is_running):
    choice = world.start()
    meet_older(choice)
    world.now += REMEMBERED_S - DAY_S
    assert choice.taken()
    world.now += DAY_S
    if is_running:
        assert not choice.taken()
    else:
        choice = world.start()
    assert choice.version == "5"
    assert choice.taken()
    assert world.start().version == "5"


@pytest.mark.parametrize("wanted", ["5", "3.1.1"])
def test_a_version_that_was_asked_for_is_kept(world, wanted):
    meet_older(world.start())
    choice = world.start(wanted)
    assert not choice.refused()
    assert not choice.unanswered(silent=True)
    assert choice.version == wanted
    assert choice.taken()


def test_of_another_broker_nothing_was_learnt(world):
    meet_older(world.start())
    assert world.start(broker="elsewhere:1883").version == "5"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"\xff", b"{}", b'{"broker": "localhost:1883", "mqtt_3_1_1_only_since": "x"}']
)
def test_a_damaged_file_is_as_none(world, content):
    world.folder.mkdir()
    (world.folder / FILE).write_bytes(content)
    assert world.start().version == "5"


def test_a_clock_that_was_set_back_makes_nothing_last_longer(world):
    meet_older(world.start())
    world.now -= DAY_S
    assert world.start().version == "5"


def test_where_nothing_can_be_kept_it_is_known_as_long_as_we_run(world, caplog):
    world.folder.write_text("no directory")
    choice = world.start()
    assert meet_older(choice) == ["5", "3.1.1", "5", "3.1.1"]
    assert f"{FILE}: cannot be written" in caplog.text
    assert choice.taken()
