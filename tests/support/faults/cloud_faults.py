"""Faults that Sense's cloud makes."""

import contextlib
import random
from collections.abc import Iterator

from sense_mqtt.simulator.payloads.encoding import MALFORMED_KINDS
from tests.support.faults.world import GAP_MOST_S, Begin, World

GARBAGE_MOST = 3  # frames in a row


@contextlib.contextmanager
def drop_sockets(world: World, rng: random.Random) -> Iterator[None]:
    world.cloud.outage(rng.uniform(0, GAP_MOST_S), abort=rng.random() < 0.5)
    yield


def refuse(status: int, path: str = "", retry_after: int | None = None) -> Begin:
    """Answer so to all requests, the handshake of the feed too, after a gap that has to be explained."""

    @contextlib.contextmanager
    def begin(world: World, rng: random.Random) -> Iterator[None]:
        world.cloud.faults.refuse(status, path=path, retry_after=retry_after)
        world.pass_unseen(rng.uniform(0, GAP_MOST_S))
        yield
        world.cloud.faults.clear()

    return begin


def send_no_frames(switch: str, *, drop: bool) -> Begin:
    """No frames come, sockets stay open (or are dropped once), and the house goes on."""

    @contextlib.contextmanager
    def begin(world: World, rng: random.Random) -> Iterator[None]:
        with world.losing_frames():
            setattr(world.cloud.faults, switch, True)
            if drop:
                world.cloud.drop_sockets()
            world.cloud.advance(rng.uniform(1, GAP_MOST_S))
            yield
            world.cloud.faults.clear()

    return begin


@contextlib.contextmanager
def send_malformed_frames(world: World, rng: random.Random) -> Iterator[None]:
    with world.losing_frames():
        world.cloud.faults.send_malformed(*rng.choices(sorted(MALFORMED_KINDS), k=rng.randint(1, GARBAGE_MOST)))
        yield


@contextlib.contextmanager
def cache_first_frames(world: World, rng: random.Random) -> Iterator[None]:
    world.cloud.faults.cached_first_frame_s = rng.uniform(1, GAP_MOST_S)
    world.pass_unseen(rng.uniform(0, GAP_MOST_S))
    yield
    world.cloud.faults.clear()


@contextlib.contextmanager
def close_early(world: World, rng: random.Random) -> Iterator[None]:
    world.cloud.faults.close_after_frames = rng.randint(1, 40)
    world.cloud.drop_sockets()
    yield
    world.cloud.faults.clear()


@contextlib.contextmanager
def expire_tokens(world: World, _rng: random.Random) -> Iterator[None]:
    world.cloud.account.expire_access_tokens()
    world.cloud.drop_sockets()
    yield
