"""The checks, as a table of functions: each returns a text when it passes, and raises with what to do when it fails."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from msgspec import Struct, field

from sense_mqtt.cli.check.webhook_check import Connect, connect, describe_webhooks
from sense_mqtt.cli.extras import how_to_install
from sense_mqtt.config import Config
from sense_mqtt.core.publishing.topics import Topics
from sense_mqtt.core.wire.devices import mapping
from sense_mqtt.core.wire.monitor_status import read_firmware
from sense_mqtt.errors import ConfigError, SenseMqttError
from sense_mqtt.items import MessageArrived
from sense_mqtt.sense.auth.session import Account, Monitor


class CheckFailed(SenseMqttError):
    """A check failed; the text says what, and what to do."""


class ProbeMessage(Struct, frozen=True):
    """A message to publish, not retained, that we expect to receive by one of our filters."""

    topic: str
    payload: str
    expected_filter: str | None = None  # None: we do not subscribe to it
    is_required: bool = True  # False: only to learn whether the filter works, `run` publishes nothing there


class BrokerReport(Struct, frozen=True):
    """What a connection to the broker showed. A trial that is needed and failed is a `CheckFailed` instead."""

    received: Sequence[MessageArrived] = ()  # of others
    refused: Mapping[str, str] = field(default_factory=dict)  # filter -> what does not work therefore
    not_received: Sequence[ProbeMessage] = ()  # not needed, and did not come back
    limits: Sequence[str] = ()  # what the broker cannot do
    protocol: str = "5"


class SessionView(Protocol):
    """The part of the session that the checks use."""

    @property
    def logins_last_hour(self) -> int: ...
    def account(self) -> Account: ...
    def token(self) -> str: ...


class CheckContext(Struct, frozen=True):
    """What the checks use: the configuration, and calls to name server, Sense and broker."""

    config: Config  # of one account
    topics: Topics
    session: SessionView
    status: Callable[[int], Any]  # Sense's status of a monitor; asked once each
    resolve: Callable[[str], Sequence[str]]  # host -> addresses; raises OSError
    uses_proxy: Callable[[str], bool]  # whether a URL is reached through a proxy
    tls_handshake: Callable[[str], str]  # URL -> whom we met
    probe_feed: Callable[[int], str]  # monitor -> how a frame came
    exchange_messages: Callable[[Sequence[ProbeMessage]], BrokerReport]  # with the filters of `run`
    event: str  # a payload that no other check publishes
    account: str = ""  # its name, where there are several
    connect: Connect = connect
    missing_for_web: Sequence[str] = ()  # libraries


# --- Sense

PROXY_IS_NAMED = "the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY) names a proxy for"


def _resolve(host: str, context: CheckContext, setting: str) -> str:
    try:
        addresses = context.resolve(host)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise CheckFailed(f"{host}: {why}; check {setting}, the network and the name server") from error
    return f"{host} is at {', '.join(addresses)}"


def _resolve_sense(url: str, context: CheckContext, setting: str) -> str:
    if context.uses_proxy(url):
        return f"not tested: {PROXY_IS_NAMED} {urlsplit(url).hostname}"
    return _resolve(urlsplit(url).hostname or "", context, setting)


def _check_tls(url: str, context: CheckContext) -> str:
    if context.uses_proxy(url):
        return f"not tested: {PROXY_IS_NAMED} {urlsplit(url).hostname}"
    return context.tls_handshake(url)


def resolve_api(context: CheckContext) -> str:
    return _resolve_sense(context.config.sense.api_url, context, "sense.api_url")


def resolve_feed(context: CheckContext) -> str:
    return _resolve_sense(context.config.sense.feed_url, context, "sense.feed_url")


def check_api_tls(context: CheckContext) -> str:
    return _check_tls(context.config.sense.api_url, context)


def check_feed_tls(context: CheckContext) -> str:
    return _check_tls(context.config.sense.feed_url, context)


def check_login(context: CheckContext) -> str:
    """Use the stored session; where there is none, log in, if the login budget allows."""
    session, before = context.session, context.session.logins_last_hour
    monitors = session.account().monitors
    session.token()
    for monitor in monitors[:1]:
        context.status(monitor.id)  # shows that the session is taken
    if session.logins_last_hour == before:
        return "the stored session is valid; no login was made"
    return "logged in with sense.email and sense.password, as no valid session was stored; the new one is stored"


def check_monitors(context: CheckContext) -> str:
    return "; ".join(_describe(monitor, context.status(monitor.id)) for monitor in _monitors(context))


def _monitors(context: CheckContext) -> Sequence[Monitor]:
    wanted, there = context.config.sense.monitors, context.session.account().monitors
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


def check_feed(context: CheckContext) -> str:
    return "; ".join(f"{monitor.id}: {context.probe_feed(monitor.id)}" for monitor in _monitors(context))


# --- MQTT

NOT_RECEIVED = "what was published on {} did not come back: commands may not be heard; let mqtt.username read {}"
SILENT_REFUSALS = "with MQTT 3.1.1 a broker refuses without a word: make sure that mqtt.username may write {}/#"


def resolve_broker(context: CheckContext) -> str:
    return _resolve(context.config.mqtt.host, context, "mqtt.host")


def check_broker(context: CheckContext) -> str:
    """Publish requests on the parent level of their filter, which no bridge reads as a command."""
    topic, events = context.topics.check_event
    parent, requests = context.topics.check_request
    found = context.exchange_messages(
        (ProbeMessage(topic, context.event, events), ProbeMessage(parent, context.event, requests, is_required=False))
    )
    heard = "published on {}" if events in found.refused else "published on {} and heard it"
    unheard = [NOT_RECEIVED.format(message.topic, message.expected_filter) for message in found.not_received]
    lost = [*found.refused.values(), *unheard, *found.limits]
    return "; but ".join([f"connected with MQTT {found.protocol}, {heard.format(topic)}", *lost])


def check_home_assistant(context: CheckContext) -> str:
    """Home Assistant's birth message is not retained by default, so its silence tells nothing (its MQTT page)."""
    if context.config.home_assistant.discovery == "off":
        return "home_assistant.discovery is off, so nothing is published for Home Assistant"
    topics = context.topics
    event, events = topics.check_event
    # What the broker keeps of Home Assistant comes before our own event does.
    found = context.exchange_messages(
        (ProbeMessage(topics.check_discovery, ""), ProbeMessage(event, context.event, events))
    )
    rights = f"the broker took a message on {topics.check_discovery}"
    if found.protocol != "5":
        rights += f" ({SILENT_REFUSALS.format(topics.prefix)})"
    if topics.birth in found.refused:
        return f"{rights}; but {found.refused[topics.birth]}"
    heard = [message for message in found.received if message.topic == topics.birth]
    if not heard:
        return f"{rights}; no message on {topics.birth}: Home Assistant publishes it only when it starts"
    return f"{rights}; its last message is {heard[-1].payload.decode(errors='replace')[:20]!r} on {topics.birth}"


