"""Perceived or intended? Raters and models against what was acted and against what most raters heard.

    emoscope train voice-perceived --data DATA --out RUNS/voice-perceived
    python experiments/voice_perceived.py --data DATA --runs RUNS --out results/voice

CREMA-D, the nine validation actors. What is heard is the emotion that most of a clip's raters named by ear alone; clips
on which they tie are left out of that column.
"""

import json
from typing import Any

import numpy as np
from arguments import arguments
from bootstrap import interval

from emoscope.calibration import probabilities
from emoscope.data.cremad import LogMels, load_logmels
from emoscope.data.votes import perceived, votes
from emoscope.emotions import CREMAD_EMOTIONS, columns
from emoscope.models import Model, load
from emoscope.training.evaluate import logits

COMMAND = "python experiments/voice_perceived.py --data DATA --runs RUNS --out results/voice"


def main() -> None:
    args = arguments(__doc__, runs=True)
    clips = load_logmels(args.data, "validation")
    counts = votes(args.data, clips.clips)
    heard = perceived(counts)
    always = np.full(len(heard), CREMAD_EMOTIONS.index("neutral"))
    rows = [{"who": "always neutral", **against(always, clips, heard)}]
    rows += [one_rater(clips, counts), most_raters(clips, heard)]
    shipped = load("voice")
    models = {f"{shipped.card.name}, shipped": shipped}
    models["voice-perceived, trained on votes"] = Model(args.runs / "voice-perceived" / "voice-perceived.onnx")
    for name, model in models.items():
        scores = probabilities(logits(model, clips.logmel), model.card.temperature)
        rows.append(
            {
                "who": name,
                **against(scores.argmax(1), clips, heard),
                "distance": float(0.5 * np.abs(scores - counts / counts.sum(1, keepdims=True)).sum(1).mean()),
            }
        )
    results = {
        "command": COMMAND,
        "protocol": "CREMA-D tfds validation actors, voice alone",
        "rows": rows,
        "heard": {
            acted: {CREMAD_EMOTIONS[c]: float(share) for c, share in enumerate(mean)}
            for acted, mean in zip(CREMAD_EMOTIONS, confusion(clips.labels, counts), strict=True)
        },
    }
    (args.out / "perceived.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "perceived.md").write_text(page(results))
    print(page(results))


def against(said: np.ndarray, clips: LogMels, heard: np.ndarray) -> dict[str, Any]:
    """How often what somebody says is what was acted, and what most raters heard."""
    actors = np.array([clip.actor for clip in clips.clips])
    clear = heard >= 0
    acted_hits, heard_hits = said == clips.labels, (said == heard)[clear]
    return {
        "acted": float(acted_hits.mean()),
        "acted_interval": interval(acted_hits, actors),
        "heard": float(heard_hits.mean()),
        "heard_interval": interval(heard_hits, actors[clear]),
        "n": [len(said), int(clear.sum())],
    }


def one_rater(clips: LogMels, counts: np.ndarray) -> dict[str, Any]:
    """A rater drawn at random: against the acted, and against what most of the others heard."""
    actors = np.array([clip.actor for clip in clips.clips])
    rows = np.arange(len(counts))
    acted = counts[rows, clips.labels] / counts.sum(1)
    agree, weight = np.zeros(len(counts)), np.zeros(len(counts))
    for emotion in range(counts.shape[1]):
        without = counts.copy()
        without[:, emotion] -= 1
        others = perceived(without)
        some = (counts[:, emotion] > 0) & (others >= 0)
        agree += np.where(some & (others == emotion), counts[:, emotion], 0)
        weight += np.where(some, counts[:, emotion], 0)
    clear = weight > 0
    shares = agree[clear] / weight[clear]
    return {
        "who": "one rater",
        "acted": float(acted.mean()),
        "acted_interval": interval(acted, actors),
        "heard": float(shares.mean()),
        "heard_interval": interval(shares, actors[clear]),
        "n": [len(acted), int(clear.sum())],
    }


def most_raters(clips: LogMels, heard: np.ndarray) -> dict[str, Any]:
    """What most raters heard, against the acted; a tie is wrong."""
    hits = heard == clips.labels
    return {
        "who": "most raters",
        "acted": float(hits.mean()),
        "acted_interval": interval(hits, np.array([clip.actor for clip in clips.clips])),
        "n": [len(hits), int((heard >= 0).sum())],
    }


def confusion(labels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The mean distribution of votes for each acted emotion, `(6, 6)`."""
    shares = counts / counts.sum(1, keepdims=True)
    return np.array([shares[labels == c].mean(0) for c in range(len(columns(CREMAD_EMOTIONS)))])


def page(results: dict[str, Any]) -> str:
    n = results["rows"][0]["n"][0]
    lines = [
        "# Perceived or intended?",
        "",
        f"Command: `{results['command']}`  ",
        f"Protocol: {results['protocol']}, n = {n} clips. Intervals: 95 %, bootstrapped over actors. One rater is "
        "measured against what most of the other raters heard. The distance is the total variation between a model's "
        "scores and the clip's votes: 0 is the same distribution, 1 nothing in common.",
        "",
        "| who | says what was acted | says what most raters heard | n of that | distance to the votes |",
        "|---|---|---|---|---|",
    ]
    for row in results["rows"]:
        heard = f"{row['heard']:.1%} ({spread(row['heard_interval'])})" if "heard" in row else "-"
        distance = f"{row['distance']:.2f}" if "distance" in row else "-"
        lines.append(
            f"| {row['who']} | {row['acted']:.1%} ({spread(row['acted_interval'])}) | {heard} | {row['n'][1]} "
            f"| {distance} |"
        )
    lines += ["", "What raters heard (columns) where an emotion was acted (rows), share of the votes:", ""]
    lines += ["| | " + " | ".join(CREMAD_EMOTIONS) + " |", "|---" * 7 + "|"]
    for acted, shares in results["heard"].items():
        lines.append(f"| {acted} | " + " | ".join(f"{share:.0%}" for share in shares.values()) + " |")
    return "\n".join([*lines, ""])


def spread(ends: list[float]) -> str:
    return f"{ends[0]:.1%} to {ends[1]:.1%}"


if __name__ == "__main__":
    main()
