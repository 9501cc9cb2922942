"""The fault harness: the bridge in a world that breaks, and a house whose true transitions are known."""

import sys
from pathlib import Path

# Whole runs share their broker with the end-to-end tests, which pytest imports from their own folder.
sys.path.append(str(Path(__file__).resolve().parents[1] / "end_to_end"))
