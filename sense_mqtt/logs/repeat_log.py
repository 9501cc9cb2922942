"""Log a condition once, and only count it as long as it lasts."""

import logging
from collections.abc import Hashable

from msgspec import Struct


class _Condition(Struct):
    reason: Hashable
    count: int = 0  # since the last `reset`


class RepeatLog:
    """Logs a condition at its level when it is new or its reason changes, else at debug. Not thread-safe.

    A condition is anything that can be a key of a dict: a word, a topic, a tuple.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._conditions: dict[Hashable, _Condition] = {}

    def log(
        self,
        condition: Hashable,
        message: str,
        *args: object,
        level: int = logging.WARNING,
        reason: Hashable = None,
        exc_info: BaseException | None = None,
    ) -> None:
        """Log `message % args`; `reason`: a condition with another reason than the time before is logged again."""
        known = self._conditions.get(condition)
        if known is None or known.reason != reason:
            self._logger.log(level, message, *args, exc_info=exc_info)
        else:
            self._logger.debug(message, *args)
        if known is None:
            known = self._conditions[condition] = _Condition(reason)
        known.reason = reason
        known.count += 1

    def reset(self, condition: Hashable) -> int:
        """Note that a condition is over; return how often it was logged or counted since the last reset."""
        known = self._conditions.pop(condition, None)
        return 0 if known is None else known.count
