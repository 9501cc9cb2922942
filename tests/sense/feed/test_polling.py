"""One poll, and the firmware that may not answer it."""

from typing import Any

import pytest

from sense_mqtt.errors import NotFound
from sense_mqtt.sense.feed.fallback import Mode
from sense_mqtt.sense.feed.polling import Poller, PollingUnsupported
from tests.support.sense.feed_doubles import TableSession
from tests.support.sense.sense_fixtures import FakeClock

OLD = {"monitor_info": {"version": "1.49.29-4a5ddd65-release"}}


def poller(mode: Mode, *polls: Any, status: Any = OLD) -> Poller:
    session: Any = TableSession()
    session.polls, session.status = list(polls), status
    return Poller(7, session, FakeClock(), mode)


def test_old_firmware_is_not_polled_where_there_are_other_ways():
    with pytest.raises(PollingUnsupported, match=r"its firmware .* is older than"):
        poller("auto", {"w": 1}).poll()


def test_where_only_polling_is_wanted_sense_decides():
    assert poller("poll", {"w": 1}).poll().payload == {"w": 1}


@pytest.mark.parametrize(
    ("status", "why"),
    [(OLD, "firmware 1.49.29-4a5ddd65-release is older"), ({}, "monitor 7 cannot be polled: no such")],
)
def test_a_refusal_names_the_firmware_where_it_is_the_reason(status, why):
    with pytest.raises(PollingUnsupported, match=why):
        poller("poll", NotFound("no such path"), status=status).poll()
