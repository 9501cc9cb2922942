"""What is done without being asked: the jobs, each with a name for the log. A schedule is a command nobody typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ReadAccount:
    """Which monitors there are; logs in where that is needed."""


@dataclass(frozen=True, slots=True)
class ReadDevices:
    """The list of devices of a house."""

    monitor: int


@dataclass(frozen=True, slots=True)
class ReadEnergy:
    """What a house used and made in one period."""

    monitor: int
    scale: str  # of SCALES


@dataclass(frozen=True, slots=True)
class ReadTimeline:
    """What happened while nobody looked."""

    monitor: int
    why: Literal["gap", "after a gap", "blind"]


@dataclass(frozen=True, slots=True)
class SayHealth:
    """The health document, once a minute."""


@dataclass(frozen=True, slots=True)
class IntroduceAgain:
    """Home Assistant was born: it is told everything again."""


Job = ReadAccount | ReadDevices | ReadEnergy | ReadTimeline | SayHealth | IntroduceAgain

NAMES: Mapping[type, str] = {
    ReadAccount: "the Sense account",
    ReadDevices: "the list of devices",
    ReadEnergy: "energy totals",
    ReadTimeline: "the timeline",
}
"""Of the jobs that ask Sense, and may fail."""
