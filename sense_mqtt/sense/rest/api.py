"""The door to Sense's REST interface: one call in, a value or one class of error out."""

import http.client
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, ReadTimeoutError

from sense_mqtt import __version__
from sense_mqtt.clock import Clock
from sense_mqtt.errors import RateLimited, SenseUnavailable
from sense_mqtt.net.deadline import Deadline
from sense_mqtt.net.error_causes import root_reason
from sense_mqtt.net.http_client import HttpClient
from sense_mqtt.net.http_times import http_time
from sense_mqtt.net.tls import certificate_error, find_certificate_error, shared_tls_context
from sense_mqtt.sense.rest.call_log import log_call
from sense_mqtt.sense.rest.paths import plain_path
from sense_mqtt.sense.rest.rate_limit import RateLimiter
from sense_mqtt.sense.rest.responses import Endpoint, Response, SenseOverloaded, parse_response

USER_AGENT = f"sense-mqtt/{__version__} (Sense to MQTT bridge)"
HEADERS: Mapping[str, str] = {
    "User-Agent": USER_AGENT,
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "close",  # minutes between calls: a kept one would go stale
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MAX_RESPONSE_BYTES = 8_000_000
CHUNK_BYTES = 16_384

POSTS: dict[str, Endpoint] = {"authenticate": "authenticate", "authenticate/mfa": "authenticate/mfa", "renew": "renew"}


class ConnectFailed(SenseUnavailable):
    """The request never left this machine: no address, no connection, no trust."""


class SenseApi:
    """Sense's REST interface: one call in flight, at most one a second, whoever asks; thread-safe.

    Raises `TokenRefused`, `LoginRefused` (`CodeRequired`, `CodeRefused`, `AccountLocked`), `RateLimited`, `NotFound`,
    `RequestRefused`, `SenseUnavailable` (`ConnectFailed`, `CertificateRefused`), and `CommandRefused` for a path that
    would lead elsewhere. Nothing is tried twice.
    """

    def __init__(
        self,
        base_url: str,
        *,
        device_id: str,
        timeout_s: float,
        ca_file: Path | None,
        clock: Clock,
        limiter: RateLimiter,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._clock = clock
        self._limiter = limiter
        self._client = HttpClient(shared_tls_context(ca_file, "REST"))
        self.device_id = device_id
        self._clock_error_s = 0.0
        self._posted: tuple[str, ...] = ()  # at the last login: Sense may repeat it in any answer

    def get(self, path: str, params: Mapping[str, str | int] | None = None, *, token: str) -> Any:
        """Return the parsed answer of a GET below the base URL."""
        query = f"?{urlencode(params)}" if params else ""
        return self._call("get", "GET", plain_path(path) + query, (token,), {"Authorization": f"bearer {token}"})

    def post(self, path: str, form: Mapping[str, str]) -> Any:
        """Return the parsed answer of `authenticate`, `authenticate/mfa` or `renew`."""
        if path == "authenticate":
            self._posted = tuple(form.values())
        return self._call(POSTS[path], "POST", path, tuple(form.values()), FORM, urlencode(form).encode())

    def wait(self, seconds: float) -> None:
        """Wait; raise `SenseUnavailable` as soon as we are stopping."""
        self._limiter.wait(seconds)

    @property
    def calls_last_hour(self) -> int:
        return self._limiter.calls_last_hour

    @property
    def clock_error_s(self) -> float:
        """How far Sense's clock was ahead of ours at its last answer; within a second or so."""
        return self._clock_error_s

    def _call(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        secrets: tuple[str, ...],
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> Any:
        with self._limiter.slot(), log_call(method, path.partition("?")[0], self._clock) as status:
            answer = self._send(endpoint, method, f"{self._base_url}/{path}", headers, body)
            status.append(answer.status)
            try:
                return parse_response(endpoint, answer, secrets + self._posted)
            except (RateLimited, SenseOverloaded) as error:
                self._limiter.back_off(error.retry_after_s)
                raise

    def _send(
        self, endpoint: Endpoint, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Response:
        with Deadline(self._timeout_s, self._client.find_socket, self._clock) as deadline:
            try:
                answer = self._exchange(method, url, headers, body)
            except (OSError, HTTPError, http.client.HTTPException, ValueError) as error:
                raise self._unavailable(endpoint, url, error, timed_out=deadline.expired) from error
            finally:
                self._client.end()
        if deadline.expired:  # an answer without a length ends where the deadline cut it
            raise self._late(endpoint, url)
        return answer

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        all_headers = {**HEADERS, "x-sense-device-id": self.device_id, **headers}
        # Its timeout is that of each read only, hence the deadline.
        with closing(self._client.send(method, url, all_headers, body, self._timeout_s)) as response:
            told, received_at = response.headers, self._clock.now().wall
            self._compare_clocks(told.get("Date"), received_at)
            content = _body(response)
        kind, retry_after = told.get("Content-Type", ""), told.get("Retry-After")
        return Response(response.status, content, kind, retry_after, received_at + self._clock_error_s)

    def _compare_clocks(self, date: str | None, received_at: float) -> None:
        told = http_time(date)
        if told is not None:
            self._clock_error_s = told + 0.5 - received_at  # Date is cut to whole seconds

    def _unavailable(self, endpoint: Endpoint, url: str, error: Exception, *, timed_out: bool) -> SenseUnavailable:
        refused = find_certificate_error(error)
        if refused is not None:
            return certificate_error(url, refused)
        host, why = urlsplit(url).netloc, root_reason(error)
        if isinstance(error, (OSError, HTTPError)) and not self._client.has_connected:
            return ConnectFailed(f"{host} cannot be reached ({why}): check network, name server and proxy")
        if timed_out or isinstance(error, ReadTimeoutError):
            return self._late(endpoint, url)
        return SenseUnavailable(f"the connection to {host} broke off during {endpoint} ({why})")

    def _late(self, endpoint: Endpoint, url: str) -> SenseUnavailable:
        host = urlsplit(url).netloc
        return SenseUnavailable(f"{host} gave no whole answer to {endpoint} within {self._timeout_s:g} s")


def _body(response: BaseHTTPResponse) -> bytes:
    body = bytearray()
    for chunk in response.stream(CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_RESPONSE_BYTES:
            raise SenseUnavailable(f"an answer of more than {MAX_RESPONSE_BYTES // 1_000_000} MB was cut off")
    return bytes(body)
