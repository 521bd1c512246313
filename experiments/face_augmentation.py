"""What each part of the augmentation is worth: alone, all together, and with mixing.

python experiments/face_augmentation.py --data DATA --runs RUNS --out results/face
"""

import json
from dataclasses import replace
from typing import Any

import numpy as np
from arguments import arguments
from face_common import CELLS, SEEDS, SHORT, cells, faces, together, trained

from emoscope.data.augment import PARTS
from emoscope.training.loop import Samples
from emoscope.training.recipes_face import compact

COMMAND = "python experiments/face_augmentation.py --data DATA --runs RUNS --out results/face"
THIRD = 3
"""One training face in so many: few enough for a small network to learn by heart in a short schedule."""
PLANS: dict[str, tuple[str, ...]] = {
    "none": (),
    **{part: (part,) for part in (*PARTS, "mixing")},
    "all but mixing": PARTS,
    "all": (*PARTS, "mixing"),
}
SETTINGS = replace(SHORT, epochs=5)


def main() -> None:
    args = arguments(__doc__, runs=True)
    train = every_third(faces(args.data, "train"))
    validation = faces(args.data, "validation")
    rows = {
        name: together(
            [
                trained(
                    args.runs / f"{name.replace(' ', '-')}-{seed}",
                    compact,
                    train,
                    validation,
                    replace(SETTINGS, seed=seed),
                    parts=parts,
                )
                for seed in SEEDS
            ]
        )
        for name, parts in PLANS.items()
    }
    results = {"command": COMMAND, "epochs": SETTINGS.passes, "train": len(train.inputs), "rows": rows}
    (args.out / "augmentation.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "augmentation.md").write_text(page(results))
    print(page(results))


def every_third(samples: Samples) -> Samples:
    chosen = np.arange(0, len(samples.inputs), THIRD)
    return Samples(samples.inputs[chosen], samples.targets[chosen], samples.labels[chosen])


def page(results: dict[str, Any]) -> str:
    none = results["rows"]["none"]
    lines = [
        "# What each part of the augmentation is worth",
        "",
        f"Command: `{results['command']}`  ",
        f"Compact network from scratch on every third face of Training ({results['train']:,}, one label each), "
        f"{results['epochs']} epochs on the CPU, marked at the last epoch, mean of {len(SEEDS)} seeds; intervals 95 % "
        "for one seed's n. Protocol `plurality`, PublicTest, eight emotions.",
        "",
        f"| augmentation | {CELLS} | against none, points |",
        "|---" * 7 + "|",
    ]
    for name, metrics in results["rows"].items():
        change = "" if name == "none" else f"{(metrics['accuracy'] - none['accuracy']) * 100:+.1f}"
        lines.append(f"| {name} | {cells(metrics)} | {change} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
