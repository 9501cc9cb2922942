"""The login at Sense by a person at the page: over two requests where Sense asks for a code. One at a time."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from msgspec import Struct

from sense_mqtt.errors import SenseMqttError
from sense_mqtt.web.passwords import AttemptLimit

logger = logging.getLogger(__name__)

CODE_WAIT_S = 120.0  # for the person to type the code; after that the login is given up
DONE = "Logged in. The house appears within seconds."

AskForCode = Callable[[str], str]  # the question -> the code; empty: the person did not answer
# (e-mail, password, ask_for_code): logs in and stores the session; for any thread. Raises SenseMqttError.
LogIn = Callable[[str, str, AskForCode], None]


class Answer(Struct, frozen=True):
    """What the person is told."""

    text: str
    needs: str | None = None  # "code": it is to be typed now
    is_refused: bool = False


class _Attempt:
    """One login, on a thread of its own; `first`, `go_on` and `give_up` are for the web server's thread only."""

    def __init__(self, log_in: LogIn, email: str, password: str, code_wait_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[Answer] = self._loop.create_future()  # the next one
        self._codes: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._code_wait_s = code_wait_s
        self.needs_code = self.is_over = False
        threading.Thread(target=self._work, args=(log_in, email, password), name="web-login", daemon=True).start()

    async def answer(self) -> Answer:
        """Return what the person is told next."""
        return await asyncio.shield(self._answer)  # a browser that goes away ends no login

    async def go_on(self, code: str) -> Answer:
        """Hand over the code that was asked for."""
        self.needs_code, self._answer = False, self._loop.create_future()
        self._codes.put(code)
        return await self.answer()

    def give_up(self) -> None:
        """Let it end without a code."""
        self.needs_code, self.is_over = False, True
        self._codes.put("")

    def _tell(self, answer: Answer) -> None:
        self.needs_code, self.is_over = answer.needs is not None, self.is_over or answer.needs is None
        if not self._answer.done():
            self._answer.set_result(answer)

    # --- on the thread of the login

    def _work(self, log_in: LogIn, email: str, password: str) -> None:
        try:
            log_in(email, password, self._ask)
        except SenseMqttError as error:
            self._post(Answer(str(error), is_refused=True))
        except Exception:  # the bridge goes on, whatever it was
            logger.exception("the login by the page failed")
            self._post(Answer("the login failed; the log says why", is_refused=True))
        else:
            self._post(Answer(DONE))

    def _ask(self, question: str) -> str:
        self._post(Answer(question, needs="code"))
        try:
            return self._codes.get(timeout=self._code_wait_s)
        except queue.Empty:
            return ""

    def _post(self, answer: Answer) -> None:
        with suppress(RuntimeError):  # the server has ended
            self._loop.call_soon_threadsafe(self._tell, answer)


class SenseLogin:
    """For the web server's thread only."""

    def __init__(self, logins: Mapping[str, LogIn], code_wait_s: float = CODE_WAIT_S) -> None:
        """`logins`: of each account, by its name; "" where there is one alone."""
        self._logins = logins
        self._code_wait_s = code_wait_s
        self._limit = AttemptLimit(time.monotonic)
        self._attempt: _Attempt | None = None

    async def begin(self, account: str, email: str, password: str) -> Answer:
        """Log in; return the result, or that a code is needed."""
        log_in, attempt = self._logins.get(account), self._attempt
        if log_in is None:
            return Answer("there is no such account", is_refused=True)
        if not email.strip() or not password:
            return Answer("give e-mail and password", is_refused=True)
        if attempt is not None and attempt.needs_code:
            attempt.give_up()
        elif attempt is not None and not attempt.is_over:
            return Answer("a login is under way; wait until it is over", is_refused=True)
        if wait_s := self._limit.begin(account):
            return Answer(f"too many logins, which Sense may take for an attack: wait {wait_s:.0f} s", is_refused=True)
        self._attempt = _Attempt(log_in, email.strip(), password, self._code_wait_s)
        return await self._attempt.answer()

    async def code(self, code: str) -> Answer:
        """Go on with the code that was asked for."""
        if self._attempt is None or not self._attempt.needs_code:
            return Answer("no code is waited for any more: log in again", is_refused=True)
        return await self._attempt.go_on(code)
