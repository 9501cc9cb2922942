"""What is answered to each address; all of it is relative, so that any prefix may stand before it."""

import asyncio
import time
from collections.abc import Mapping
from importlib import resources
from typing import Any

from aiohttp import web
from msgspec import Struct
from prometheus_client import CollectorRegistry

from sense_mqtt.core.payloads import read_object, write_json
from sense_mqtt.web.metrics import CONTENT_TYPE, make_registry, write_metrics
from sense_mqtt.web.request_check import BODY_BYTES_MOST, BODY_S, RequestCheck
from sense_mqtt.web.sense_login import Answer, SenseLogin
from sense_mqtt.web.state import WebState
from sense_mqtt.web.stream import Stream, choose_monitor
from sense_mqtt.web.view import accounts_to_log_in, describe_bridge, describe_history

TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class StaticFile(Struct, frozen=True):
    """One file of the page."""

    content: bytes
    content_type: str


def read_static_files() -> Mapping[str, StaticFile]:
    """Return the files of the page by name; no other file can be asked for."""
    folder = resources.files("sense_mqtt.web") / "static"
    files = ((file.name, file.read_bytes()) for file in folder.iterdir())
    return {name: StaticFile(content, TYPES[name.rpartition(".")[2]]) for name, content in files}


class Pages:
    """For the web server's thread only."""

    def __init__(
        self,
        state: WebState,
        stream: Stream,
        check: RequestCheck,
        files: Mapping[str, StaticFile],
        login: SenseLogin,
    ) -> None:
        self._state = state
        self._stream = stream
        self._check = check
        self._files = files
        self._login = login
        self._registry: CollectorRegistry = make_registry(state, lambda: stream.browsers)

    def add_to(self, app: web.Application) -> None:
        """Add all addresses."""
        router = app.router
        router.add_get("/", self._page)
        router.add_get("/static/{name}", self._static)
        router.add_get("/api/stream", self._stream.serve, allow_head=False)
        router.add_get("/api/history", self._history)
        router.add_get("/metrics", self._metrics)
        router.add_get("/health", self._health)
        router.add_post("/sign-in", self._sign_in)
        router.add_post("/sign-out", self._sign_out)
        router.add_post("/api/login", self._log_in)
        router.add_post("/api/login/code", self._give_code)

    async def _page(self, _request: web.Request) -> web.Response:
        return self._file("index.html")

    async def _static(self, request: web.Request) -> web.Response:
        return self._file(request.match_info["name"])

    def _file(self, name: str) -> web.Response:
        file = self._files.get(name)
        if file is None:
            raise web.HTTPNotFound
        return web.Response(body=file.content, content_type=file.content_type, charset="utf-8")

    async def _history(self, request: web.Request) -> web.Response:
        monitor = choose_monitor(self._state, request.query.get("monitor", ""))
        history = None if monitor is None else self._state.histories.get(monitor)
        return _json({} if history is None else describe_history(history))

    async def _metrics(self, _request: web.Request) -> web.Response:
        text = await asyncio.to_thread(write_metrics, self._registry)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})

    async def _health(self, request: web.Request) -> web.Response:
        """Return 200 where the bridge works, else 503, by the rule of `sense-mqtt health`."""
        document = describe_bridge(self._state, time.time())
        shown = {"healthy": document["healthy"]}
        if await self._check.is_signed_in(request):
            shown |= {"verdict": document["verdict"], "version": document["version"]}
        return _json(shown, status=200 if document["healthy"] else 503)

    async def _sign_in(self, request: web.Request) -> web.Response:
        return await self._check.sign_in(request, _text(await read_body(request), "password"))

    async def _sign_out(self, request: web.Request) -> web.Response:
        self._check.sessions.end(request.cookies.get(self._check.cookie, ""))
        response = web.Response(status=204)
        response.del_cookie(self._check.cookie)
        return response

    async def _log_in(self, request: web.Request) -> web.Response:
        given = await read_body(request)
        account = _text(given, "account")
        if account not in accounts_to_log_in(self._state.bridge):
            return _tell(Answer("no login is needed: Sense takes the stored session", is_refused=True))
        return _tell(await self._login.begin(account, _text(given, "email"), _text(given, "password")))

    async def _give_code(self, request: web.Request) -> web.Response:
        return _tell(await self._login.code(_text(await read_body(request), "code")))


def _tell(answer: Answer) -> web.Response:
    if answer.is_refused:
        return web.Response(status=409, text=answer.text)
    return _json({"text": answer.text, "needs": answer.needs})


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


async def read_body(request: web.Request, body_s: float = BODY_S) -> dict[str, Any]:
    """Return the JSON object that is posted within `body_s`; an empty one where it is none. Raises HTTPException."""
    try:
        async with asyncio.timeout(body_s):
            body = await request.content.read(BODY_BYTES_MOST + 1)
            while len(body) <= BODY_BYTES_MOST and (more := await request.content.read(BODY_BYTES_MOST)):
                body += more
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    if len(body) > BODY_BYTES_MOST:
        raise web.HTTPRequestEntityTooLarge(BODY_BYTES_MOST, len(body))
    return read_object(body.decode(errors="replace"))


def _json(document: Any, status: int = 200) -> web.Response:
    return web.Response(text=write_json(document), content_type="application/json", status=status)
