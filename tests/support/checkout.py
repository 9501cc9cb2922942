"""Where the checkout is, and the data that lies beside it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"  # measured homes and recorded payloads; absent where nobody put them
