"""The reference system's classes, its network and ours: balanced five, then seven; parameters and multiply-adds."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from emoscope.data.augment import PARTS
from emoscope.data.ferplus import FIVE, SEVEN
from emoscope.training.networks import FaceResNet
from emoscope.training.networks_face import FaceVGG
from emoscope.training.recipes_face import compact, wide

from ..reference.architectures import FaceHybrid, ReferenceFaceCNN
from ..reference.common import SHORT, balanced, settings_of, together, trained
from ..rows import Point, Row, Where
from ..runner import Context
from ..scores import confused, curve, scored

NETWORKS: dict[str, tuple[str, Callable[[int], nn.Module], tuple[str, ...]]] = {
    "reference": ("reference CNN", lambda k: ReferenceFaceCNN(classes=k), ("five",)),
    "compact": ("compact ResNet", compact, ("five", "seven")),
    "hybrid": ("convolutions and transformer", lambda k: FaceHybrid(classes=k), ("five",)),
    "resnet": ("ResNet", lambda k: FaceResNet(classes=k), ("five",)),
    "vgg": ("VGG", lambda k: FaceVGG(classes=k), ()),
    "wide": ("wide ResNet", wide, ()),
}
"""Name, network for so many classes, and the sets that it is trained on here."""
CLASSES = {"five": FIVE, "seven": SEVEN}
OWN = {"reference": (replace(SHORT, epochs=24, rate=1e-3), ("flip",))}
"""Settings and augmentation other than the common ones: without normalisation a high rate diverges, and the network
learns too slowly for all of the augmentation."""
REPORT = "the reference's report"
PUBLISHED = {"five": 0.74, "seven": 0.69}
"""Accuracy that the reference's report gives; on seven after fine-tuning. It gives no n."""


def size(network: nn.Module) -> dict[str, float]:
    """Parameters, and millions of multiply-adds of one face."""
    torch.backends.mha.set_fastpath_enabled(False)  # it hides the multiply-adds of a transformer from the counter
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network.eval()(torch.zeros(1, 1, 48, 48))
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "multiply_adds_m": counter.get_total_flops() / 2e6,
    }


def networks(context: Context) -> Iterator[Row | Point]:
    """Each network's size, and its metrics on the sets that it is trained on."""
    for words, network, _ in NETWORKS.values():
        yield from sizes(words, size(network(8)))
    for protocol, classes in CLASSES.items():
        train, validation = (balanced(context.data, split, classes) for split in ("train", "validation"))
        yield reported(protocol)
        for name, (words, network, protocols) in NETWORKS.items():
            if protocol not in protocols:
                continue
            settings, parts = OWN.get(name, (settings_of(context.run), PARTS))
            make = partial(network, len(classes))
            metrics = trained(context.runs / f"{protocol}-{name}", make, train, validation, settings, parts=parts)
            yield from rows(words, protocol, together([metrics]))
            yield from curve(metrics["history"], f"{words}, {protocol}", settings.seed)


def sizes(words: str, of: dict[str, float]) -> Iterator[Row]:
    """Parameters and multiply-adds of one network."""
    yield Row(metric="parameters", value=of["parameters"], model=words)
    yield Row(metric="million multiply-adds", value=of["multiply_adds_m"], model=words)


def reported(protocol: str) -> Row:
    """What the reference's report says."""
    return Row(metric="accuracy", value=PUBLISHED[protocol], model=REPORT, protocol=protocol, split="FER+ PrivateTest")


def rows(words: str, protocol: str, metrics: dict[str, Any]) -> Iterator[Row]:
    """The metrics of one network on one set."""
    where: Where = {"model": words, "protocol": protocol, "split": "FER+ validation"}
    yield from scored(metrics, CLASSES[protocol], **where)
    yield from confused(metrics["confusion"], CLASSES[protocol], **where)
