"""The reference system's network, reproduced: features, splits, and the best that its 66,150 parameters can do.

    for recipe in reference-mfcc reference-mel reference-mfcc-random reference-mfcc-sentences; do
        emoscope train $recipe --data DATA --out RUNS/$recipe
    done
    emoscope train reference-best --data DATA --out RUNS/reference-best \\
        $(for seed in 0 1 2; do echo --teacher RUNS/voice-$seed/voice-single.onnx; done)
    python experiments/voice_reference.py --data DATA --runs RUNS --out results/voice

Each training leaves its metrics on validation, its curves and its confusion matrix; this page gathers them. A recipe
that has not been run is left out.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from arguments import arguments

from emoscope.data.splits import INFLATED
from emoscope.training.report import per_class

COMMAND = "python experiments/voice_reference.py --data DATA --runs RUNS --out results/voice"
PUBLISHED = {"anger": (0.58, 0.74, 0.65), "neutral": (0.67, 0.94, 0.78)}
"""Precision, recall and F1 of the reference's own report, where it gives them."""
PICTURES = {
    "reference-mfcc": "MFCC, 40 x 188",
    "reference-mel": "log-mel, 42 x 188",
    "reference-mfcc-random": "MFCC, 40 x 188",
    "reference-mfcc-sentences": "MFCC, 40 x 188",
    "reference-best": "log-mel, 32 x 47",
}
"""The recipes, and what the network is shown: bands by frames."""


def main() -> None:
    args = arguments(__doc__, runs=True)
    runs = {name: args.runs / name for name in PICTURES if (args.runs / name / "validation.json").exists()}
    metrics = {name: json.loads((run / "validation.json").read_text()) for name, run in runs.items()}
    for name, run in runs.items():
        for picture in ("curves", "confusion"):
            shutil.copy(run / f"{picture}.svg", args.out / f"{name}-{picture}.svg")
    results = {"command": COMMAND, "marks": metrics, "settings": {name: settings(run) for name, run in runs.items()}}
    (args.out / "reference.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "reference.md").write_text(page(results))
    print(page(results))


def settings(run: Path) -> dict[str, Any]:
    return json.loads((run / "configuration.json").read_text())


def page(results: dict[str, Any]) -> str:
    metrics = results["marks"]
    lines = [
        "# The reference system's voice network, reproduced",
        "",
        f"Command: `{results['command']}` after the trainings that `experiments/voice_reference.py` lists.  ",
        "Protocol: the name of the split; CREMA-D, six emotions, validation, the epoch chosen on the same clips. "
        "Intervals: 95 %, Wilson. Figures from a split with the same speakers on both sides are **inflated**: they say "
        "little about people who were not heard.",
        "",
        "| recipe | picture | split | epochs | n | accuracy | 95 % interval | unweighted recall |",
        "|---|---|---|---|---|---|---|---|",
        "| the reference's report | MFCC, 40 x 216 | not known | - | - | 64 % | - | - |",
    ]
    for name, m in metrics.items():
        low, high = m["interval"]
        split = f"{m['protocol']}, **inflated**" if m["protocol"] in INFLATED else m["protocol"]
        epochs = results["settings"][name]["settings"]["epochs"]
        lines.append(
            f"| `{name}` | {PICTURES[name]} | {split} | {epochs} | {m['n']} | {m['accuracy']:.1%} "
            f"| {low:.1%} to {high:.1%} | {m['uar']:.3f} |"
        )
    lines += ["", "## Precision / recall / F1 of each emotion", ""]
    labels = next(iter(metrics.values()))["labels"]
    lines += ["| recipe | " + " | ".join(labels) + " |", "|---" * (len(labels) + 1) + "|"]
    report = [cell(*PUBLISHED[label]) if label in PUBLISHED else "" for label in labels]
    for near_zero in ("disgust", "fear"):
        report[labels.index(near_zero)] = "recall near 0"
    lines.append(f"| the reference's report | {' | '.join(report)} |")
    for name, m in metrics.items():
        rows = per_class(m["confusion"])
        lines.append(f"| `{name}` | " + " | ".join(cell(r["precision"], r["recall"], r["f1"]) for r in rows) + " |")
    for name in metrics:
        lines += [
            "",
            f"![Training curves of {name}]({name}-curves.svg)",
            f"![Confusions of {name}]({name}-confusion.svg)",
        ]
    return "\n".join([*lines, ""])


def cell(precision: float, recall: float, f1: float) -> str:
    return f"{precision:.2f} / {recall:.2f} / {f1:.2f}".replace("0.", ".")


if __name__ == "__main__":
    main()
