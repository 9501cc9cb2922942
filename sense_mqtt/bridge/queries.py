"""What the capabilities need to read of the monitors of one account: what is due when, and what is being read."""

from sense_mqtt.bridge.jobs import RunQuery
from sense_mqtt.bridge.monitor import BridgedMonitor
from sense_mqtt.bridge.scheduler import Scheduler
from sense_mqtt.clock import Moment
from sense_mqtt.core.capability import Query


class Queries:
    """Owns which queries are being read. For the bridge's thread only."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._running: dict[RunQuery, Query] = {}

    def plan(self, monitor: BridgedMonitor, now: Moment) -> None:
        """Set when each query of a monitor is due, as its capabilities say it now."""
        for job, query in monitor.queries(now).items():
            if job not in self._running:
                self._scheduler.plan(job, query.due)

    def begin(self, job: RunQuery, monitor: BridgedMonitor, now: Moment) -> Query | None:
        """Return the query of a job as it is now, and note that it is being read.

        None: it is not wanted any more, or is being read already, as one that is tried again with others may be.
        """
        query = None if job in self._running else monitor.queries(now).get(job)
        if query is not None:
            self._running[job] = query
        return query

    def end(self, job: RunQuery) -> float:
        """Note that a query is not being read any more; return how long (s) to wait where Sense has refused it."""
        return self._running.pop(job).refused_wait_s
