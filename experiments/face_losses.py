"""Labels and losses on the natural eight classes, and focal loss with against without, on the eight and on the seven.

python experiments/face_losses.py --data DATA --runs RUNS --out results/face
"""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from arguments import arguments
from face_common import CELLS, SEEDS, SHORT, balanced, cells, faces, together, trained
from figures import confusion_pair
from loss_functions import class_balanced, drawn, focal

from emoscope.data import ferplus
from emoscope.data.ferplus import SEVEN
from emoscope.emotions import EMOTIONS
from emoscope.training.loop import Samples
from emoscope.training.losses import Loss, cross_entropy
from emoscope.training.recipes_face import compact

COMMAND = "python experiments/face_losses.py --data DATA --runs RUNS --out results/face"
WORDS = {
    "label": "one label, cross-entropy",
    "votes": "vote distribution, cross-entropy",
    "drawn": "label drawn from the votes at each step",
    "focal": "one label, focal loss (gamma 2, alpha 0.25)",
    "weighted": "one label, class-balanced weights (beta 0.9999)",
}
REPORT = {"disgust": 10, "contempt": 10, "surprise": 13, "fear": 5, "sadness": 5, "happiness": -2, "anger": -2}
"""Points of recall that the reference system says focal loss brought."""


EPOCHS = {"eight": 10, "seven": 16}
PARTS = ("flip",)
"""With all of the augmentation, so few epochs do not get as far as naming the rare emotions."""


def main() -> None:
    args = arguments(__doc__, runs=True)
    train, votes = with_votes(args.data)
    validation = faces(args.data, "validation")
    plans: dict[str, tuple[Samples, Loss]] = {
        "label": (train, cross_entropy),
        "focal": (train, focal()),
        "votes": (votes, cross_entropy),
        "drawn": (votes, drawn()),
        "weighted": (train, class_balanced(np.bincount(train.labels, minlength=len(EMOTIONS)))),
    }
    eight = {
        name: both_seeds(args.runs / f"eight-{name}", EPOCHS["eight"], compact, samples, validation, loss)
        for name, (samples, loss) in plans.items()
    }
    few, capped = (balanced(args.data, split, SEVEN) for split in ("train", "validation"))
    seven = {
        name: both_seeds(args.runs / f"seven-{name}", EPOCHS["seven"], partial(compact, len(SEVEN)), few, capped, loss)
        for name, loss in (("label", cross_entropy), ("focal", focal()))
    }
    results = {"command": COMMAND, "epochs": EPOCHS, "seeds": len(SEEDS), "eight": eight, "seven": seven}
    (args.out / "losses.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "losses.md").write_text(page(results))
    for title, metrics, classes in (("eight", eight, EMOTIONS), ("seven", seven, SEVEN)):
        pair = [(WORDS[name], np.array(metrics[name]["confusion"])) for name in ("label", "focal")]
        (args.out / f"focal-{title}.svg").write_text(confusion_pair(pair, classes))
    print(page(results))


def with_votes(data: Path) -> tuple[Samples, Samples]:
    """The same training faces with one label each, and with their vote distributions."""
    labelled = faces(data, "train")
    votes = ferplus.load(data, "train").votes
    kept = votes[ferplus.plurality(votes) >= 0]
    return labelled, replace(labelled, targets=ferplus.distribution(kept))


def both_seeds(
    run: Path, epochs: int, network: Callable[[], Any], train: Samples, validation: Samples, loss: Loss
) -> dict[str, Any]:
    metrics = []
    for seed in SEEDS:
        settings = replace(SHORT, epochs=epochs, seed=seed)
        folder = run.with_name(f"{run.name}-{seed}")
        metrics.append(trained(folder, network, train, validation, settings, parts=PARTS, loss=loss))
    return together(metrics)


def page(results: dict[str, Any]) -> str:
    lines = [
        "# Labels and losses",
        "",
        f"Command: `{results['command']}`  ",
        f"Compact network from scratch, flips alone, {results['epochs']['eight']} epochs on the CPU "
        f"({results['epochs']['seven']} on the seven), marked at the last epoch, mean of {results['seeds']} seeds; "
        "intervals 95 % for one seed's n. Protocol `plurality` on PublicTest; all of Training's faces under that "
        "protocol.",
        "",
        f"| target and loss | {CELLS} | " + " | ".join(EMOTIONS) + " |",
        "|---" * (6 + len(EMOTIONS)) + "|",
    ]
    for name in WORDS:
        metrics = results["eight"][name]
        lines.append(
            f"| {WORDS[name]} | {cells(metrics)} | " + " | ".join(f"{r:.2f}" for r in metrics["recall"]) + " |"
        )
    for title, classes in (("eight", EMOTIONS), ("seven", SEVEN)):
        plain, with_focal = results[title]["label"], results[title]["focal"]
        words = "protocol `plurality`" if title == "eight" else "protocol `seven`"
        lines += [
            "",
            f"## Focal loss with against without: {title} classes, {words}, n = {plain['n']:,}",
            "",
            f"Accuracy {plain['accuracy']:.1%} without, {with_focal['accuracy']:.1%} with; unweighted recall "
            f"{plain['uar']:.3f} and {with_focal['uar']:.3f}.",
            "",
            "| emotion | n | recall without | with | change in points | the reference's report |",
            "|---|---|---|---|---|---|",
        ]
        for i, emotion in enumerate(classes):
            before, after = plain["recall"][i], with_focal["recall"][i]
            count = sum(plain["confusion"][i]) // results["seeds"]
            reported = f"{REPORT[emotion]:+}" if emotion in REPORT else ""
            lines.append(
                f"| {emotion} | {count:,} | {before:.1%} | {after:.1%} | {(after - before) * 100:+.1f} | {reported} |"
            )
        lines += ["", f"![Confusions without and with focal loss, {title} classes](focal-{title}.svg)"]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
