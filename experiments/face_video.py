"""Face models on moving faces: acted emotions, and what they say of faces at rest.

    python experiments/face_video.py --data DATA --out results/face

For each registered face model: FER+ validation under `majority`; the CREMA-D clips of the nine validation actors, whom
no model has seen, as `emoscope prepare` leaves them in DATA/cremad/sequences: the clip's emotion by mean score, among
all eight, by the model itself; and how often faces at rest are called sad: FER+'s neutral faces, and those of the
clips' first 0.2 s, before anything is acted. Intervals of 95 %, over faces and over actors. Under a minute on one core.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from arguments import parser, read
from bootstrap import interval
from face_models import face_models
from rich.progress import track

from emoscope.calibration import probabilities
from emoscope.data import clips as prepared
from emoscope.data import cremad, ferplus
from emoscope.emotions import EMOTIONS
from emoscope.face.classify import FaceClassifier
from emoscope.models import Model
from emoscope.training.metrics import score

COMMAND = "python experiments/face_video.py --data DATA --out results/face --models"
REST_S = 0.2
"""Seconds of a clip before anything is acted."""
SAD, NEUTRAL = EMOTIONS.index("sadness"), EMOTIONS.index("neutral")


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--models", nargs="+", default=[], help="registered names or .onnx files")
    args = read(made)
    faces = ferplus.load(args.data, "validation")
    labels = ferplus.majority(faces.votes)
    images, labels = faces.images[labels >= 0], labels[labels >= 0]
    clips = [c for c in prepared.load(cremad.folder(args.data) / "sequences") if "_IEO_" in c.name]
    clips = [c for c in clips if cremad.split_of(int(actor_of(c))) == "validation"]
    rows = [measured(model, images, labels, clips) for model in face_models(args.models)]
    result = {"command": f"{COMMAND} {' '.join(row['model'] for row in rows)}", "rows": rows}
    (args.out / "video.json").write_text(json.dumps(result, indent=1) + "\n")
    (args.out / "video.md").write_text(page(result))
    print(page(result))


def measured(
    model: Model, images: np.ndarray, labels: np.ndarray, clips: Sequence[prepared.FaceClip]
) -> dict[str, Any]:
    """One model on pictures and on the clips of the validation actors."""
    classifier = FaceClassifier(model)
    stills = classifier.logits(images)
    test = [(clip, classifier.logits(clip.faces)) for clip in track(clips, model.card.name)]
    return {
        "model": model.card.name,
        "pictures": score(stills, labels, model.card.temperature),
        **on_clips(test, model.card.temperature),
        "neutral_pictures_called_sad": share(stills[labels == NEUTRAL].argmax(1) == SAD),
    }


def on_clips(clips: Sequence[tuple[prepared.FaceClip, np.ndarray]], temperature: float) -> dict[str, Any]:
    """Clips that are read as what was acted, and faces at rest that are called sad."""
    actors = np.array([actor_of(clip) for clip, _ in clips])
    truth = np.array([EMOTIONS.index(clip.label) for clip, _ in clips])
    none = np.array([probabilities(logits, temperature).mean(0) for _, logits in clips])
    early = [logits[clip.times - clip.times[0] < REST_S].argmax(1) for clip, logits in clips]
    whose = np.repeat(actors, [len(said) for said in early])
    recall = {EMOTIONS[c]: float((none.argmax(1) == c)[truth == c].mean()) for c in np.unique(truth)}
    return {
        "none": share(none.argmax(1) == truth, actors),
        "recall": recall,
        "resting_faces_called_sad": share(np.concatenate(early) == SAD, whose),
    }


def actor_of(clip: prepared.FaceClip) -> str:
    return str(cremad.Clip.parse(clip.name).actor)


def share(hits: np.ndarray, whose: np.ndarray | None = None) -> dict[str, Any]:
    """How many of some are so, with the interval."""
    whose = np.arange(len(hits)) if whose is None else whose
    return {"n": len(hits), "share": float(hits.mean()), "interval": interval(hits, whose)}


def page(result: dict[str, Any]) -> str:
    lines = [
        "# Moving faces, and faces at rest", "", f"Command: `{result['command']}`", "",
        "Pictures: FER+ validation, protocol `majority`. Clips: CREMA-D, sentence IEO, high intensity, the 9 "
        "validation actors, whom no model has seen; among all eight emotions, by the model itself. At rest: FER+'s "
        "neutral faces, and those of the clips' first 0.2 s. Intervals of 95 %, over faces and over actors.", "",
        "| model | pictures | recall of seven | clips, n | clips right | anger | happiness | sadness | "
        "neutral pictures called sad | resting faces of clips called sad |", "|---" * 10 + "|",
    ]  # fmt: skip
    for row in result["rows"]:
        low, high = row["pictures"]["interval"]
        seven = float(np.mean(row["pictures"]["recall"][:7]))
        recalls = " | ".join(f"{row['recall'][name]:.0%}" for name in ("anger", "happiness", "sadness"))
        lines.append(
            f"| {row['model']} | {row['pictures']['accuracy']:.1%} ({low:.1%} to {high:.1%}) | {seven:.3f} "
            f"| {row['none']['n']} | {cell(row['none'])} | {recalls} "
            f"| {cell(row['neutral_pictures_called_sad'])} | {cell(row['resting_faces_called_sad'])} |"
        )
    return "\n".join([*lines, ""])


def cell(row: dict[str, Any]) -> str:
    low, high = row["interval"]
    return f"{row['share']:.1%} ({low:.1%} to {high:.1%})"


if __name__ == "__main__":
    main()
