"""The best small voice model: five seeds, their mean and spread; together; one that they taught; and the shipped one.

    for seed in 0 1 2 3 4; do
        emoscope train voice-single --data DATA --out RUNS/voice-$seed --seed $seed
    done
    emoscope train voice-taught --data DATA --out RUNS/voice-taught \\
        $(for seed in 0 1 2; do echo --teacher RUNS/voice-$seed/voice-single.onnx; done)
    emoscope train voice-cremad --data DATA --out RUNS/voice-cremad
    python experiments/voice_seeds.py --data DATA --runs RUNS --out results/voice
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from arguments import arguments
from bootstrap import interval

from emoscope.data.cremad import load_logmels
from emoscope.models import Model
from emoscope.training.distil import probabilities
from emoscope.training.metrics import fit_temperature, score

COMMAND = "python experiments/voice_seeds.py --data DATA --runs RUNS --out results/voice"
SEEDS = range(5)


def main() -> None:
    args = arguments(__doc__, runs=True)
    clips = load_logmels(args.data, "validation")
    actors = np.array([clip.actor for clip in clips.clips])
    singles = [Model(args.runs / f"voice-{seed}" / "voice-single.onnx") for seed in SEEDS]

    def row(name: str, models: list[Model], last: float | None = None) -> dict[str, Any]:
        logits = np.log(np.maximum(probabilities(models, clips.logmel), 1e-9))
        metrics = score(logits, clips.labels, fit_temperature(logits, clips.labels))
        hits = logits.argmax(1) == clips.labels
        return {
            "model": name,
            "parameters": sum(model.card.parameters for model in models),
            "n": metrics["n"],
            "accuracy": metrics["accuracy"],
            "interval": metrics["interval"],
            "actors_interval": interval(hits, actors),
            "uar": metrics["uar"],
            "ece": metrics["ece"],
            "last_epoch": last,
        }

    rows = [row(f"seed {seed}", [singles[seed]], last_epoch(args.runs / f"voice-{seed}")) for seed in SEEDS]
    accuracy, recall, last = (np.array([r[key] for r in rows]) for key in ("accuracy", "uar", "last_epoch"))
    summary = {
        "accuracy": [float(accuracy.mean()), float(accuracy.std(ddof=1))],
        "uar": [float(recall.mean()), float(recall.std(ddof=1))],
        "last_epoch": [float(last.mean()), float(last.std(ddof=1))],
    }
    rows.append(row("the five together", singles))
    for name, words in (("voice-taught", "taught by the first three"), ("voice-cremad", "shipped")):
        run = args.runs / name
        rows.append(row(f"{name}: {words}", [Model(run / f"{name}.onnx")], last_epoch(run)))
    results = {"command": COMMAND, "protocol": "CREMA-D tfds, validation", "rows": rows, "five seeds": summary}
    (args.out / "seeds.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "seeds.md").write_text(page(results))
    for seed in SEEDS:
        shutil.copy(args.runs / f"voice-{seed}" / "curves.svg", args.out / f"seed-{seed}-curves.svg")
    print(page(results))


def last_epoch(run: Path) -> float:
    """Validation accuracy of the last epoch, which nothing chose."""
    return float(json.loads((run / "history.json").read_text())[-1]["validation_accuracy"])


def page(results: dict[str, Any]) -> str:
    summary = results["five seeds"]
    lines = [
        "# The small voice model: five seeds",
        "",
        f"Command: `{results['command']}` after the trainings that `experiments/voice_seeds.py` lists.  ",
        f"Protocol: {results['protocol']}, six emotions, no pretraining. The epoch was chosen on the same clips; the "
        "last epoch's accuracy, which nothing chose, stands beside it.",
        "",
        "| model | parameters | n | accuracy | 95 % interval | over actors | unweighted recall | last epoch |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in results["rows"]:
        (low, high), (first, second) = r["interval"], r["actors_interval"]
        last = f"{r['last_epoch']:.1%}" if r["last_epoch"] is not None else "-"
        lines.append(
            f"| {r['model']} | {r['parameters']:,} | {r['n']} | {r['accuracy']:.1%} | {low:.1%} to {high:.1%} "
            f"| {first:.1%} to {second:.1%} | {r['uar']:.3f} | {last} |"
        )
    mean, spread = summary["accuracy"]
    recall, recall_spread = summary["uar"]
    last, last_spread = summary["last_epoch"]
    lines += [
        "",
        f"Five seeds, mean and standard deviation: accuracy **{mean:.1%} ± {spread:.1%}**, unweighted recall "
        f"**{recall:.3f} ± {recall_spread:.3f}**; at the last epoch {last:.1%} ± {last_spread:.1%}.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
