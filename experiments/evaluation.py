"""The marks of the shipped models on validation, as tables and confusion matrices.

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
        for protocol in (marks["protocol"] for marks in card(name).metrics):
            marks = evaluate(name, args.data, "validation", protocol)
            stem = f"validation-{protocol}" if name in DEFAULTS.values() else f"{name}-{protocol}"
            (folder / f"{stem}.json").write_text(json.dumps(marks, indent=1) + "\n")
            (folder / f"{stem}.md").write_text(page(marks))
            title = f"{name}, {protocol}, validation, n = {marks['n']}"
            picture = confusion_matrix(np.array(marks["confusion"]), marks["labels"], title)
            (folder / f"{stem}.svg").write_text(picture)
            print(page(marks))


def page(marks: dict[str, Any]) -> str:
    low, high = marks["interval"]
    command = f"emoscope evaluate {marks['model']} --data DATA --split validation --protocol {marks['protocol']}"
    lines = [
        f"# {marks['model']}: protocol {marks['protocol']}, validation",
        "",
        f"Command: `{command}` (all of these: `python experiments/evaluation.py --data DATA --out results`)",
        "",
        f"n = {marks['n']}, accuracy **{marks['accuracy']:.2%}** (95 % interval {low:.2%} to {high:.2%}), "
        f"unweighted recall {marks['uar']:.3f}, macro F1 {marks['macro_f1']:.3f}, "
        f"expected calibration error {marks['ece']:.3f}",
        "",
        "| true | recall | " + " | ".join(marks["labels"]) + " |",
        "|---" * (len(marks["labels"]) + 2) + "|",
    ]
    for label, recall, counts in zip(marks["labels"], marks["recall"], marks["confusion"], strict=True):
        if recall is not None:  # the class occurs
            lines.append(f"| {label} | {recall:.3f} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
