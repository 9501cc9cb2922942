"""Sense's REST endpoints: one row each in ROUTES."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from sense_mqtt.simulator.payloads import rest
from sense_mqtt.simulator.payloads.devices import PSEUDO_DEVICES, device_list
from sense_mqtt.simulator.payloads.history import GRANULARITY_S
from sense_mqtt.simulator.payloads.periods import SCALES, parse
from sense_mqtt.simulator.payloads.timeline import merge_pages
from sense_mqtt.simulator.server import login
from sense_mqtt.simulator.server.accounts import refusal
from sense_mqtt.simulator.server.middleware import API
from sense_mqtt.simulator.server.monitor import SimulatedMonitor
from sense_mqtt.simulator.server.service import SimulatedService

RestHandler = Callable[[SimulatedService, web.Request], Awaitable[web.Response]]
MonitorView = Callable[[SimulatedService, SimulatedMonitor, Mapping[str, str]], object]


class InvalidQuery(Exception):
    """A parameter is missing or wrong; says which."""


def routes(service: SimulatedService) -> list[web.RouteDef]:
    return [web.route(method, API + path, _bound(service, reply)) for method, path, reply in ROUTES]


def _bound(service: SimulatedService, reply: RestHandler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await reply(service, request)

    return answer


async def _environments(service: SimulatedService, _request: web.Request) -> web.Response:
    return web.json_response(rest.environments(service.api_url, service.feed_url))


# --- asking about a monitor


def _of_monitor(view: MonitorView) -> RestHandler:
    """Return the reply that shows a monitor: the one of the path, or of `monitor_id`; 404 where it is not ours."""

    async def reply(service: SimulatedService, request: web.Request) -> web.Response:
        number = request.match_info.get("monitor") or request.query.get("monitor_id", "")
        monitor = service.monitor(number)
        if monitor is None:
            raise web.HTTPNotFound
        try:
            return web.json_response(view(service, monitor, {**request.query, **request.match_info}))
        except InvalidQuery as error:
            return web.json_response(refusal(str(error)), status=400)

    return reply


def _devices(service: SimulatedService, monitor: SimulatedMonitor, query: Mapping[str, str]) -> object:
    merged = query.get("include_merged", "").lower() == "true" and not service.faults.hides_merged_devices
    return device_list(monitor.house.devices, solar=monitor.has_solar(), include_merged=merged)


def _devices_overview(service: SimulatedService, monitor: SimulatedMonitor, query: Mapping[str, str]) -> object:
    checksum = rest.devices_checksum(monitor.id, monitor.house.devices)
    return {"devices": _devices(service, monitor, query), "device_data_checksum": checksum}


def _device(_service: SimulatedService, monitor: SimulatedMonitor, query: Mapping[str, str]) -> object:
    known = {device.id: device for device in monitor.house.devices} | dict(PSEUDO_DEVICES)
    device = known.get(query["device"])
    if device is None:
        raise web.HTTPNotFound
    return rest.detail(device, monitor.house.power_at(monitor.now), monitor.now)


def _status(service: SimulatedService, monitor: SimulatedMonitor, _query: Mapping[str, str]) -> object:
    return rest.status(monitor.id, online=not service.faults.offline, firmware=service.firmware)


def _overview(service: SimulatedService, monitor: SimulatedMonitor, _query: Mapping[str, str]) -> object:
    entry = next(entry for entry in service.entries() if entry["id"] == monitor.id)
    return rest.overview(entry, monitor.house.devices)


def _realtime(service: SimulatedService, monitor: SimulatedMonitor, _query: Mapping[str, str]) -> object:
    if service.faults.old_firmware:
        raise web.HTTPNotFound
    monitor.skip(min(service.poll_step_s, monitor.house.ends - monitor.now))
    return monitor.frames.polled(monitor.now)


# --- history


def _usage(service: SimulatedService, monitor: SimulatedMonitor, query: Mapping[str, str]) -> object:
    if service.faults.usage_gone:
        raise web.HTTPNotFound
    return monitor.history.usage(_scale(query), _start(query), monitor.now)


def _solar_usage(service: SimulatedService, monitor: SimulatedMonitor, query: Mapping[str, str]) -> object:
    if service.faults.usage_gone or not monitor.has_solar():
        raise web.HTTPNotFound
    return monitor.history.solar(_scale(query), _start(query), monitor.now)


def _trends(service: SimulatedService, monitor: SimulatedMonitor, query: Mapping[str, str]) -> object:
    if service.faults.trends_gone:
        raise web.HTTPNotFound
    return monitor.history.trends(_scale(query), _start(query), monitor.now)


def _curve(_service: SimulatedService, monitor: SimulatedMonitor, query: Mapping[str, str]) -> object:
    granularity, frames = query.get("granularity", "").upper(), query.get("frames", "5400")
    if granularity not in GRANULARITY_S or not frames.isdecimal():
        raise InvalidQuery(f"granularity must be one of {sorted(GRANULARITY_S)}, frames a number")
    return monitor.history.curve(granularity, _start(query), int(frames), query.get("device_id") or None, monitor.now)


def _scale(query: Mapping[str, str]) -> str:
    scale = query.get("scale", "").upper()
    if scale not in SCALES:
        raise InvalidQuery(f"scale must be one of {sorted(SCALES)}")
    return scale


def _start(query: Mapping[str, str]) -> float:
    return _time(query, "start")


def _time(query: Mapping[str, str], name: str) -> float:
    try:
        return parse(query[name])
    except (KeyError, ValueError) as error:
        raise InvalidQuery(f"{name} must be a time such as 2026-06-16T04:00:00") from error


async def _timeline(service: SimulatedService, request: web.Request) -> web.Response:
    """Answer with the items of all the account's monitors."""
    query = request.query
    if request.match_info["user"] != str(service.account.user_id):
        raise web.HTTPNotFound
    try:
        prior_to = _time(query, "prior_to_item") if query.get("prior_to_item") else None
    except InvalidQuery as error:
        return web.json_response(refusal(str(error)), status=400)
    count, device = query.get("n_items", ""), query.get("device_id") or None
    n_items = max(1, int(count)) if count.isdecimal() else 30
    monitors = service.monitors.values()
    return web.json_response(
        merge_pages([monitor.timeline.page(monitor.now, n_items, device, prior_to) for monitor in monitors], n_items)
    )


