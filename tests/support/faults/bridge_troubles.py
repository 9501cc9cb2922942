"""Troubles of the bridge's process and its host: killed, doomed, stopped, asleep, a full disk, a wrong clock."""

import contextlib
import random
from collections.abc import Iterator

from tests.support.faults.world import GAP_MOST_S, Begin, World

DOOMED_WITHIN = 12  # such moments
DOOM_WAIT_S = 0.5  # for the moment to come, once the trouble should end
CLOCK_MOST_S = 7_200.0  # that the host's clock jumps


@contextlib.contextmanager
def kill_bridge(world: World, dice: random.Random) -> Iterator[None]:
    with world.dying():
        world.bridge.kill()
        world.pass_unseen(dice.choice((0.0, dice.uniform(0, GAP_MOST_S))))
        yield


def doom(moment: str) -> Begin:
    @contextlib.contextmanager
    def begin(world: World, dice: random.Random) -> Iterator[None]:
        with world.dying():
            world.bridge.arm(moment, dice.randint(1, DOOMED_WITHIN))
            yield
            if world.bridge.wait_for_death(DOOM_WAIT_S):
                world.struck.append(f"doomed_{moment}")
            world.bridge.kill()

    return begin


@contextlib.contextmanager
def restart_bridge(world: World, dice: random.Random) -> Iterator[None]:
    world.bridge.stop()
    world.pass_unseen(dice.choice((0.0, dice.uniform(0, GAP_MOST_S))))
    yield
    world.doubt()
    world.bridge.start()


@contextlib.contextmanager
def freeze_bridge(world: World, dice: random.Random) -> Iterator[None]:
    """The host sleeps: nothing moves but the house and the clock."""
    world.bridge.freeze()
    world.pass_unseen(dice.uniform(1, GAP_MOST_S))
    yield
    world.bridge.thaw()


@contextlib.contextmanager
def fill_disk(world: World, _dice: random.Random) -> Iterator[None]:
    with world.in_the_dark():
        world.disk.fill(world.bridge.pid)
        yield
        world.disk.clear(world.bridge.pid)


@contextlib.contextmanager
def jump_clock(world: World, dice: random.Random) -> Iterator[None]:
    world.clock.set_wrong(dice.uniform(-CLOCK_MOST_S, CLOCK_MOST_S))
    yield
    world.clock.set_wrong(0.0)
