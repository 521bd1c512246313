"""MTCNN's three networks (Zhang et al. 2016, arXiv:1604.02878), as `scripts/convert_mtcnn.py` made them."""

from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..models.model import session

WEIGHTS = Path(__file__).parent / "weights"


class Network:
    """One of the three networks on ONNX Runtime; it may be run from several threads at once.

    Args:
        name: `pnet`, fully convolutional over pictures of 12 pixels a side or more, `rnet` on 24 x 24, `onet` on
            48 x 48.
        threads: threads of one call.
    """

    def __init__(self, name: Literal["pnet", "rnet", "onet"], threads: int) -> None:
        self._session = _session(name, threads)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Run on `(n, 3, height, width)` float32 RGB in 0..255.

        Returns:
            of `pnet` `(n, 5, cells)`, for every second pixel in rows, with `cells = rows * columns`,
            `rows = ceil((height - 2) / 2) - 4`, and columns likewise: the logit of "face" and the box's regression dx1,
            dy1, dx2, dy2. Of `rnet` `(n, 5)`, the same. Of `onet` `(n, 15)`: the same, then the five landmarks' x and
            the five y.
        """
        output: np.ndarray = self._session.run(None, {"pixels": pixels})[0]
        return output


@cache
def _session(name: str, threads: int) -> Any:
    """A network is loaded once a process and shared by all detectors."""
    return session(WEIGHTS / f"{name}.onnx", "cpu", threads)
