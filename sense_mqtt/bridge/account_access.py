"""What one Sense account is given: what is configured, and how Sense is asked about it."""

import threading
from collections.abc import Callable

from msgspec import Struct

from sense_mqtt.bridge.health import Counts
from sense_mqtt.bridge.monitor import MonitorSettings, RunningFeed
from sense_mqtt.sense.rest_queries.call_budget import Budgets
from sense_mqtt.sense.rest_queries.lookups import Lookups
from sense_mqtt.sense.rest_queries.worker import RestWorker


class AccountAccess(Struct, frozen=True):
    """How Sense is asked about one account."""

    worker: RestWorker
    lookups: Lookups
    open_feed: Callable[[int], RunningFeed]  # of the monitor with this id
    closing: threading.Event  # set: whoever waits for Sense gives up
    budgets: Budgets  # of commands
    calls: Counts  # and logins, of the last hour


class AccountOptions(Struct, frozen=True):
    """What is configured for an account."""

    number: int  # its place among the accounts
    wanted: frozenset[int]  # ids of the monitors to serve; none: all
    monitor: MonitorSettings
    name: str  # empty where there is one without a name; where there are several
    is_only_one: bool  # of the configuration, in whichever process the others are
