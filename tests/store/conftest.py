"""A journal in a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sense_mqtt.store.journal import Journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite3"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    made = Journal(path)
    yield made
    made.close()
