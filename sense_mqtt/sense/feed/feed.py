"""The realtime feed of one monitor, on a thread of its own: connects, listens or polls, and brings all to the inbox."""

import logging
import threading
from dataclasses import replace
from random import Random

from sense_mqtt.clock import Clock
from sense_mqtt.errors import LoginRefused, SenseMqttError, TokenRefused
from sense_mqtt.inbox import Inbox
from sense_mqtt.items import FrameArrived, Rung, UpdatePolled
from sense_mqtt.sense.auth.session import Session
from sense_mqtt.sense.feed.fallback import Held, Ladder, Outcome, Refused, Worked, begun, climb, learn, settled
from sense_mqtt.sense.feed.frame_type import is_update, tells_bad_token
from sense_mqtt.sense.feed.outcomes import judge_end, judge_error
from sense_mqtt.sense.feed.pause import Pause, Pauses
from sense_mqtt.sense.feed.polling import Poller, Unpollable
from sense_mqtt.sense.feed.reporter import Voice
from sense_mqtt.sense.feed.saved_state import Berth
from sense_mqtt.sense.feed.settings import FeedSettings
from sense_mqtt.sense.feed.websocket_connection import HandshakeRefused, Line, LineEnded
from sense_mqtt.sense.net.tls import trust
from sense_mqtt.sense.state_file import StateFile

__all__ = ["Feed", "FeedSettings"]

log = logging.getLogger(__name__)

CLOSE_S = 2.0  # that the thread gets to end


