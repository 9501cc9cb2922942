"""The measured home of ../shared: its first hours, since reading all 72 takes seconds."""

import gzip
from itertools import islice
from pathlib import Path

from sense_mqtt.simulator.house.measured import MeasuredHouse, read_solar
from tests.support.checkout import shared_file


def measured_home(folder: Path, hours: int) -> MeasuredHouse:
    """Return a house of so many hours, with sun. A file of them is written into the folder."""
    part = folder / "measured.csv"
    with gzip.open(shared_file("data/measured_home_b_72h_1s.csv.gz"), "rt") as rows:
        part.write_text("".join(islice(rows, 1 + hours * 3600)))
    return MeasuredHouse(part, read_solar(shared_file("data/measured_solar_43h_60s.csv.gz")))
