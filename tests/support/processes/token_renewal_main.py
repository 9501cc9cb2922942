"""A process that asks and renews as fast as it can, until it is killed."""

import threading
from pathlib import Path

from sense_mqtt.clock import SystemClock
from sense_mqtt.sense.auth.session import Credentials, Session
from sense_mqtt.sense.rest.api import SenseApi
from sense_mqtt.sense.rest.rate_limit import RateLimiter


def renew_for_ever(url: str, state_dir: str, email: str, password: str) -> int:
    """Renew before every question, until the process is killed."""
    clock = SystemClock()
    limiter = RateLimiter(clock, threading.Event(), spacing_s=0)
    api = SenseApi(url, device_id="k", timeout_s=20, ca_file=None, clock=clock, limiter=limiter)
    credentials = Credentials(email, password)
    session = Session(api, Path(state_dir), credentials, clock=clock, post=lambda _item: None, renewal_wait_s=float)
    while True:
        session.token_refused(session.token())
        session.get("app/monitors/900101/status")
