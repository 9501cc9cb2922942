"""Faults of the connections to Sense and to the broker, and of the broker itself."""

import contextlib
import random
import time
from collections.abc import Iterator

from tests.support.faults.proxy import Proxy, Way
from tests.support.faults.world import GAP_MOST_S, Begin, World


def misbehave(which: str, *, up: Way = "pass", down: Way = "pass", ends: bool = False, gap: bool = False) -> Begin:
    """Let a proxy treat bytes in this way; `ends`: connections end with it; `gap`: house time passes unseen before."""

    @contextlib.contextmanager
    def begin(world: World, rng: random.Random) -> Iterator[None]:
        proxy: Proxy = getattr(world, which)
        proxy.behave(up=up, down=down)
        if gap:
            world.pass_unseen(rng.uniform(1, GAP_MOST_S))
        yield
        if ends:
            proxy.cut(reset=rng.random() < 0.5)
        proxy.behave()

    return begin


def cut(which: str, *, reset: bool, refuse: bool = False) -> Begin:
    """End all connections; `refuse`: and let none come until the fault is over."""

    @contextlib.contextmanager
    def begin(world: World, _rng: random.Random) -> Iterator[None]:
        proxy: Proxy = getattr(world, which)
        if refuse:
            proxy.refuse()
        proxy.cut(reset=reset)
        yield
        proxy.accept()

    return begin


@contextlib.contextmanager
def kill_broker(world: World, _rng: random.Random) -> Iterator[None]:
    """SIGKILL, and start again with nothing retained."""
    world.broker_proxy.refuse()  # nobody may publish before somebody listens again
    began = time.monotonic()
    world.broker.kill()
    world.subscriber.wait_until_disconnected()
    yield
    world.broker.start()
    world.kill_spans.append((began, time.monotonic()))
    world.subscriber.wait_until_connected()
    world.broker_proxy.accept()


@contextlib.contextmanager
def freeze_broker(world: World, _rng: random.Random) -> Iterator[None]:
    """SIGSTOP, SIGCONT."""
    world.broker.freeze()
    yield
    world.broker.thaw()