# --- webhooks


def check_webhooks(context: CheckContext) -> str:
    urls = [hook.secret_url for hook in context.config.webhooks]
    text, is_well = describe_webhooks(urls, context.connect, context.uses_proxy)
    if not is_well:
        raise CheckFailed(text)
    return text


# --- the page


def check_page(context: CheckContext) -> str:
    web = context.config.web
    if not web.enabled:
        return "web.enabled is false, so there is none"
    if context.missing_for_web:
        raise ConfigError(f"web.enabled: the page needs {', '.join(context.missing_for_web)}: {how_to_install('web')}")
    return f"all that it needs is installed; `run` serves it on http://{web.host}:{web.port}/"


# --- the table


class Check(Struct, frozen=True):
    """A check, and the checks that must pass first."""

    run: Callable[[CheckContext], str]
    needs: tuple[str, ...] = ()
    is_of_account: bool = True  # False: it is the same for all accounts


CHECKS: Mapping[str, Check] = {
    "dns api": Check(resolve_api),
    "tls api": Check(check_api_tls, ("dns api",)),
    "login": Check(check_login, ("tls api",)),
    "monitors": Check(check_monitors, ("login",)),
    "dns feed": Check(resolve_feed),
    "tls feed": Check(check_feed_tls, ("dns feed",)),
    "feed": Check(check_feed, ("monitors", "tls feed")),
    "dns broker": Check(resolve_broker, is_of_account=False),
    "broker": Check(check_broker, ("dns broker",), is_of_account=False),
    "home assistant": Check(check_home_assistant, ("broker",), is_of_account=False),
    "webhooks": Check(check_webhooks, is_of_account=False),
    "page": Check(check_page, is_of_account=False),
}
