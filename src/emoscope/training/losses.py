"""What is minimised: the loss of logits against target distributions."""

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

Loss = Callable[[Tensor, Tensor], Tensor]
"""Maps logits and target distributions, both `(n, classes)`, to a number."""


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy against distributions."""
    return functional.cross_entropy(logits, targets)
