"""One frame of a monitor, for whoever asks whether they come; as polite as the feed itself, and never beside it."""

from collections.abc import Callable
from dataclasses import replace

from sense_mqtt.clock import Clock
from sense_mqtt.core.backoff import Dice
from sense_mqtt.errors import SenseMqttError, SenseUnavailable, TokenRefused
from sense_mqtt.sense.auth.session import Session
from sense_mqtt.sense.feed.fallback import Ladder, begun, climb, learn
from sense_mqtt.sense.feed.frame_type import is_update, tells_bad_token
from sense_mqtt.sense.feed.outcomes import judge_error
from sense_mqtt.sense.feed.polling import Poller, Unpollable
from sense_mqtt.sense.feed.saved_state import Berth
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.feed.websocket_connection import Line
from sense_mqtt.sense.net.tls import trust

PATIENCE_S = 10.0  # a rest that is over sooner is waited for


class Onlooker:
    """Looks at the feed of one monitor, once. Raises what the feed would meet, a `SenseMqttError`."""

    def __init__(self, monitor: int, session: Session, settings: FeedSettings, *, clock: Clock, dice: Dice) -> None:
        self._monitor = monitor
        self._session = session
        self._settings = settings
        self._rules = settings.rules()
        self._clock = clock
        self._dice = dice
        self._berth = Berth(settings.state_dir, monitor)

    def look(self, wait: Callable[[float], object]) -> str:
        """Return in words how a frame came, or why none was asked for; `wait` takes seconds."""
        with self._berth.claimed() as is_ours:
            if not is_ours:
                return "a running bridge holds it, so no second one was opened"
            ladder = climb(self._berth.load(self._rules, self._clock.now()), self._rules, self._now())
            rest_s = ladder.next_at - self._now()
            if ladder.rung == "poll" or rest_s > PATIENCE_S:
                return self._poll(ladder, rest_s)
            wait(max(rest_s, 0.0))
            return self._listen(ladder)

    def _poll(self, ladder: Ladder, rest_s: float) -> str:
        """Ask by REST, which does not disturb a websocket that rests."""
        try:
            Poller(self._monitor, self._session).poll()
        except Unpollable:
            if self._rules.mode == "poll":
                raise
            if not ladder.failures:
                return f"the bridge asks again in {max(rest_s, 0.0):.0f} s; this firmware cannot be asked in between"
            message = f"it failed {ladder.failures} times in a row and rests for {rest_s:.0f} s; check again after that"
            raise SenseUnavailable(message) from None
        return "a frame came by polling, as the websocket rests" if ladder.rung != "poll" else "a frame came by polling"

    def _listen(self, ladder: Ladder) -> str:
        """Open the websocket for one frame. A failure counts as one of the feed's; a frame proves nothing to it."""
        token = self._session.token()
        self._remember(begun(ladder, self._rules, self._now(), self._dice))  # also where we are killed from here on
        try:
            self._receive(token)
        except SenseMqttError as error:
            self._remember(learn(ladder, judge_error(error), self._rules, self._now(), self._dice))
            raise
        self._remember(replace(ladder, next_at=self._now() + self._rules.spacing_s))
        return "a frame came by websocket"

    def _receive(self, token: str) -> None:
        ends_at = self._now() + self._settings.silence_timeout_s
        with Line(self._settings.line(self._monitor), trust(self._settings.ca_file), self._clock) as line:
            line.open(token)
            while self._now() < ends_at:
                raw = line.receive()
                if raw is not None and tells_bad_token(raw):
                    raise TokenRefused("the feed refused the access token")
                if raw is not None and is_update(raw):
                    return
        raise SenseUnavailable(f"no frame came within {self._settings.silence_timeout_s:g} s")

    def _remember(self, ladder: Ladder) -> None:
        self._berth.save(ladder, self._clock.now())

    def _now(self) -> float:
        return self._clock.now().monotonic
