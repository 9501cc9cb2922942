"""The REST endpoints that grant and end a session."""

from aiohttp import web

from sense_mqtt.simulator.payloads import rest
from sense_mqtt.simulator.server.accounts import HttpResponse, refusal
from sense_mqtt.simulator.server.middleware import token_of
from sense_mqtt.simulator.server.service import SimulatedService

FORM = "application/x-www-form-urlencoded"


async def authenticate(service: SimulatedService, request: web.Request) -> web.Response:
    service.records.add(login_attempts=1)
    form = await _form(request)
    return _bad_form() if form is None else _login_response(service, service.account.log_in(form, _device_id(request)))


async def authenticate_mfa(service: SimulatedService, request: web.Request) -> web.Response:
    service.records.add(login_attempts=1)
    form = await _form(request)
    return _bad_form() if form is None else _login_response(service, service.account.log_in_with_code(form))


async def renew(service: SimulatedService, request: web.Request) -> web.Response:
    form = await _form(request)
    answer = (
        HttpResponse(400, refusal("Bad form")) if form is None else service.account.renew(form, _device_id(request))
    )
    service.records.add(**{"renews" if answer.status == 200 else "renews_refused": 1})
    return web.json_response(answer.body, status=answer.status)


async def log_out(service: SimulatedService, request: web.Request) -> web.Response:
    service.account.log_out(token_of(request))
    return web.json_response({})


def _login_response(service: SimulatedService, answer: HttpResponse) -> web.Response:
    if answer.status != 200:
        return web.json_response(answer.body, status=answer.status)
    service.records.add(logins=1)
    return web.json_response(answer.body | rest.login_body(service.account.user_id, service.entries()))


async def _form(request: web.Request) -> dict[str, str] | None:
    """Return the form, or None where the body is none: Sense takes no JSON."""
    if request.content_type != FORM:
        return None
    return {name: str(value) for name, value in (await request.post()).items()}


def _bad_form() -> web.Response:
    return web.json_response(refusal("Bad form"), status=400)


def _device_id(request: web.Request) -> str:
    return request.headers.get("x-sense-device-id", "")
