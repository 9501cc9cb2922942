"""Every request passes here first: who asks, by which name, from which page, and with the password where one is set."""

import asyncio
import base64
import binascii
import time

from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import Struct

from sense_mqtt.web.access import Access
from sense_mqtt.web.passwords import SESSION_S, AttemptLimit, BrowserSessions, PasswordCheck

OPEN = frozenset({"/health", "/sign-in", "/static/page.css", "/static/sign-in.js", "/static/icon.svg"})
READS = frozenset({"GET", "HEAD"})
BODY_S = 10.0  # for a body to come
BODY_BYTES_MOST = 4_096


class Refused(Struct, frozen=True):
    """Why a request is not answered."""

    status: int
    reason: str
    wait_s: float = 0.0

    def response(self) -> web.Response:
        headers = {"Retry-After": str(int(self.wait_s) + 1)} if self.wait_s else {}
        return web.Response(status=self.status, text=f"{self.reason}\n", headers=headers)


class RequestCheck:
    """For the web server's thread only."""

    def __init__(self, access: Access, password: str | None, sign_in_page: bytes, port: int) -> None:
        """`port`: another page of this machine has another cookie, as browsers send one to all ports."""
        self.cookie = f"sense_mqtt_{port}"
        self._access = access
        self._sign_in_page = sign_in_page
        self._password = None if password is None or access.ingress else PasswordCheck(password)
        self._limit, self.sessions = AttemptLimit(time.monotonic), BrowserSessions(time.monotonic)
        self._one_at_a_time = asyncio.Lock()  # each attempt takes 16 MB

    async def add_headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Give every response its headers."""
        for name, value in self._access.headers.items():
            response.headers.setdefault(name, value)
        response.headers.pop("Server", None)

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, or say why not."""
        if refused := self._refuse(request):
            return refused.response()
        if request.path not in OPEN and not await self.is_signed_in(request):
            return self._ask_for_password(request)
        return await handler(request)

    def _refuse(self, request: web.Request) -> Refused | None:
        if reason := self._access.refuse_peer(request.remote):
            return Refused(403, reason)
        if reason := self._access.refuse_host(request.headers.get("Host", "")):
            return Refused(421, reason)
        if request.method in READS:
            return None
        if reason := self._access.refuse_origin(request.headers):
            return Refused(403, reason)
        if request.content_type != "application/json":
            return Refused(415, "must be application/json")
        return None

    def _ask_for_password(self, request: web.Request) -> web.Response:
        if request.path == "/":
            return web.Response(status=401, body=self._sign_in_page, content_type="text/html", charset="utf-8")
        headers = {"WWW-Authenticate": 'Basic realm="sense-mqtt"'} if request.path == "/metrics" else {}
        return web.Response(status=401, text="the password is needed: open the page and sign in\n", headers=headers)

    async def is_signed_in(self, request: web.Request) -> bool:
        """Say whether this browser, or program, has given the password; True where there is none."""
        if self._password is None or self.sessions.holds(request.cookies.get(self.cookie, "")):
            return True
        given = _basic_password(request.headers.get("Authorization", ""))
        return given is not None and isinstance(await self._try(request, given), str)

    async def sign_in(self, request: web.Request, given: str) -> web.Response:
        """Return the response to a password."""
        result = await self._try(request, given)
        if isinstance(result, Refused):
            return result.response()
        response = web.Response(status=204)
        is_https = "https" in (request.scheme, request.headers.get("X-Forwarded-Proto"))
        token, age_s = self.sessions.begin(), int(SESSION_S)
        response.set_cookie(self.cookie, token, max_age=age_s, httponly=True, samesite="Strict", secure=is_https)
        return response

    async def _try(self, request: web.Request, given: str) -> Refused | str:
        """Return the password where it is right, else why it is refused."""
        if self._password is None:
            return given
        address = request.remote or ""
        if wait_s := self._limit.begin(address):
            return Refused(429, f"too many attempts; wait {wait_s:.0f} s", wait_s)
        if not self._password.was_given(given):
            if wait_s := self._limit.begin_slow():
                return Refused(429, f"too many attempts; wait {wait_s:.0f} s", wait_s)
            async with self._one_at_a_time:
                is_right = await asyncio.to_thread(self._password.is_right, given)
            if not is_right:
                return Refused(403, "this is not the password")
        self._limit.succeeded(address)
        return given


def _basic_password(header: str) -> str | None:
    """Return the password of HTTP's Basic authentication; the user's name may be any."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None
