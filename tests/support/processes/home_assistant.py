"""A real Home Assistant: where it is, and the script that asks it what it shows."""

import os
from pathlib import Path

from tests.support.checkout import SHARED

PROBE = SHARED / "tools" / "ha_probe.py"
PYTHON = Path(os.environ.get("HOME_ASSISTANT_VENV", "nowhere")) / "bin/python"