def _rate_zones(_service: SimulatedService, monitor: SimulatedMonitor, _query: Mapping[str, str]) -> object:
    return rest.rate_zones(monitor.id)


def _comparisons(_service: SimulatedService, _monitor: SimulatedMonitor, _query: Mapping[str, str]) -> object:
    return rest.comparisons()


MONITOR = "app/monitors/{monitor}/"
ROUTES: tuple[tuple[str, str, RestHandler], ...] = (
    ("POST", "authenticate", login.authenticate),
    ("POST", "authenticate/mfa", login.authenticate_mfa),
    ("POST", "renew", login.renew),
    ("GET", "logout", login.log_out),
    ("GET", "public/monitors/environments", _environments),
    ("GET", MONITOR + "devices", _of_monitor(_devices)),
    ("GET", MONITOR + "devices/overview", _of_monitor(_devices_overview)),
    ("GET", MONITOR + "devices/{device}", _of_monitor(_device)),
    ("GET", MONITOR + "status", _of_monitor(_status)),
    ("GET", MONITOR + "overview", _of_monitor(_overview)),
    ("GET", MONITOR + "rate_zones", _of_monitor(_rate_zones)),
    ("GET", MONITOR + "history/usage", _of_monitor(_usage)),
    ("GET", MONITOR + "history/usage/solar", _of_monitor(_solar_usage)),
    ("GET", "app/{monitor}/realtime_update", _of_monitor(_realtime)),
    ("GET", "app/history/trends", _of_monitor(_trends)),
    ("GET", "app/history/usage", _of_monitor(_curve)),
    ("GET", "app/history/comparisons", _of_monitor(_comparisons)),
    ("GET", "users/{user}/timeline", _timeline),
)
