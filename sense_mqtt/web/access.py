"""Who may ask: by the address that asks, the name that it asks for, and the page that makes it ask. Pure."""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct

INGRESS = "172.30.32.2"  # the Supervisor's; it alone may reach an app (developers.home-assistant.io, "Ingress")
NAME = re.compile(r"[a-z0-9._-]+")
# Names that nobody can register on the Internet, so no page from there can have them point at us (DNS rebinding).
LOCAL_ENDINGS = (".local", ".lan", ".home", ".home.arpa", ".internal", ".localhost")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class Access(Struct, frozen=True):
    """The rules of one server."""

    names: frozenset[str] = frozenset()  # by which the page may be called, in small letters
    ingress: bool = False  # only Home Assistant's ingress asks

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every response."""
        ancestors = "'self'" if self.ingress else "'none'"  # ingress shows the page in a frame of Home Assistant
        return {name: value.replace("{ancestors}", ancestors) for name, value in HEADERS.items()}

    def refuse_peer(self, address: str | None) -> str | None:
        """Return why this address may not ask; None where it may."""
        if self.ingress and address != INGRESS:
            return f"web.ingress is set, so only Home Assistant's ingress ({INGRESS}) is answered"
        return None

    def refuse_host(self, host: str) -> str | None:
        """Return why a request with this header Host is not answered; None where it is."""
        if self.ingress or self._is_ours(_name_of(host)):
            return None  # ingress passes on whatever name Home Assistant has
        return "this name is not known here; add it to web.names"

    def _is_ours(self, name: str) -> bool:
        if _is_address(name) or name in self.names:
            return True
        return NAME.fullmatch(name) is not None and ("." not in name or name.endswith(LOCAL_ENDINGS))

    def refuse_origin(self, headers: Mapping[str, str]) -> str | None:
        """Return why a request that changes something is not from our own page; None where it is (CSRF)."""
        refusal = "only this page itself may ask for that"
        if "Origin" not in headers:
            return refusal  # every browser tells it where something is posted
        if headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return refusal
        if self.ingress and "Sec-Fetch-Site" in headers:
            return None  # proxies may have changed Host
        hosts = {headers.get("Host", "")}
        if self.ingress:
            hosts.add(headers.get("X-Forwarded-Host", ""))
        return None if _host_of(headers["Origin"]) in {host.lower() for host in hosts if host} else refusal


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _name_of(host: str) -> str:
    """Return the name or address in a header Host, without the port; empty where it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
