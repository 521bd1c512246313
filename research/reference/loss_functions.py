"""Losses beside cross-entropy: focal, weighted by class, and against labels drawn from the votes."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from emoscope.training.losses import Loss, cross_entropy


def focal(gamma: float = 2.0, alpha: float = 0.25) -> Loss:
    """Focal loss (Lin et al. 2017, arXiv:1708.02002, eq. 5), over the softmax: what is learned already counts little.

    Args:
        gamma: how little.
        alpha: the weight of all classes.
    """

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        logs = torch.log_softmax(logits, 1)
        return -alpha * (targets * (1 - logs.exp()) ** gamma * logs).sum(1).mean()

    return loss


def class_balanced(counts: np.ndarray, beta: float = 0.9999) -> Loss:
    """Cross-entropy weighted by the effective number of samples (Cui et al. 2019, arXiv:1901.05555, eq. 2).

    Args:
        counts: samples of each class `(classes,)`; a class without any gets no weight.
        beta: 0 weighs all classes alike, near 1 by the inverse of their number.
    """
    weight = np.where(counts > 0, (1 - beta) / (1 - beta ** np.maximum(counts, 1)), 0.0)
    weights = torch.from_numpy(weight * (counts > 0).sum() / weight.sum()).float()

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        each = targets * weights.to(logits)
        return -(each * torch.log_softmax(logits, 1)).sum(1).mean()

    return loss


def drawn(loss: Loss = cross_entropy) -> Loss:
    """A loss against one label of each sample, drawn anew from its distribution at each step.

    Barsoum et al. 2016, arXiv:1608.01041, section 3.2: probabilistic label drawing.
    """

    def against_a_draw(logits: Tensor, targets: Tensor) -> Tensor:
        labels = torch.multinomial(targets, 1).squeeze(1)
        return loss(logits, functional.one_hot(labels, targets.shape[1]).to(targets))

    return against_a_draw
