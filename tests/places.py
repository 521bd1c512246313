"""Where tests find what they read."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "synthetic.mp4"
DATA = Path(os.environ.get("EMOSCOPE_DATA", "/data"))
"""The data sets, unpacked; tests that need them are skipped where they are not."""
