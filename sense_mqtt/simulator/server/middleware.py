"""What every request passes: the switched faults, the rate limit, the token, and the record of it all."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from sense_mqtt.simulator.payloads.rest import NOT_FOUND, UNAUTHORIZED
from sense_mqtt.simulator.server.faults import HttpFault
from sense_mqtt.simulator.server.monitor import reset
from sense_mqtt.simulator.server.request_log import LoggedRequest
from sense_mqtt.simulator.server.service import SimulatedService

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

API = "/apiservice/api/v1/"
OPEN_PATHS = frozenset({"authenticate", "authenticate/mfa", "renew", "public/monitors/environments"})
NEVER_S = 86_400.0


def request_middleware(service: SimulatedService) -> Middleware:
    """Return the middleware that guards and records every request."""
    recent: deque[float] = deque()

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        came = (service.wall(), time.monotonic())
        authorised = is_authorised(service, request)
        fault = _over_rate_limit(service, request, recent, came[1]) or await _injected_fault(service, request)
        if fault is not None:
            _note(service, request, came, fault.status, authorised=authorised)
            return fault
        if "realtimefeed" in request.path:  # recorded by the feed itself: its handler lasts as long as the socket
            return await handler(request)
        answer = await _answered(request, handler, authorised=authorised)
        _note(service, request, came, answer.status, authorised=authorised)
        return answer

    return guard


async def _answered(request: web.Request, handler: Handler, *, authorised: bool) -> web.StreamResponse:
    known = request.match_info.http_exception is None
    if known and request.path.removeprefix(API) not in OPEN_PATHS and not authorised:
        return web.json_response(UNAUTHORIZED, status=401)
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return web.json_response(NOT_FOUND, status=404)


def token_of(request: web.Request) -> str:
    """Return the token of the header, else of the query; empty where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.query.get("access_token", "")


def is_authorised(service: SimulatedService, request: web.Request) -> bool:
    return service.account.allows(token_of(request))


def log_handshake(service: SimulatedService, request: web.Request, status: int, *, authorised: bool) -> None:
    """Record a websocket handshake with the status it was answered with."""
    _note(service, request, (service.wall(), time.monotonic()), status, authorised=authorised)


def _note(
    service: SimulatedService, request: web.Request, came: tuple[float, float], status: int, *, authorised: bool
) -> None:
    headers = tuple((name, _without_secret(name, value)) for name, value in request.headers.items() if name != "Cookie")
    noted = LoggedRequest(
        request.method, request.path, tuple(request.query), status, authorised, *came, headers=headers
    )
    service.records.add_request(noted)


def _without_secret(name: str, value: str) -> str:
    return value.partition(" ")[0] if name == "Authorization" else value


def _over_rate_limit(
    service: SimulatedService, request: web.Request, recent: deque[float], now: float
) -> web.Response | None:
    """Return 429 where more REST requests came in the last minute than are allowed."""
    most = service.faults.rest_most_per_minute
    if most is None or not request.path.startswith(API):
        return None
    while recent and recent[0] < now - 60:
        recent.popleft()
    if len(recent) >= most:
        wait_s = max(1, round(recent[0] + 60 - now))
        return _page(HttpFault("", 429, str(wait_s)))
    recent.append(now)
    return None


async def _injected_fault(service: SimulatedService, request: web.Request) -> web.Response | None:
    fault = service.faults.http_fault(request.path)
    if fault is None:
        return None
    if fault.status == 0:
        await asyncio.sleep(NEVER_S)
    if fault.status < 0:
        reset(request.transport)
    return _page(fault)


def _page(fault: HttpFault) -> web.Response:
    headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
    kind = "application/json" if fault.page.startswith("{") else "text/html"
    status = fault.status if fault.status > 0 else 500
    return web.Response(status=status, text=fault.page, headers=headers, content_type=kind)
