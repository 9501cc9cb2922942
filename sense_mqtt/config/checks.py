"""What a value must look like beyond its type: hosts, topics, addresses, secrets. No message repeats the value."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

HOST_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")  # one part of a host name (RFC 1035); a longer one kills paho's thread
MAX_HOST_LENGTH = 253
SECRET_PART_LENGTH = 12  # characters of a key in an address; what is shorter may be an ordinary word
MAX_TOPIC_BYTES = 200  # leaves room below MQTT's 65,535 bytes and readable names in Home Assistant


def lower(given: Any) -> Any:
    return given.lower() if isinstance(given, str) else given


def split_list(given: Any) -> Any:
    """`1, 2` as a list, for the environment; anything else as it came."""
    return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given


def check_host(host: str) -> str:
    if not _is_address(host) and not _is_host_name(host):
        raise ValueError("must be a host name or an IP address alone, without mqtt://, user or port")
    return host


def check_topic(topic: str) -> str:
    """A topic prefix: no wildcard, no empty level, nothing that brokers keep for themselves."""
    if re.search(r"[+#\x00-\x1f\x7f]", topic):
        raise ValueError("must hold no + or # and no control character")
    if "" in topic.split("/"):
        raise ValueError("must not be empty, begin or end with / or hold //")
    if topic.startswith("$") or len(topic.encode()) > MAX_TOPIC_BYTES:
        raise ValueError(f"must not begin with $ and be at most {MAX_TOPIC_BYTES} bytes long")
    return topic


def check_path(path: str) -> str:
    """The path of a websocket's address, perhaps with a query."""
    if not re.fullmatch(r"/[!-~]{0,255}", path) or "#" in path:
        raise ValueError("must begin with / and hold no space, # or letter beyond ASCII, such as /mqtt")
    return path


def check_filter(pattern: str) -> str:
    """A filter as in a subscription: + stands for one level, # at the end for all that follow."""
    levels = pattern.split("/")
    misplaced = any(len(level) > 1 and set(level) & set("+#") for level in levels) or "#" in levels[:-1]
    if not pattern or misplaced or not pattern.isprintable() or len(pattern.encode()) > MAX_TOPIC_BYTES:
        raise ValueError("must be a topic filter such as node-red/# or +/answers")
    return pattern


def check_api_url(url: str) -> str:
    return _check_url(url, safe="https", plain="http").rstrip("/") + "/"


def check_feed_url(url: str) -> str:
    return _check_url(url, safe="wss", plain="ws").rstrip("/")


def check_webhook_url(url: str) -> str:
    """Any address of HTTP, perhaps with user, password and query. No fault repeats it: it is a secret."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        port, host, parts = 0, "", urlsplit("")
    if parts.scheme not in ("http", "https") or port == 0 or not (_is_address(host) or _is_host_name(host)):
        raise ValueError("must be an address such as https://host/path")
    if parts.fragment or not re.fullmatch(r"[!-~]+", url):
        raise ValueError("must hold no # , no space and no letter beyond ASCII")
    return url


def secret_parts(url: str) -> tuple[str, ...]:
    """Return what must not be seen of an address: itself, and the parts of it that are long enough for a key."""
    parts = urlsplit(url)
    words = re.split(r"[/?&=@:]", f"{parts.netloc.rpartition('@')[0]}/{parts.path}/{parts.query}")
    return (url, *(word for word in words if len(word) >= SECRET_PART_LENGTH))


def check_email(email: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise ValueError("must be the e-mail address of the Sense account, such as you@example.com")
    return email


def check_totp_secret(secret: str) -> str:
    """The base32 text of the setup page, without its spaces."""
    bare = re.sub(r"[\s-]", "", secret).upper().rstrip("=")
    if not re.fullmatch(r"[A-Z2-7]{16,}", bare):
        raise ValueError("must be the setup key of two-factor login (16 or more of A-Z and 2-7), not a 6-digit code")
    return bare


def asks_for_tls(tls: Any) -> bool:
    """Whether `tls`, not validated yet, asks for encryption."""
    enabled = tls.get("enabled", False) if isinstance(tls, Mapping) else getattr(tls, "enabled", False)
    return str(enabled).lower() in ("true", "yes", "on", "1", "t", "y")  # what pydantic takes for true


def _check_url(url: str, *, safe: str, plain: str) -> str:
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise ValueError(f"must be an address such as {safe}://host/path") from None
    named = _is_address(host) or _is_host_name(host)
    if not named or port == 0 or parts.scheme not in (safe, plain):
        raise ValueError(f"must be an address such as {safe}://host/path")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must hold no user, password, ? or #")
    if parts.scheme == plain and not _is_this_machine(host):
        raise ValueError(f"must begin with {safe}://; {plain}:// is for a simulated cloud on this machine only")
    return url


def _is_this_machine(host: str) -> bool:
    return ipaddress.ip_address(host).is_loopback if _is_address(host) else host.lower() == "localhost"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_host_name(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    return len(host) <= MAX_HOST_LENGTH and all(HOST_LABEL.fullmatch(label) for label in labels)
