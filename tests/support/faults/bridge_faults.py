"""Faults of the bridge's process and its host: killed, crashed, stopped, asleep, a full disk, a wrong clock."""

import contextlib
import random
from collections.abc import Iterator

from tests.support.faults.world import GAP_MOST_S, Begin, World

CRASH_WITHIN = 12  # such moments
CRASH_WAIT_S = 0.5  # for the moment to come, once the fault should end
CLOCK_MOST_S = 7_200.0  # that the host's clock jumps


@contextlib.contextmanager
def kill_bridge(world: World, rng: random.Random) -> Iterator[None]:
    with world.killed():
        world.bridge.kill()
        world.pass_unseen(rng.choice((0.0, rng.uniform(0, GAP_MOST_S))))
        yield


def crash_at(moment: str) -> Begin:
    @contextlib.contextmanager
    def begin(world: World, rng: random.Random) -> Iterator[None]:
        with world.killed():
            world.bridge.arm(moment, rng.randint(1, CRASH_WITHIN))
            yield
            if world.bridge.wait_for_exit(CRASH_WAIT_S):
                world.reached.append(f"crash_{moment}")
            world.bridge.kill()

    return begin


@contextlib.contextmanager
def restart_bridge(world: World, rng: random.Random) -> Iterator[None]:
    world.bridge.stop()
    world.pass_unseen(rng.choice((0.0, rng.uniform(0, GAP_MOST_S))))
    yield
    world.discard_recent_checkpoints()
    world.bridge.start()


@contextlib.contextmanager
def freeze_bridge(world: World, rng: random.Random) -> Iterator[None]:
    """The host sleeps: nothing moves but the house and the clock."""
    world.bridge.freeze()
    world.pass_unseen(rng.uniform(1, GAP_MOST_S))
    yield
    world.bridge.thaw()


@contextlib.contextmanager
def fill_disk(world: World, _rng: random.Random) -> Iterator[None]:
    with world.losing_frames():
        world.disk.fill(world.bridge.pid)
        yield
        world.disk.clear(world.bridge.pid)


@contextlib.contextmanager
def jump_clock(world: World, rng: random.Random) -> Iterator[None]:
    world.clock.set_wrong(rng.uniform(-CLOCK_MOST_S, CLOCK_MOST_S))
    yield
    world.clock.set_wrong(0.0)
