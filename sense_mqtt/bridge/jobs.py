"""Periodic jobs: account, device list, queries of capabilities, timeline, health; each with a name for the log."""

import logging
from collections.abc import Collection, Mapping
from typing import Literal

from msgspec import Struct

from sense_mqtt.core.backoff import Retries
from sense_mqtt.core.status import STATUS
from sense_mqtt.errors import LoginRefused, RateLimited, SenseMqttError
from sense_mqtt.sense.rest_queries.worker import Urgency

logger = logging.getLogger(__name__)

# Between readings of the list, and of which monitors there are; a renamed or new device is seen in the feed before.
LIST_EVERY_S = 6 * 3600.0
POLLED_TIMELINE_S = 180.0  # between readings of the timeline, while no stream shows each edge
LOGIN_CHECK_S = 5.0  # between checks whether somebody has logged in


class ReadAccount(Struct, frozen=True):
    """Which monitors there are; logs in where that is needed."""

    account: int  # its place among the accounts


class ReadDevices(Struct, frozen=True):
    """The list of devices of a monitor."""

    monitor: int


class RunQuery(Struct, frozen=True):
    """What a capability needs to read; what, and when: bridge/queries.py."""

    monitor: int
    capability: str  # its key
    query: str  # its name there


class ReadTimeline(Struct, frozen=True):
    """What happened while frames did not show it."""

    monitor: int
    why: Literal["gap", "after a gap", "polled"]  # polled: no stream shows each edge


class CloseGap(Struct, frozen=True):
    """Wait no longer for the timeline of a gap."""

    monitor: int


class PublishHealth(Struct, frozen=True):
    """The health document, once a minute."""


class RepublishDiscovery(Struct, frozen=True):
    """Home Assistant has started: everything is announced to it again."""


Job = ReadAccount | ReadDevices | RunQuery | ReadTimeline | CloseGap  # of an account

NAMES: Mapping[type, str] = {
    ReadAccount: "the Sense account",
    ReadDevices: "the list of devices",
    ReadTimeline: "the timeline",
}
"""Of the jobs that ask Sense, and may fail; those of queries have the names of their capabilities."""


URGENCIES: Mapping[type, Urgency] = {
    ReadAccount: Urgency.MONITORS,
    ReadDevices: Urgency.DEVICES,
    RunQuery: Urgency.FIGURES,
}


def urgency_of(job: Job) -> Urgency:
    """Return how soon a job is to be done, where several wait for the account's next call."""
    if isinstance(job, ReadTimeline):
        return Urgency.GAP if job.why == "gap" else Urgency.MISSED_EDGES
    if isinstance(job, RunQuery) and job.capability == STATUS.key:
        return Urgency.STATUS
    return URGENCIES[type(job)]


def log_missing_monitors(known: Collection[int], wanted: Collection[int]) -> None:
    """Log the configured monitors that the account does not have."""
    for missing in sorted(set(wanted) - set(known)):
        logger.error("sense.monitors: the account has no monitor %s, but %s", missing, sorted(known) or "none")
    if not known:
        logger.error("the Sense account has no monitor")


def name_of(job: Job) -> str:
    """Return the name in the log of a job that asks Sense."""
    return f"{job.capability} ({job.query})" if isinstance(job, RunQuery) else NAMES[type(job)]


class JobIntervals(Struct, frozen=True):
    """How often the jobs that ask Sense are done."""

    polled_timeline_s: float  # the timeline, while no stream shows each edge

    def interval_s(self, job: Job) -> float:
        """Return the seconds from one time to the next."""
        match job:
            case ReadDevices():
                return LIST_EVERY_S
            case _:
                return self.polled_timeline_s

    def wait_s(self, error: SenseMqttError, retries: Retries) -> float:
        """Return the seconds until a job that failed is tried again."""
        match error:
            case LoginRefused():
                return LOGIN_CHECK_S  # costs no call
            case RateLimited():
                return max(retries.next_wait_s(), error.retry_after_s)
            case _:
                return retries.next_wait_s()
