"""What tests of any room share. This folder is on the import path: all can import `make_media` and `places`.

`research` is importable too.
"""

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from places import EXAMPLE, ROOT

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

# A busy machine is slow, not wrong.
settings.register_profile("emoscope", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("emoscope")

sys.path.append(str(ROOT))  # for research


@pytest.fixture(scope="session")
def speech() -> np.ndarray:
    """Four seconds of sound with synthetic speech in it, float32 mono at 16 kHz."""
    from emoscope.media import Sound, open_media

    with open_media(EXAMPLE) as media:
        samples = np.concatenate([item.samples for item in media if isinstance(item, Sound)])
    return samples[: 4 * 16_000]


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """A photograph of one smiling person, RGB uint8 (300, 256, 3): in the public domain, and matplotlib ships it."""
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
