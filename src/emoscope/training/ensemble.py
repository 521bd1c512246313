"""Several face networks as one: their mean over the faces and the faces' mirror images."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Ensemble(nn.Module):
    """The mean log-probability of networks on faces and on their mirror images, and a shift of each class.

    Args:
        networks: map `(n, 1, 48, 48)` to logits `(n, classes)`.
        shift: `(classes,)`, added to the result: see `metrics.prior_shift`.
    """

    shift: Tensor

    def __init__(self, networks: Sequence[nn.Module], shift: Tensor) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.register_buffer("shift", shift)

    def forward(self, faces: Tensor) -> Tensor:
        """Map faces `(n, 1, 48, 48)`, grey in [0, 1], to logits `(n, classes)`."""
        seen = (faces, faces.flip(3))
        logs = [torch.log_softmax(network(some), 1) for network in self.networks for some in seen]
        return torch.stack(logs).mean(0) + self.shift