class Feed:
    """Never two websockets for one monitor. `start` once; `close`, `pause` and `resume` may come from any thread."""

    def __init__(
        self, monitor: int, session: Session, inbox: Inbox, settings: FeedSettings, *, clock: Clock, random: Random
    ) -> None:
        self._monitor = monitor
        self._session = session
        self._settings = settings
        self._rules = settings.rules()
        self._clock = clock
        self._dice = random.uniform
        self._context = trust(settings.ca_file)
        self._berth = Berth(settings.state_dir, monitor)
        self._poller = Poller(monitor, session)
        self._voice = Voice(monitor, inbox)
        self._ladder = self._berth.load(self._rules, clock.now())
        self._poll_at = self._now()  # no poll before, pause or not
        self._bad_tokens = 0  # refused in a row
        self._line: Line | None = None
        self._pauses = Pauses(self._voice, StateFile(settings.state_dir / f"pause-{monitor}.json"), clock)
        self._closing = threading.Event()
        self._nudge = threading.Event()  # wakes the thread: closing, pause or resume
        self._thread = threading.Thread(target=self._run, name=f"sense-feed-{monitor}", daemon=True)

    @property
    def rung(self) -> Rung:
        """How frames come at present, or will."""
        return "paused" if self._pauses.present else self._ladder.rung

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the feed; returns within two seconds or so, whatever the network does."""
        self._closing.set()
        self._interrupt()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def pause(self, seconds: float, *, silent: bool) -> None:
        """Let go of Sense's connection for so long; meanwhile poll, unless `silent`. Ends by itself."""
        self._pauses.begin(seconds, silent=silent)
        self._interrupt()

    def resume(self) -> None:
        """End a pause; without one, nothing happens."""
        self._pauses.end("resumed", self._ladder.rung)
        self._nudge.set()

    # --- on the thread

    def _run(self) -> None:
        while not self._closing.is_set():
            self._nudge.clear()
            pause = self._pauses.present
            if pause:
                self._sit_out(pause)
            elif not self._closing.is_set() and not self._rest_until(self._due_at()):
                self._try()
        self._voice.ended("stopping")

    def _try(self) -> None:
        self._move(climb(self._ladder, self._rules, self._now()), "the cool-down is over: trying the websocket again")
        try:
            outcome = self._attempt()
        except LoginRefused:  # the session has said so; it costs nothing to look again soon
            self._voice.ended("waiting for a login")
            self._ladder = replace(self._ladder, next_at=self._now() + self._settings.parked_check_s)
            return
        except SenseMqttError as error:
            outcome = judge_error(error)
        if self._is_interrupted():
            self._ladder = replace(self._ladder, next_at=self._now() + self._rules.spacing_s)
        elif outcome:
            self._learn(outcome)

    def _due_at(self) -> float:
        return max(self._ladder.next_at, self._poll_at) if self._ladder.rung == "poll" else self._ladder.next_at

    def _attempt(self) -> Outcome | None:
        if self._ladder.rung == "poll":
            return self._poll("poll")
        with self._berth.claimed() as is_ours:
            return self._connect() if is_ours else Held("another sense-mqtt holds the feed of this monitor")

    def _poll(self, rung: Rung) -> Outcome:
        asked = self._clock.now()
        self._poll_at = asked.monotonic + self._rules.poll_interval_s
        payload = self._poller.poll()
        self._voice.opened(rung)
        self._voice.bring(UpdatePolled(self._monitor, payload, asked), lambda: not self._closing.is_set())
        return Worked("polled")

    def _connect(self) -> Outcome | None:
        token = self._session.token()
        with Line(self._settings.line(self._monitor), self._context, self._clock) as line:
            self._line = line
            try:
                return None if self._is_interrupted() else self._listen(line, token)
            except TokenRefused as error:
                self._session.token_refused(token)
                self._bad_tokens += 1
                if self._bad_tokens > 1:  # the last one was fresh
                    raise HandshakeRefused(f"{error}, though it is fresh") from error
                raise
            finally:
                self._line = None

    def _listen(self, line: Line, token: str) -> Outcome | None:
        """Bring what comes until the line ends, or is not needed any more; None where something else came up."""
        now = self._clock.now()  # a crash from here on does not forget that we tried
        self._berth.save(begun(self._ladder, self._rules, now.monotonic, self._dice), now)
        self._voice.connecting(self._settings.url)
        line.open(token)
        self._voice.opened(self._ladder.rung)
        began, messages, holds = self._now(), 0, False
        try:
            while not self._is_interrupted():
                raw = line.receive()
                if raw is None:
                    continue
                self._bring(raw, line)
                messages += 1
                if self._ladder.rung == "snapshot" and is_update(raw):
                    return Worked("one frame")
                if not holds and self._settings.holds(self._now() - began, messages):
                    holds = True
                    self._settle()
        except LineEnded as end:
            lived_s = self._now() - began
            log.debug("feed of monitor %d: %d messages in %.1f s, then %s", self._monitor, messages, lived_s, end)
            return Worked(str(end)) if holds else judge_end(end, lived_s, messages, self._settings)
        return None

    def _bring(self, raw: str | bytes, line: Line) -> None:
        if tells_bad_token(raw):
            raise TokenRefused("the feed refused the access token")
        if self._bad_tokens and is_update(raw):  # Sense greets before it looks at the token
            self._bad_tokens = 0

        def may_wait() -> bool:
            line.keep()  # the silence is ours
            return not self._is_interrupted()

        self._voice.bring(FrameArrived(self._monitor, raw), may_wait)

    def _settle(self) -> None:
        """The websocket holds; what is remembered of failures is forgotten, also on disk."""
        self._voice.recovered()
        self._ladder = replace(settled(self._ladder), next_at=self._now() + self._rules.spacing_s)
        self._berth.save(self._ladder, self._clock.now())

    def _learn(self, outcome: Outcome) -> None:
        if isinstance(outcome, Worked):
            self._voice.recovered()
        else:
            self._voice.failed(outcome.why)
            if isinstance(outcome, Refused) and outcome.limits:
                self._voice.limited(outcome.why, outcome.retry_after_s)
        if self._ladder.rung == "stream" or not isinstance(outcome, Worked):
            self._voice.ended(outcome.why)
        self._move(learn(self._ladder, outcome, self._rules, self._now(), self._dice), outcome.why)
        wait_s = self._due_at() - self._now()
        log.debug("feed of monitor %d: %s; next attempt (%s) in %.1f s", self._monitor, outcome, self.rung, wait_s)
        self._berth.save(self._ladder, self._clock.now())

    def _move(self, ladder: Ladder, why: str) -> None:
        before, self._ladder = self._ladder, ladder
        if ladder.rung != before.rung:
            self._voice.changed(ladder.rung, why)

    # --- pause

    def _sit_out(self, pause: Pause) -> None:
        """Poll slowly, where polling is possible and wanted, until the pause is over or something else comes up."""
        log.info("feed of monitor %d: paused for %.0f s more", self._monitor, pause.until - self._now())
        self._voice.ended("paused")
        may_poll = not pause.silent
        while not self._rest_until(min(self._poll_at, pause.until) if may_poll else pause.until):
            if self._now() >= pause.until:
                self._pauses.end("the pause is over", self._ladder.rung, only=pause)
                return
            may_poll = may_poll and self._poll_in_pause()

    def _poll_in_pause(self) -> bool:
        """Poll once; return whether to go on."""
        try:
            self._poll("paused")
        except Unpollable as error:
            log.debug("nothing until the pause is over: %s", error)
            return False
        except SenseMqttError as error:
            self._voice.ended(str(error))
        return True

    # --- waiting

    def _interrupt(self) -> None:
        self._nudge.set()
        line = self._line
        if line:
            line.abort()

    def _is_interrupted(self) -> bool:
        return self._closing.is_set() or self._pauses.present is not None

    def _rest_until(self, moment: float) -> bool:
        """Wait; True where something else came up meanwhile."""
        return self._nudge.wait(max(moment - self._now(), 0.0))

    def _now(self) -> float:
        return self._clock.now().monotonic
