"""From logits to probabilities: the one place where a temperature divides and a softmax is taken."""

import numpy as np


def probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Calibrated probabilities along the last axis (temperature scaling, Guo et al. 2017, arXiv:1706.04599).

    Args:
        logits: `(..., k)`.
        temperature: above 0; they are divided by it.

    Returns:
        `(..., k)` of the same type, or float32 for half precision; each row sums to 1.
    """
    wide = np.asarray(logits, np.promote_types(logits.dtype, np.float32)) / np.float32(temperature)
    raised = np.exp(wide - wide.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))
