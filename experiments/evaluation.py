"""The metrics of the shipped models on validation, as tables and confusion matrices.

python experiments/evaluation.py --data DATA --out results
"""

import json
from typing import Any

import numpy as np
from arguments import arguments

from emoscope.models import DEFAULTS, card, names
from emoscope.report.plots import confusion_matrix
from emoscope.training.evaluate import evaluate


def main() -> None:
    args = arguments(__doc__)
    for name in names():
        folder = args.out / card(name).modality
        folder.mkdir(parents=True, exist_ok=True)
        for protocol in (metrics["protocol"] for metrics in card(name).metrics):
            metrics = evaluate(name, args.data, "validation", protocol)
            stem = f"validation-{protocol}" if name in DEFAULTS.values() else f"{name}-{protocol}"
            (folder / f"{stem}.json").write_text(json.dumps(metrics, indent=1) + "\n")
            (folder / f"{stem}.md").write_text(page(metrics))
            title = f"{name}, {protocol}, validation, n = {metrics['n']}"
            picture = confusion_matrix(np.array(metrics["confusion"]), metrics["labels"], title)
            (folder / f"{stem}.svg").write_text(picture)
            print(page(metrics))


def page(metrics: dict[str, Any]) -> str:
    low, high = metrics["interval"]
    command = f"emoscope evaluate {metrics['model']} --data DATA --split validation --protocol {metrics['protocol']}"
    lines = [
        f"# {metrics['model']}: protocol {metrics['protocol']}, validation",
        "",
        f"Command: `{command}` (all of these: `python experiments/evaluation.py --data DATA --out results`)",
        "",
        f"n = {metrics['n']}, accuracy **{metrics['accuracy']:.2%}** (95 % interval {low:.2%} to {high:.2%}), "
        f"unweighted recall {metrics['uar']:.3f}, macro F1 {metrics['macro_f1']:.3f}, "
        f"expected calibration error {metrics['ece']:.3f}",
        "",
        "| true | recall | " + " | ".join(metrics["labels"]) + " |",
        "|---" * (len(metrics["labels"]) + 2) + "|",
    ]
    for label, recall, counts in zip(metrics["labels"], metrics["recall"], metrics["confusion"], strict=True):
        if recall is not None:  # the class occurs
            lines.append(f"| {label} | {recall:.3f} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
