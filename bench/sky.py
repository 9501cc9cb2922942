"""How well `sky` agrees with a satellite, hour by hour, each judged by what was known before it.

    .venv/bin/python bench/sky.py measured_pv_104d_15min.csv.gz [measured_solar_43h_60s.csv.gz]

The first file has the columns `unix, pv_w, ghi_w_m2, ghi_clear_w_m2`, at a constant step; the second `unix` and watts.
Everything goes through `observe`, one frame a row.
"""

import csv
import gzip
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sense_mqtt.core.changes import Reading
from sense_mqtt.core.device_rules import DeviceRules
from sense_mqtt.core.home.state import Home, Policy
from sense_mqtt.core.observe import observe
from sense_mqtt.core.solar_rules import Location, SolarRules
from sense_mqtt.core.timestamps import Moment
from sense_mqtt.core.wire.frames import RealtimeUpdate

GOLDEN = Location(39.74, -105.17)
LOCAL_S = -7 * 3600  # a day of the roof begins at this time of a UTC day
FIRST_DAY = 10  # days before are for learning
DAYLIGHT_W_M2 = 120.0  # an hour counts where a clear sky would bring so much
GRADES = {"overcast": 0, "partly": 1, "clear": 2}


@dataclass(frozen=True)
class Hour:
    """What was said at the end of an hour, and what the satellite saw in it."""

    start: int
    said: str
    seen: str

    @property
    def distance(self) -> int | None:
        return abs(GRADES[self.said] - GRADES[self.seen]) if self.said in GRADES else None


def read(path: str) -> list[list[float | None]]:
    with gzip.open(path, "rt") as file:
        return [[float(cell) if cell else None for cell in row] for row in list(csv.reader(file))[1:]]


def said(rows: Iterable[tuple[float, float | None]], location: Location | None) -> Iterator[tuple[float, str, int]]:
    """Yield for each row its time, the sky said last and how often it has changed; a row without watts is no frame."""
    policy = Policy(lambda _: DeviceRules(), stale_after_s=3600.0, solar=SolarRules(location))
    home, sky, changes = Home(1), "", -1
    for time, watts in rows:
        if watts is not None:
            home, made = observe(home, RealtimeUpdate(w=500.0, epoch=time, solar_w=watts), Moment(time, time), policy)
            for reading in made:
                if isinstance(reading, Reading) and reading.key == "sky":
                    sky, changes = str(reading.value), changes + 1
        yield time, sky, changes


def hours(rows: list[list[float]], location: Location | None, first_day: int) -> tuple[list[Hour], float]:
    """Return the hours that count, and the changes a day."""
    start = rows[0][0] + LOCAL_S
    judged, found = list(said(((row[0], row[1]) for row in rows), location)), []
    ghi = clear = 0.0
    for row, (time, sky, _) in zip(rows, judged, strict=True):
        ghi, clear = ghi + row[2], clear + row[3]
        if (time + 900) % 3600:
            continue
        day = (time + LOCAL_S) // 86400 - start // 86400
        if day >= first_day and clear / 4 >= DAYLIGHT_W_M2:
            found.append(Hour(int(time) - 2700, sky, _grade(ghi / clear)))
        ghi = clear = 0.0
    return found, judged[-1][2] * 86400 / (rows[-1][0] - rows[0][0])


def _grade(clearness: float) -> str:
    return "clear" if clearness >= 0.8 else "partly" if clearness >= 0.4 else "overcast"


def report(title: str, counted: list[Hour], changes: float) -> None:
    right = sum(hour.distance == 0 for hour in counted) / len(counted)
    opposite = sum(hour.distance == 2 for hour in counted) / len(counted)
    unknown = sum(hour.distance is None for hour in counted)
    print(f"{title:<34}{len(counted):>6}{right:>9.1%}{opposite:>10.2%}{unknown:>9}{changes:>13.1f}")


def confusion(counted: list[Hour]) -> None:
    print("\nsatellite \\ said    overcast  partly   clear")
    for seen in GRADES:
        row = [sum(hour.seen == seen and hour.said == sky for hour in counted) for sky in GRADES]
        print(f"{seen:<18}{row[0]:>10}{row[1]:>8}{row[2]:>8}")


def two_days(path: str) -> None:
    """Print what is said of both days: at once, and once the roof was learned from these days again and again."""
    rows = [(row[0], row[1]) for row in read(path)]
    span = (int(rows[-1][0] - rows[0][0]) // 86400 + 1) * 86400
    known = [(time - span * times, watts) for times in range(6, 0, -1) for time, watts in rows]
    for title, given in (("Two days, nothing learned before:", rows), ("The same two days, learned:", known + rows)):
        print(f"\n{title}")
        before = ""
        for time, sky, _ in said(given, None):
            if time >= rows[0][0] and sky != before:
                before = sky
                hour = (time + LOCAL_S) % 86400 / 3600
                print(
                    f"  day {int((time + LOCAL_S) // 86400 - (rows[0][0] + LOCAL_S) // 86400) + 1} "
                    f"{int(hour):02}:{int(hour * 60) % 60:02} {sky}"
                )


def main(year: str, days: str | None = None) -> None:
    rows = read(year)
    print(f"{'':<34}{'hours':>6}{'right':>9}{'opposite':>10}{'unknown':>9}{'changes/day':>13}")
    for title, location, first_day in (
        ("without location, from day 11 on", None, FIRST_DAY),
        ("with location, from day 11 on", GOLDEN, FIRST_DAY),
        ("with location, from day 7 on", GOLDEN, 6),
    ):
        report(title, *hours(rows, location, first_day))
    confusion(hours(rows, None, FIRST_DAY)[0])
    if days:
        two_days(days)


if __name__ == "__main__":
    main(*sys.argv[1:])
