"""From five classes to seven: earlier weights loaded, against training from scratch.

python experiments/face_finetuning.py --data DATA --runs RUNS --out results/face
"""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from arguments import arguments
from face_common import CELLS, SEEDS, SHORT, balanced, cells, together, trained
from figures import accuracy_curves
from torch import nn

from emoscope.data.ferplus import FIVE, SEVEN
from emoscope.training.pretrained import averaged
from emoscope.training.recipes_face import compact

COMMAND = "python experiments/face_finetuning.py --data DATA --runs RUNS --out results/face"
SETTINGS = replace(SHORT, epochs=6)
FINE = replace(SETTINGS, rate=1e-3)
"""A third of the rate of training from scratch: what was learned is to stay."""


def main() -> None:
    args = arguments(__doc__, runs=True)
    sets = {name: [balanced(args.data, split, name) for split in ("train", "validation")] for name in (FIVE, SEVEN)}
    scratch, tuned = [], []
    for seed in SEEDS:
        settings = replace(SETTINGS, seed=seed)
        five = args.runs / f"five-{seed}"
        trained(five, lambda: compact(len(FIVE)), *sets[FIVE], settings)
        scratch.append(trained(args.runs / f"scratch-{seed}", lambda: compact(len(SEVEN)), *sets[SEVEN], settings))
        start = args.runs / f"tuned-{seed}"
        fine = replace(FINE, seed=seed)
        tuned.append(trained(start, partial(from_five, five), *sets[SEVEN], fine))
    results = {
        "command": COMMAND,
        "epochs": SETTINGS.passes,
        "scratch": together(scratch) | {"curve": curve(scratch)},
        "tuned": together(tuned) | {"curve": curve(tuned)},
    }
    (args.out / "finetuning.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "finetuning.md").write_text(page(results))
    curves = {"from scratch": results["scratch"]["curve"], "from five classes": results["tuned"]["curve"]}
    (args.out / "finetuning.svg").write_text(accuracy_curves(curves))
    print(page(results))


def from_five(run: Path) -> nn.Module:
    """The network for seven classes with the weights of five: the two new outputs start as they are made."""
    network = compact(len(SEVEN))
    earlier = averaged(run, compact(len(FIVE)), "last")
    network.features.load_state_dict(earlier.features.state_dict())
    with torch.no_grad():
        for new, old in zip(network.head.parameters(), earlier.head.parameters(), strict=True):
            new[: len(FIVE)] = old
    return network


def curve(runs: list[dict[str, Any]]) -> list[float]:
    """Validation accuracy after each epoch, mean of the runs."""
    return [float(a) for a in np.mean([[e["validation_accuracy"] for e in run["history"]] for run in runs], 0)]


def first_at(values: list[float], level: float) -> str:
    """The first epoch that reaches a level."""
    reached = [epoch for epoch, value in enumerate(values, 1) if value >= level]
    return str(reached[0]) if reached else f"more than {len(values)}"


def page(results: dict[str, Any]) -> str:
    scratch, tuned = results["scratch"], results["tuned"]
    level = scratch["curve"][-1]
    lines = [
        "# Fine-tuning: from five classes to seven",
        "",
        f"Command: `{results['command']}`  ",
        f"Compact network, {results['epochs']} epochs on the CPU, marked at the last one, mean of {len(SEEDS)} seeds, "
        f"intervals 95 % for one seed's n. Protocol `seven` on PublicTest. Fine-tuning loads the weights of "
        f"{results['epochs']} epochs on five classes and goes on at a third of the rate.",
        "",
        f"| start | {CELLS} | epochs to {level:.1%} | " + " | ".join(SEVEN) + " |",
        "|---" * (7 + len(SEVEN)) + "|",
    ]
    for words, metrics in (("from scratch", scratch), ("from five classes", tuned)):
        recalls = " | ".join(f"{r:.2f}" for r in metrics["recall"])
        lines.append(f"| {words} | {cells(metrics)} | {first_at(metrics['curve'], level)} | {recalls} |")
    lines += ["", "![Validation accuracy over the epochs](finetuning.svg)"]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
