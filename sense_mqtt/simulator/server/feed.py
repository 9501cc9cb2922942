"""The realtime feed: handshake, opening messages, and listening to what a client says. Protocol page 4."""

import asyncio
import time
from typing import Any

from aiohttp import WSMsgType, web

from sense_mqtt.simulator.payloads.encoding import Wire
from sense_mqtt.simulator.payloads.rest import FEATURES, NOT_FOUND, UNAUTHORIZED, data_change, device_states
from sense_mqtt.simulator.server.middleware import may_enter, note_handshake
from sense_mqtt.simulator.server.monitor import Monitor, Socket
from sense_mqtt.simulator.server.service import Service

MSGPACK = "application/x-msgpack"
POLICY_VIOLATION = 1008  # RFC 6455 7.4.1


async def listen(service: Service, request: web.Request) -> web.StreamResponse:
    """Answer `/monitors/{monitor}/realtimefeed`, for as long as the socket lives."""
    monitor = service.monitor(request.match_info["monitor"])
    authorised = may_enter(service, request) and not service.faults.feed_takes_no_token
    refused = _refused(service, monitor, authorised=authorised)
    note_handshake(service, request, 101 if refused is None else refused.status, authorised=authorised)
    if refused is not None:
        return refused
    ws = web.WebSocketResponse(autoping=False, compress=False, timeout=1.0)
    if monitor is None or not authorised:
        return await _turn_away(service, request, ws)
    monitor.handshakes += 1
    try:
        await ws.prepare(request)
        socket = _socket(service, request, ws)
        await _open(service, monitor, socket)
        monitor.join(socket)
    except ConnectionError:
        return ws
    finally:
        monitor.handshakes -= 1
    return await _stay(service, monitor, socket)


def _refused(service: Service, monitor: Monitor | None, *, authorised: bool) -> web.Response | None:
    if not authorised:
        return None if service.faults.token_error_as_frame else web.json_response(UNAUTHORIZED, status=401)
    if monitor is None:
        return web.json_response(NOT_FOUND, status=404)
    if len(monitor.sockets) + monitor.handshakes < service.faults.socket_limit:
        return None
    service.records.add(sockets_refused=1)
    if service.faults.over_limit == "close_oldest" and monitor.sockets:
        monitor.drop(monitor.sockets[0], code=POLICY_VIOLATION)
        return None
    return web.Response(status=429, text="Too many connections")


async def _turn_away(service: Service, request: web.Request, ws: web.WebSocketResponse) -> web.StreamResponse:
    await ws.prepare(request)
    said: list[tuple[str, dict[str, Any]]] = [("error", {"authorized": False, "error_reason": "Unauthorized"})]
    if service.faults.greets_first:
        said.insert(0, ("hello", {"online": True}))
    for kind, payload in said:
        message = _wire(service, request).encode(kind, payload, int(service.wall()))
        await (ws.send_str(message) if isinstance(message, str) else ws.send_bytes(message))
    await ws.close()
    return ws


def _wire(service: Service, request: web.Request) -> Wire:
    faults = service.faults
    asked = MSGPACK in request.headers.get("Accept", "") and not faults.no_msgpack
    return Wire(asked, binary_json=faults.binary_json, camel_case=faults.camel_case)


def _socket(service: Service, request: web.Request, ws: web.WebSocketResponse) -> Socket:
    transport = request.transport
    if not isinstance(transport, asyncio.Transport):
        raise ConnectionResetError("the client has gone")
    return Socket(ws, transport, _wire(service, request), time.monotonic())


async def _open(service: Service, monitor: Monitor, socket: Socket) -> None:
    """Say what comes before the first frame."""
    online = not service.faults.offline
    hello = {"online": online, "connection_state": "ONLINE" if online else "OFFLINE"}
    await monitor.tell(socket, "hello", None if service.faults.camel_case else hello)
    await monitor.tell(socket, "monitor_info", {"features": FEATURES})
    await monitor.tell(socket, "data_change", data_change(monitor.id))
    states = device_states(monitor.house.devices, monitor.house.draws(monitor.now))
    await monitor.tell(socket, "device_states", states)


async def _stay(service: Service, monitor: Monitor, socket: Socket) -> web.StreamResponse:
    """Listen until either side closes, or the socket's time is up."""
    life_s = service.faults.close_after_s
    loop = asyncio.get_running_loop()
    ending = loop.call_later(service.socket_life_s if life_s is None else life_s, monitor.drop, socket)
    try:
        await monitor.send_present(socket)
        async for message in socket.ws:  # what a client says is ignored, as Sense does
            if message.type is WSMsgType.PONG:
                socket.ponged.set()
            elif message.type is WSMsgType.PING and not service.faults.no_pongs:
                await socket.ws.pong(message.data)
    except ConnectionError:
        pass
    finally:
        ending.cancel()
        monitor.leave(socket)
    return socket.ws
