"""Requests on MQTT: each one gets exactly one response, from the bridge itself or from Sense by the REST worker."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from sense_mqtt.bridge.account import BridgedAccount
from sense_mqtt.bridge.accounts import Accounts
from sense_mqtt.bridge.jobs import RunQuery
from sense_mqtt.bridge.monitor import BridgedMonitor, Services
from sense_mqtt.clock import Moment
from sense_mqtt.core.commands.parse import choose_monitor, parse
from sense_mqtt.core.commands.request_limit import REQUESTS_PER_S, RequestLimit
from sense_mqtt.core.commands.response_topics import ResponseTopics
from sense_mqtt.core.commands.responses import Command, Response, error_code, refuse, respond
from sense_mqtt.core.home.state import Home
from sense_mqtt.core.publishing.message import Message
from sense_mqtt.errors import BudgetSpent, NotFound, RateLimited, RequestRefused, SenseMqttError
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import MessageArrived, Stop
from sense_mqtt.logs.redaction import redact_json
from sense_mqtt.logs.repeat_log import RepeatLog
from sense_mqtt.sense.rest_queries.call_budget import CommandSession
from sense_mqtt.sense.rest_queries.lookups import Lookup, Lookups, RestSession

logger = logging.getLogger(__name__)


RESTART_COST = 5  # as much as so many pauses: account, devices, energy and timeline are read again
LOG_EVERY_S = 60.0  # between log lines about requests without response
UNEXPECTED_ERROR = "the command failed unexpectedly; see the log"


class RefreshResult(Struct, frozen=True):
    """What `refresh` read."""

    devices: Any
    results: Mapping[RunQuery, Any]  # of the queries that Sense answered


class RequestHandler:
    """Handles requests. For the bridge's thread only."""

    def __init__(
        self,
        inbox: Inbox,
        services: Services,
        accounts: Accounts,
        response_topics: ResponseTopics,
        redact: Callable[[str], str],
    ) -> None:
        self._inbox = inbox
        self._publisher = services.publisher
        self._status = services.status
        self._topics = services.topics
        self._accounts = accounts
        self._response_topics = response_topics
        self._redact = redact  # Sense's own words may hold a secret
        self._log = RepeatLog(logger)
        self._limit = RequestLimit()
        self._unanswered = 0  # requests, not told yet
        self._tell_at = 0.0  # monotonic
        self._own: Mapping[str, Callable[[Command, Moment], Any]] = {
            "republish": self._republish,
            "pause": self._pause,
            "resume": self._resume,
            "health": self._health,
            "log_level": self._set_log_level,
            "restart": self._restart,
        }

    def on_request(self, name: str, item: MessageArrived, now: Moment) -> None:
        """Carry out a request, begin to, or refuse it; in a flood, only count it."""
        treatment = self._limit.treat(now.monotonic, self._publisher.room_for_responses)
        if treatment == "count":
            self._unanswered += 1
            return
        request = parse(
            name,
            item.payload,
            retain=item.retain,
            response_topic=self._read_response_topic(item.response_topic),
            correlation=item.correlation,
        )
        if isinstance(request, Response):
            self._send(request)
        elif treatment == "refuse":
            self._send(refuse(request, "busy", f"more than {REQUESTS_PER_S} requests in one second: ask again later"))
        else:
            self._answer(request, lambda: self._begin(request, now))

    def count_unanswered(self, now: Moment) -> None:
        """Count and log requests without response, at most once a minute. Call each second."""
        self._unanswered += self._inbox.take_lost()
        if self._unanswered and now.monotonic >= self._tell_at:
            logger.warning("%d requests got no answer: more came than %d a second", self._unanswered, REQUESTS_PER_S)
            self._status.counters.requests_unanswered += self._unanswered
            self._unanswered, self._tell_at = 0, now.monotonic + LOG_EVERY_S

    def _read_response_topic(self, topic: str | None) -> str | None:
        """Return the requested response topic; None, for the contract's, where publishing there is not allowed."""
        if topic is None or self._response_topics.allow(topic):
            return topic
        usual = self._topics.response("<command>")
        text = "response topic %.100r is not allowed (docs/topics.md): answered on %s"
        self._log.log("response topic", text, topic, usual)
        return None

    def on_lookup_done(self, command: Command, result: Any, now: Moment) -> None:
        """Answer a request that Sense was asked about."""
        self._answer(command, lambda: self._finish(command, result, now))

    def _answer(self, command: Command, carry_out: Callable[[], Response | None]) -> None:
        """Send the one answer: what comes of it now, why not, or nothing yet where Sense is asked."""
        try:
            response = carry_out()
        except SenseMqttError as error:
            response = self._refuse(command, error)
        except Exception:
            self._send(refuse(command, "unavailable", UNEXPECTED_ERROR))
            raise
        if response is not None:
            self._send(response)

    def _begin(self, command: Command, now: Moment) -> Response | None:
        own = self._own.get(command.name)
        if own is not None:
            return respond(command, own(command, now), self._publisher.refusals.maximum_packet_size)
        account, monitor = self._monitor(command)
        lookup = _lookup_of(command, monitor, account.access.lookups, now)
        account.access.worker.submit_command(
            command, lambda session: lookup(CommandSession(session, account.access.budgets.calls))
        )
        return None

    def _finish(self, command: Command, result: Any, now: Moment) -> Response:
        if isinstance(result, RateLimited) and not isinstance(result, BudgetSpent):
            self._status.on_rate_limit(str(result), result.retry_after_s, now)
        if isinstance(result, SenseMqttError):
            return self._refuse(command, result)
        if isinstance(result, RefreshResult):
            result = self._take_in(command, result, now)
        return respond(command, redact_json(result), self._publisher.refusals.maximum_packet_size)

    def _refuse(self, command: Command, error: SenseMqttError) -> Response:
        code, message = error_code(error)
        wait_s = error.retry_after_s if isinstance(error, RateLimited) else None
        return refuse(command, code, self._redact(message), wait_s)

    def _monitor(self, command: Command) -> tuple[BridgedAccount, BridgedMonitor]:
        monitors = self._accounts.monitors()
        monitor = choose_monitor(command, tuple(monitors))
        return self._accounts.of_monitor(monitor), monitors[monitor]

    def _take_in(self, command: Command, refresh_result: RefreshResult, now: Moment) -> dict[str, Any]:
        account, monitor = self._monitor(command)
        account.on_devices(monitor.info.id, refresh_result.devices, now)
        for job, result in refresh_result.results.items():
            account.on_query_result(job, result, now)
        monitor.republish_devices()
        answered: dict[str, list[str]] = {job.capability: [] for job in monitor.queries(now)}
        for job in refresh_result.results:
            answered[job.capability].append(job.query)
        devices = len(refresh_result.devices) if isinstance(refresh_result.devices, list) else 0
        return {"monitor": monitor.info.id, "devices": devices, **answered}

    # --- what the bridge does itself

    def _republish(self, _command: Command, now: Moment) -> dict[str, Any]:
        self._status.publish(now)
        self._publisher.republish_all()
        return {}

    def _pause(self, command: Command, now: Moment) -> dict[str, Any]:
        minutes, silent = command.arguments["minutes"], command.arguments["silent"]
        if minutes == 0:  # what a switch in Home Assistant says when it is turned off
            return self._resume(command, now)
        meant = self._monitors_for(command)
        self._accounts.spend_on_monitors(meant)
        for monitor in meant:
            monitor.feed.pause(minutes * 60, silent=silent)
        return {"minutes": minutes, "monitors": [monitor.info.id for monitor in meant]}

    def _resume(self, command: Command, _now: Moment) -> dict[str, Any]:
        meant = self._monitors_for(command)
        for monitor in meant:
            monitor.feed.resume()
        return {"monitors": [monitor.info.id for monitor in meant]}

    def _monitors_for(self, command: Command) -> list[BridgedMonitor]:
        monitors = self._accounts.monitors()
        if command.monitor is None and monitors:
            return list(monitors.values())
        return [monitors[choose_monitor(command, tuple(monitors))]]

    def _health(self, _command: Command, now: Moment) -> dict[str, Any]:
        return self._status.health(now)

    def _set_log_level(self, command: Command, now: Moment) -> dict[str, Any]:
        level = str(command.arguments["level"])
        logging.getLogger("sense_mqtt").setLevel(level.upper())
        self._status.publish(now)
        return {"level": level}

    def _restart(self, _command: Command, _now: Moment) -> dict[str, Any]:
        self._accounts.spend_on_all(RESTART_COST)
        self._inbox.put(Stop("restart was asked for"))
        return {}

    def _send(self, response: Response) -> None:
        topic = response.topic or self._topics.response(response.command)
        self._publisher.enqueue_response(Message(topic, response.payload, correlation=response.correlation))


def _read_what_there_is(lookups: Mapping[RunQuery, Lookup], session: RestSession) -> Iterator[tuple[RunQuery, Any]]:
    """Yield what Sense answers to each query; not all accounts have, for example, a billing cycle."""
    for job, lookup in lookups.items():
        with contextlib.suppress(RequestRefused, NotFound):
            yield job, lookup(session)


def _lookup_of(command: Command, monitor: BridgedMonitor, lookups: Lookups, now: Moment) -> Lookup:
    if command.name != "refresh":
        return lookups.prepare(command.name, monitor.info, _with_sense_ids(command.arguments, monitor.home))
    devices = lookups.prepare("devices", monitor.info, {})
    queries = {job: lookups.run_query(monitor.info, query) for job, query in monitor.queries(now).items()}
    return lambda session: RefreshResult(devices(session), dict(_read_what_there_is(queries, session)))


def _with_sense_ids(arguments: Mapping[str, Any], home: Home) -> Mapping[str, Any]:
    """Return the arguments with Sense's present ids of devices, which may differ from those that are published."""
    given = {name: arguments[name] for name in ("id", "device_id") if isinstance(arguments.get(name), str)}
    return {**arguments, **{name: home.identities.sense_id_of(identity) for name, identity in given.items()}}
