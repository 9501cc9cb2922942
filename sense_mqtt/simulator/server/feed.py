"""The realtime feed: handshake, opening messages, and listening to what a client says."""

import asyncio
import time
from typing import Any

from aiohttp import WSMsgType, web

from sense_mqtt.simulator.payloads.encoding import MessageEncoding
from sense_mqtt.simulator.payloads.rest import FEATURES, NOT_FOUND, UNAUTHORIZED, data_change, device_states
from sense_mqtt.simulator.server.middleware import is_authorised, log_handshake
from sense_mqtt.simulator.server.monitor import FeedSocket, SimulatedMonitor
from sense_mqtt.simulator.server.service import SimulatedService

MSGPACK = "application/x-msgpack"
POLICY_VIOLATION = 1008  # RFC 6455 7.4.1


async def serve_feed(service: SimulatedService, request: web.Request) -> web.StreamResponse:
    """Answer `/monitors/{monitor}/realtimefeed`, for as long as the socket lives."""
    monitor = service.monitor(request.match_info["monitor"])
    authorised = is_authorised(service, request) and not service.faults.feed_takes_no_token
    refused = _refused(service, monitor, authorised=authorised)
    log_handshake(service, request, 101 if refused is None else refused.status, authorised=authorised)
    if refused is not None:
        return refused
    ws = web.WebSocketResponse(autoping=False, compress=False, timeout=1.0)
    if monitor is None or not authorised:
        return await _send_unauthorised(service, request, ws)
    monitor.handshakes += 1
    try:
        await ws.prepare(request)
        socket = _socket(service, request, ws)
        await _send_greeting(service, monitor, socket)
        monitor.join(socket)
    except ConnectionError:
        return ws
    finally:
        monitor.handshakes -= 1
    return await _read_until_closed(service, monitor, socket)


def _refused(service: SimulatedService, monitor: SimulatedMonitor | None, *, authorised: bool) -> web.Response | None:
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


async def _send_unauthorised(
    service: SimulatedService, request: web.Request, ws: web.WebSocketResponse
) -> web.StreamResponse:
    await ws.prepare(request)
    said: list[tuple[str, dict[str, Any]]] = [("error", {"authorized": False, "error_reason": "Unauthorized"})]
    if service.faults.greets_first:
        said.insert(0, ("hello", {"online": True}))
    for kind, payload in said:
        message = _encoding(service, request).encode(kind, payload, int(service.wall()))
        await (ws.send_str(message) if isinstance(message, str) else ws.send_bytes(message))
    await ws.close()
    return ws


def _encoding(service: SimulatedService, request: web.Request) -> MessageEncoding:
    faults = service.faults
    asked = MSGPACK in request.headers.get("Accept", "") and not faults.no_msgpack
    return MessageEncoding(asked, binary_json=faults.binary_json, camel_case=faults.camel_case)


def _socket(service: SimulatedService, request: web.Request, ws: web.WebSocketResponse) -> FeedSocket:
    transport = request.transport
    if not isinstance(transport, asyncio.Transport):
        raise ConnectionResetError("the client has gone")
    return FeedSocket(ws, transport, _encoding(service, request), time.monotonic())


async def _send_greeting(service: SimulatedService, monitor: SimulatedMonitor, socket: FeedSocket) -> None:
    """Say what comes before the first frame."""
    online = not service.faults.offline
    hello = {"online": online, "connection_state": "ONLINE" if online else "OFFLINE"}
    await monitor.send_message(socket, "hello", None if service.faults.camel_case else hello)
    await monitor.send_message(socket, "monitor_info", {"features": FEATURES})
    await monitor.send_message(socket, "data_change", data_change(monitor.id, monitor.house.devices))
    states = device_states(monitor.house.devices, monitor.house.power_at(monitor.now))
    await monitor.send_message(socket, "device_states", states)


async def _read_until_closed(
    service: SimulatedService, monitor: SimulatedMonitor, socket: FeedSocket
) -> web.StreamResponse:
    """Listen until either side closes, or the socket's time is up."""
    life_s = service.faults.close_after_s
    loop = asyncio.get_running_loop()
    ending = loop.call_later(service.socket_life_s if life_s is None else life_s, monitor.drop, socket)
    try:
        await monitor.send_first_frame(socket)
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
