"""Troubles of the lines to Sense and to the broker, and of the broker itself."""

import contextlib
import random
import time
from collections.abc import Iterator

from tests.support.faults.proxy import Proxy, Way
from tests.support.faults.world import GAP_MOST_S, Begin, World


def line(which: str, *, up: Way = "pass", down: Way = "pass", ends: bool = False, gap: bool = False) -> Begin:
    """Let a proxy treat bytes like that; `ends`: connections end with it; `gap`: house time passes unseen before."""

    @contextlib.contextmanager
    def begin(world: World, dice: random.Random) -> Iterator[None]:
        line: Proxy = getattr(world, which)
        line.behave(up=up, down=down)
        if gap:
            world.pass_unseen(dice.uniform(1, GAP_MOST_S))
        yield
        if ends:
            line.cut(reset=dice.random() < 0.5)
        line.behave()

    return begin


def cut(which: str, *, reset: bool, refuse: bool = False) -> Begin:
    """End all connections; `refuse`: and let none come until the trouble is over."""

    @contextlib.contextmanager
    def begin(world: World, _dice: random.Random) -> Iterator[None]:
        line: Proxy = getattr(world, which)
        if refuse:
            line.refuse()
        line.cut(reset=reset)
        yield
        line.accept()

    return begin


@contextlib.contextmanager
def kill_broker(world: World, _dice: random.Random) -> Iterator[None]:
    """SIGKILL, and start again with nothing retained."""
    world.broker_line.refuse()  # nobody may publish before somebody listens again
    began = time.monotonic()
    world.broker.kill()
    world.subscriber.wait_until_gone()
    yield
    world.broker.start()
    world.deaths.append((began, time.monotonic()))
    world.subscriber.wait_until_there()
    world.broker_line.accept()


@contextlib.contextmanager
def freeze_broker(world: World, _dice: random.Random) -> Iterator[None]:
    """SIGSTOP, SIGCONT."""
    world.broker.freeze()
    yield
    world.broker.thaw()
