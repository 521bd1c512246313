"""The reference system's classes, its network and ours: balanced five, then seven; parameters and multiply-adds.

python experiments/face_networks.py --data DATA --runs RUNS --out results/face
"""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from arguments import arguments
from face_architectures import FaceHybrid, ReferenceFaceCNN
from face_common import CELLS, SHORT, balanced, cells, together, trained
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from emoscope.data.augment import PARTS
from emoscope.data.ferplus import FIVE, SEVEN
from emoscope.report.plots import confusion_matrix, training_curves
from emoscope.training.networks import FaceResNet
from emoscope.training.networks_face import FaceVGG
from emoscope.training.recipes_face import compact, wide

COMMAND = "python experiments/face_networks.py --data DATA --runs RUNS --out results/face"
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
PUBLISHED = {"five": "74 %", "seven": "69 % (fine-tuned)"}


def main() -> None:
    args = arguments(__doc__, runs=True)
    results: dict[str, Any] = {"command": COMMAND, "epochs": SHORT.passes, "networks": {}, "five": {}, "seven": {}}
    for name, (words, network, _) in NETWORKS.items():
        results["networks"][name] = {"words": words, **size(network(8))}
    for protocol, classes in CLASSES.items():
        train, validation = (balanced(args.data, split, classes) for split in ("train", "validation"))
        results[f"{protocol} images"] = [len(train.inputs), len(validation.inputs)]
        for name, (_, network, protocols) in NETWORKS.items():
            if protocol not in protocols:
                continue
            settings, parts = OWN.get(name, (SHORT, PARTS))
            make = partial(network, len(classes))
            metrics = trained(args.runs / f"{protocol}-{name}", make, train, validation, settings, parts=parts)
            results[protocol][name] = together([metrics])
            pictures(args.out / f"{protocol}-{name}", f"{name}, {protocol}, validation", metrics, classes)
    (args.out / "networks.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "networks.md").write_text(page(results))
    print(page(results))


def size(network: nn.Module) -> dict[str, float]:
    """Parameters, and millions of multiply-adds of one face."""
    torch.backends.mha.set_fastpath_enabled(False)  # it hides the multiply-adds of a transformer from the counter
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network.eval()(torch.zeros(1, 1, 48, 48))
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "multiply_adds_m": counter.get_total_flops() / 2e6,
    }


def pictures(stem: Path, title: str, metrics: dict[str, Any], classes: tuple[str, ...]) -> None:
    counts = np.array(metrics["confusion"])
    confusion = confusion_matrix(counts, classes, f"{title}, n = {metrics['n']}")
    stem.with_name(f"{stem.name}-confusion.svg").write_text(confusion)
    stem.with_name(f"{stem.name}-curves.svg").write_text(training_curves(metrics["history"]))


def page(results: dict[str, Any]) -> str:
    lines = [
        "# Networks, on the reference system's classes",
        "",
        f"Command: `{results['command']}`  ",
        f"Each network from scratch on one label a face, cross-entropy, the same augmentation, {results['epochs']} "
        "epochs on the CPU, marked at the last epoch, one seed; the reference CNN with flips alone and "
        f"{OWN['reference'][0].passes} epochs.",
        "",
        "| network | parameters | multiply-adds of a face (millions) |",
        "|---|---|---|",
    ]
    for one in results["networks"].values():
        lines.append(f"| {one['words']} | {one['parameters']:,} | {one['multiply_adds_m']:.0f} |")
    for protocol, classes in CLASSES.items():
        train, _ = results[f"{protocol} images"]
        lines += [
            "",
            f"## Protocol `{protocol}`: {train:,} training images, capped PublicTest",
            "",
            f"| network | {CELLS} | " + " | ".join(classes) + " |",
            "|---" * (6 + len(classes)) + "|",
            f"| the reference's report (PrivateTest) | | {PUBLISHED[protocol]} | | | " + " | " * len(classes) + "|",
        ]
        for name, metrics in results[protocol].items():
            recalls = " | ".join(f"{r:.2f}" for r in metrics["recall"])
            lines.append(f"| {results['networks'][name]['words']} | {cells(metrics)} | {recalls} |")
        for name in results[protocol]:
            lines += [
                "",
                f"![Training curves of {name}, {protocol}]({protocol}-{name}-curves.svg)",
                f"![Confusions of {name}, {protocol}]({protocol}-{name}-confusion.svg)",
            ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
