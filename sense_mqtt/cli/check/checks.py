"""The checks: a table of small functions, each of which says what is well, or raises what is not and what to do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from sense_mqtt.config import Config
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.wire.devices import mapping
from sense_mqtt.core.wire.monitor_status import read_firmware
from sense_mqtt.errors import ConfigError, SenseMqttError
from sense_mqtt.items import MessageArrived
from sense_mqtt.sense.auth.session import Account, Monitor


class CheckFailed(SenseMqttError):
    """Something outside is not as it must be; says what, and what to do."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A message to the broker, not retained, that is to come back by one of our filters."""

    topic: str
    payload: str
    comes_by: str | None = None  # None: we do not subscribe to it
    is_needed: bool = True  # False: only to learn whether the filter works, `run` publishes nothing there


@dataclass(frozen=True, slots=True)
class Findings:
    """What a connection to the broker showed. A trial that is needed and failed is a `CheckFailed` instead."""

    heard: Sequence[MessageArrived] = ()  # of others
    refused: Mapping[str, str] = field(default_factory=dict)  # filter -> what does not work therefore
    unheard: Sequence[Trial] = ()  # not needed, and did not come back
    limits: Sequence[str] = ()  # what the broker cannot do
    protocol: str = "5"


class Standing(Protocol):
    """The session, as far as it is looked at."""

    @property
    def logins_last_hour(self) -> int: ...
    def account(self) -> Account: ...
    def token(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Edges:
    """The configuration, and all that a check can touch of the outside."""

    config: Config
    topics: Topics
    session: Standing
    status: Callable[[int], Any]  # Sense's status of a monitor; asked once each
    resolve: Callable[[str], Sequence[str]]  # host -> addresses; raises OSError
    uses_proxy: Callable[[str], bool]  # whether a URL is reached through a proxy
    shake_hands: Callable[[str], str]  # URL -> whom we met
    look_at_feed: Callable[[int], str]  # monitor -> how a frame came
    try_broker: Callable[[Sequence[Trial]], Findings]  # with the filters of `run`
    event: str  # a payload that no other check publishes


# --- Sense


def _find(host: str, edges: Edges, setting: str) -> str:
    try:
        addresses = edges.resolve(host)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise CheckFailed(f"{host}: {why}; check {setting}, the network and the name server") from error
    return f"{host} is at {', '.join(addresses)}"


def _find_sense(url: str, edges: Edges, setting: str) -> str:
    if edges.uses_proxy(url):
        return f"left to the proxy that the environment names for {urlsplit(url).hostname}"
    return _find(urlsplit(url).hostname or "", edges, setting)


def _meet(url: str, edges: Edges) -> str:
    if edges.uses_proxy(url):
        return f"left to the proxy that the environment names for {urlsplit(url).hostname}"
    return edges.shake_hands(url)


def find_api(edges: Edges) -> str:
    return _find_sense(edges.config.sense.api_url, edges, "sense.api_url")


def find_feed(edges: Edges) -> str:
    return _find_sense(edges.config.sense.feed_url, edges, "sense.feed_url")


def meet_api(edges: Edges) -> str:
    return _meet(edges.config.sense.api_url, edges)


def meet_feed(edges: Edges) -> str:
    return _meet(edges.config.sense.feed_url, edges)


def stand(edges: Edges) -> str:
    """A session that is stored serves, and spends no login; without one a login is made, where the budget allows."""
    session, before = edges.session, edges.session.logins_last_hour
    monitors = session.account().monitors
    session.token()
    for monitor in monitors[:1]:
        edges.status(monitor.id)  # shows that the session is taken
    if session.logins_last_hour == before:
        return "the stored session is taken; no login was spent"
    return "logged in with sense.email and sense.password, as no session was stored or left; it is stored now"


def know_monitors(edges: Edges) -> str:
    return "; ".join(_describe(monitor, edges.status(monitor.id)) for monitor in _monitors(edges))


def _monitors(edges: Edges) -> Sequence[Monitor]:
    wanted, there = edges.config.sense.monitors, edges.session.account().monitors
    if not there:
        raise CheckFailed("the account has none; set one up in the Sense app")
    known = [monitor.id for monitor in there]
    missing = [monitor for monitor in wanted if monitor not in known]
    if missing:
        raise ConfigError(f"sense.monitors: the account has no monitor {_list(missing)}, but {_list(known)}")
    return [monitor for monitor in there if not wanted or monitor.id in wanted]


def _describe(monitor: Monitor, status: Any) -> str:
    if mapping(mapping(status).get("monitor_info")).get("online") is False:
        raise CheckFailed(f"{monitor.id} is offline; check its power and its Wi-Fi, and the Sense app")
    firmware = read_firmware(status)
    version = "firmware not told" if firmware is None else f"firmware {firmware}"
    return f"{monitor.id}, {version}, {'with' if monitor.solar else 'without'} solar"


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def see_frames(edges: Edges) -> str:
    return "; ".join(f"{monitor.id}: {edges.look_at_feed(monitor.id)}" for monitor in _monitors(edges))


# --- MQTT

UNHEARD = "what was published on {} did not come back: commands may not be heard; let mqtt.username read {}"
SILENT_REFUSALS = "with MQTT 3.1.1 a broker refuses without a word: make sure that mqtt.username may write {}/#"


def find_broker(edges: Edges) -> str:
    return _find(edges.config.mqtt.host, edges, "mqtt.host")


def hear_broker(edges: Edges) -> str:
    """Requests are tried on the parent level of their filter, where no bridge takes anything for a command."""
    topic, events = edges.topics.check_event
    parent, requests = edges.topics.check_request
    found = edges.try_broker((Trial(topic, edges.event, events), Trial(parent, edges.event, requests, is_needed=False)))
    heard = "published on {}" if events in found.refused else "published on {} and heard it"
    unheard = [UNHEARD.format(trial.topic, trial.comes_by) for trial in found.unheard]
    lost = [*found.refused.values(), *unheard, *found.limits]
    return "; but ".join([f"connected with MQTT {found.protocol}, {heard.format(topic)}", *lost])


def hear_home_assistant(edges: Edges) -> str:
    """Home Assistant's birth message is not retained by default, so its silence tells nothing (its MQTT page)."""
    if edges.config.home_assistant.discovery == "off":
        return "home_assistant.discovery is off, so it is told nothing"
    topics = edges.topics
    event, events = topics.check_event
    # What the broker keeps of Home Assistant comes before our own event does.
    found = edges.try_broker((Trial(topics.check_discovery, ""), Trial(event, edges.event, events)))
    rights = f"the broker took a message on {topics.check_discovery}"
    if found.protocol != "5":
        rights += f" ({SILENT_REFUSALS.format(topics.prefix)})"
    if topics.birth in found.refused:
        return f"{rights}; but {found.refused[topics.birth]}"
    heard = [message for message in found.heard if message.topic == topics.birth]
    if not heard:
        return f"{rights}; {topics.birth} is silent until it starts, so whether it runs cannot be told from here"
    return f"{rights}; last it said {heard[-1].payload.decode(errors='replace')[:20]!r} on {topics.birth}"


# --- the table


@dataclass(frozen=True, slots=True)
class Check:
    """What to look at, and what must be well before."""

    look: Callable[[Edges], str]
    needs: tuple[str, ...] = ()


CHECKS: Mapping[str, Check] = {
    "dns api": Check(find_api),
    "tls api": Check(meet_api, ("dns api",)),
    "login": Check(stand, ("tls api",)),
    "monitors": Check(know_monitors, ("login",)),
    "dns feed": Check(find_feed),
    "tls feed": Check(meet_feed, ("dns feed",)),
    "feed": Check(see_frames, ("monitors", "tls feed")),
    "dns broker": Check(find_broker),
    "broker": Check(hear_broker, ("dns broker",)),
    "home assistant": Check(hear_home_assistant, ("broker",)),
}
