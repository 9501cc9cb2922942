"""One HTTP POST to a webhook, and what its answer means. No text of here holds the URL, which is a secret."""

import http.client
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from urllib3.exceptions import ConnectTimeoutError, HTTPError, ReadTimeoutError

from sense_mqtt import __version__
from sense_mqtt.clock import Clock, SystemClock
from sense_mqtt.errors import SenseMqttError
from sense_mqtt.inbox import Inbox
from sense_mqtt.net.deadline import Deadline
from sense_mqtt.net.error_causes import root_reason
from sense_mqtt.net.http_client import HttpClient
from sense_mqtt.net.http_times import retry_after_s
from sense_mqtt.net.tls import find_certificate_error, shared_tls_context
from sense_mqtt.webhooks.sender import PostResult, WebhookSender

TIMEOUT_S = 15.0  # for the whole post, redirects included
MAX_REDIRECTS = 3
HEADERS = {
    "User-Agent": f"sense-mqtt/{__version__}",
    "Content-Type": "application/json",
    "Connection": "close",
    "Accept-Encoding": "identity",
}
REDIRECTS = (301, 302, 307, 308)  # followed with the body; 303 asks for a GET, which would tell nothing
OF_ALL_EVENTS = (401, 403, 404, 405, 407, 408, 429, 502, 503, 504)  # the hook, its key or its server; not one event
PORTS: Mapping[str, int] = {"http": 80, "https": 443}


class WebhookServer:
    """The server of one webhook. For one thread at a time."""

    def __init__(self, url: str, ca_file: Path | None, clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._clock = clock
        self._timeout_s = timeout_s
        self._client = HttpClient(shared_tls_context(ca_file, "webhooks"))

    def post(self, body: str) -> PostResult:
        """Post once. An answer's body is not read: whatever its length, it costs nothing."""
        with Deadline(self._timeout_s, self._client.find_socket, self._clock) as deadline:
            try:
                result = self._post(self._url, body.encode(), MAX_REDIRECTS)
            except (OSError, HTTPError, http.client.HTTPException, ValueError, SenseMqttError) as error:
                return PostResult("away", self._describe(error, timed_out=deadline.expired))
            finally:
                self._client.end()
        if deadline.expired:  # the library takes headers that the deadline cut off for whole ones
            return PostResult("away", self._late())
        return result

    def _late(self) -> str:
        return f"no answer within {self._timeout_s:g} s"

    def _post(self, url: str, body: bytes, redirects: int) -> PostResult:
        # Its timeout is that of each read only, hence the deadline.
        with closing(self._client.send("POST", url, HEADERS, body, self._timeout_s)) as response:
            status, headers = response.status, response.headers
        if status not in REDIRECTS:
            return interpret(status, headers.get("Retry-After"), self._clock.now().wall)
        target = urljoin(url, headers.get("Location") or "")
        if not redirects or not is_same_host(urlsplit(url), target):
            return PostResult("away", f"redirects (HTTP {status}) elsewhere, which is not followed")
        return self._post(target, body, redirects - 1)

    def _describe(self, error: Exception, *, timed_out: bool) -> str:
        refused = find_certificate_error(error)
        if refused is not None:
            return f"its certificate is not trusted ({refused.verify_message})"
        if (
            timed_out or isinstance(error, ReadTimeoutError) or type(error) is ConnectTimeoutError
        ):  # a refusal is one too
            return self._late()
        if isinstance(error, SenseMqttError):
            return str(error)
        verb = "the connection broke off" if self._client.has_connected else "cannot be reached"
        return f"{verb} ({root_reason(error)})"


def open_sender(number: int, url: str, ca_file: Path | None, inbox: Inbox) -> WebhookSender:
    """Return the thread that posts to one webhook; `number` is its place in the configuration."""
    return WebhookSender(number, WebhookServer(url, ca_file, SystemClock()).post, inbox)


def interpret(status: int, retry_after: str | None, now: float) -> PostResult:
    """Return what an answer means that is no redirect to be followed; `now` in seconds UTC."""
    told = f"answers HTTP {status}"
    if 200 <= status < 300:
        return PostResult("delivered", told)
    if status == http.client.GONE:
        return PostResult("gone", told)
    if status in OF_ALL_EVENTS or 300 <= status < 400:
        return PostResult("away", told, retry_after_s(retry_after, now))
    return PostResult("refused", told)


def is_same_host(before: SplitResult, target: str) -> bool:
    """Say whether a redirect leads to the same server, at most from HTTP to HTTPS: only there the body may go."""
    try:
        after = urlsplit(target)
        ports = [parts.port or PORTS.get(parts.scheme) for parts in (before, after)]
    except ValueError:
        return False
    if after.scheme not in PORTS or before.hostname != after.hostname:
        return False
    is_upgrade = (before.scheme, after.scheme) == ("http", "https")
    return is_upgrade or (before.scheme, ports[0]) == (after.scheme, ports[1])
