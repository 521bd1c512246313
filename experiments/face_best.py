"""The best face model: several networks together, on faces and their mirror images, exported as one.

Two networks learn from the votes; together they teach the same two, which go on from where they were:

    emoscope train face-ferplus-wide --data DATA --out RUNS/wide
    emoscope train face-ferplus-vgg --data DATA --out RUNS/vgg
    python experiments/face_best.py --data DATA --runs RUNS --out RUNS/first --first
    emoscope train face-ferplus-wide --data DATA --out RUNS/wide-again --start RUNS/wide --teacher TEACHER --seed 1
    emoscope train face-ferplus-vgg --data DATA --out RUNS/vgg-again --start RUNS/vgg --teacher TEACHER --seed 1
    python experiments/face_best.py --data DATA --runs RUNS --out results/face

with `RUNS/first/face-ferplus-best.onnx` as TEACHER; leaves the model and its card in RUNS/best. How the compact one is
taught is in docs/train-a-model.md.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from arguments import parser, read
from face_architectures import Ensemble
from torch import nn

from emoscope.calibration import probabilities
from emoscope.data import ferplus
from emoscope.data.ferplus import FIVE
from emoscope.emotions import EMOTIONS, columns
from emoscope.training.loop import logits_of
from emoscope.training.metrics import prior_shift, score, unweighted_recall
from emoscope.training.pretrained import averaged
from emoscope.training.recipe import Recipe
from emoscope.training.recipes import find
from emoscope.training.recipes_face import BEST, channel
from emoscope.training.run import publish

COMMAND = "python experiments/face_best.py --data DATA --runs RUNS --out results/face"
FIRST = ("wide", "vgg")
MEMBERS = (*FIRST, "wide-again", "vgg-again")
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
RECALL = 0.8
"""Unweighted recall over the first seven emotions that the model must have on validation."""


def main() -> None:
    made = parser(__doc__, runs=True)
    made.add_argument("--first", action="store_true", help="join the first two networks, which teach the second two")
    args = read(made)
    members, folder = (FIRST, "first") if args.first else (MEMBERS, "best")
    command = f"{COMMAND} --first" if args.first else COMMAND
    train, validation = BEST.load(args.data)
    kept = validation.labels >= 0
    networks = {name: averaged(args.runs / name, recipe_of(name).network()) for name in members}
    counts = train.targets.sum(0)
    said = {name: both_ways(network, validation.inputs) for name, network in networks.items()}
    together = np.mean([logits for pair in said.values() for logits in pair], 0)

    def metrics(logits: np.ndarray) -> dict[str, Any]:
        return score(logits[kept], validation.labels[kept])

    shifted = {share: metrics(together + prior_shift(counts, share)) for share in SHARES}
    results: dict[str, Any] = {
        "command": command,
        "chosen": choose(shifted),
        "alone": {name: metrics(pair[0]) for name, pair in said.items()},
        "shifted": shifted,
        "five": five(args.data, together, counts),
    }
    (args.out / "best.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "best.md").write_text(page(results))
    print(page(results), flush=True)
    model = Ensemble(list(networks.values()), torch.from_numpy(prior_shift(counts, results["chosen"])).float())
    (args.runs / folder).mkdir(exist_ok=True)
    publish(BEST, model, validation, args.data, args.runs / folder, command)


def recipe_of(member: str) -> Recipe:
    return find(f"face-ferplus-{member.removesuffix('-again')}")


def both_ways(network: nn.Module, inputs: np.ndarray) -> list[np.ndarray]:
    """Log-probabilities of faces and of their mirror images."""
    return [np.log(probabilities(logits_of(network, some, channel))) for some in (inputs, inputs[:, :, ::-1].copy())]


def choose(shifted: dict[float, dict[str, Any]]) -> float:
    """The share with the highest accuracy, among those whose recall over the first seven emotions is at least `RECALL`.

    Where there is none, the share with the highest recall.
    """
    good = [share for share, metrics in shifted.items() if seven(metrics) >= RECALL]
    if not good:
        return max(shifted, key=lambda share: seven(shifted[share]))
    return max(good, key=lambda share: shifted[share]["accuracy"])


def seven(metrics: dict[str, Any]) -> float:
    """Unweighted recall over the first seven emotions, without contempt."""
    return unweighted_recall(metrics["recall"][:7])


def five(data: Path, logits: np.ndarray, counts: np.ndarray) -> dict[float, dict[str, Any]]:
    """Protocol `five`: the metrics of the logits of its classes, shifted by each share.

    Args:
        data: the folder that holds `ferplus/`.
        logits: of all validation faces whose most frequent vote is an emotion.
        counts: of the eight emotions in training.
    """
    votes = ferplus.load(data, "validation").votes
    labels = ferplus.balanced(votes, FIVE, "validation")[ferplus.plurality(votes) >= 0]
    kept, chosen = labels >= 0, columns(FIVE)
    places = np.array([chosen.index(label) for label in labels[kept]])
    return {share: score((logits + prior_shift(counts, share))[kept][:, chosen], places) for share in SHARES}


def page(results: dict[str, Any]) -> str:
    lines = [
        "# The best face model",
        "",
        f"Command: `{results['command']}`, after the trainings that `experiments/face_best.py` lists; on the CPU.  ",
        "Protocol `majority`, PublicTest, from FER+ Training alone. The shift adds `-share * log(frequency)` to the "
        "logits; the share was chosen on these faces: the highest accuracy with a recall over seven of at least "
        f"{RECALL:g}.",
        "",
        "| model | n | accuracy | 95 % interval | unweighted recall, seven | all eight | "
        + " | ".join(EMOTIONS)
        + " |",
        "|---" * (6 + len(EMOTIONS)) + "|",
    ]
    rows = {
        **results["alone"],
        **{f"together, mirrored, share {share:g}": metrics for share, metrics in results["shifted"].items()},
    }
    for name, metrics in rows.items():
        low, high = metrics["interval"]
        recalls = " | ".join(f"{r:.2f}" for r in metrics["recall"])
        word = f"**{name}**" if name.endswith(f"share {results['chosen']:g}") else name
        lines.append(
            f"| {word} | {metrics['n']:,} | {metrics['accuracy']:.1%} | {low:.1%} to {high:.1%} | {seven(metrics):.3f} "
            f"| {metrics['uar']:.3f} | {recalls} |"
        )
    lines += [
        "",
        "## The reference system's balanced five",
        "",
        "Protocol `five` on capped PublicTest: the model's logits of the five. Share 1 is as if the five were equally "
        "frequent, which they are in this protocol: nothing is chosen. The best share is chosen on these faces.",
        "",
        "| share | n | accuracy | 95 % interval | " + " | ".join(FIVE) + " |",
        "|---" * 9 + "|",
        "| the reference's report (PrivateTest) | | 74 % | | | | | | |",
    ]
    best = max(results["five"], key=lambda share: results["five"][share]["accuracy"])
    for share, metrics in results["five"].items():
        low, high = metrics["interval"]
        recalls = " | ".join(f"{r:.2f}" for r in metrics["recall"])
        word = f"**{share:g}**" if share == best else f"{share:g}"
        lines.append(f"| {word} | {metrics['n']:,} | {metrics['accuracy']:.1%} | {low:.1%} to {high:.1%} | {recalls} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
