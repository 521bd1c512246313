"""How much around a face the model should see: margins of the crop, compared on CREMA-D frames.

    python experiments/crop_margin.py --data DATA --out results/face

Every 10th frame of the clips (sentence IEO; anger, happiness, sadness; 72 actors, none of them in FER+): face found,
cropped with each margin, classified by itself. The margin in use is the one of FER+'s own faces (1.0); the table
shows what others would give.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from arguments import arguments
from bootstrap import interval
from face_models import scorer
from rich.progress import track

from emoscope.data.cremad import video_clips
from emoscope.emotions import EMOTIONS, columns
from emoscope.face.crop import crop_faces
from emoscope.face.detect import Detector
from emoscope.media import Frame, open_media
from emoscope.models import FaceInput, load

MARGINS = (0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
THREE = columns(("anger", "happiness", "sadness"))
EVERY = 10
COMMAND = "python experiments/crop_margin.py --data DATA --out results/face"


def main() -> None:
    args = arguments(__doc__)
    crops, truth, actors = collect(args.data)
    classify = scorer(load("face-ferplus"))
    rows = []
    for i, margin in enumerate(MARGINS):
        scores = np.concatenate([classify(part) for part in np.array_split(crops[:, i], len(crops) // 32 + 1)])
        three = np.array(THREE)[scores[:, THREE].argmax(1)]
        likelihood = np.log(np.maximum(scores[np.arange(len(truth)), truth], 1e-9)).mean()
        rows.append(
            {
                "margin": margin,
                "n": len(truth),
                "eight": float((scores.argmax(1) == truth).mean()),
                "eight_interval": interval(scores.argmax(1) == truth, actors),
                "three": float((three == truth).mean()),
                "three_interval": interval(three == truth, actors),
                "log_likelihood": float(likelihood),
            }
        )
    (args.out / "crop.json").write_text(json.dumps({"command": COMMAND, "rows": rows}, indent=1) + "\n")
    (args.out / "crop.md").write_text(page(rows))
    print(page(rows))


def collect(data: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crops `(n, margins, 48, 48)`, the acted emotion `(n,)` and the actor `(n,)` of each."""
    detector = Detector(min_face=60)
    crops, truth, actors = [], [], []
    clips = [(clip, path) for clip, path in video_clips(data) if clip.sentence == "IEO"]
    for clip, path in track(clips, "finding faces"):
        with open_media(path) as media:
            frames = [item for item in media if isinstance(item, Frame)][::EVERY]
        for frame in frames:
            faces = detector.detect(frame.image)
            if len(faces):
                crops.append(
                    [crop_faces(frame.image, faces.landmarks[:1], FaceInput(margin=margin))[0] for margin in MARGINS]
                )
                truth.append(EMOTIONS.index(clip.emotion))
                actors.append(clip.actor)
    return np.array(crops), np.array(truth), np.array(actors)


def page(rows: list[dict[str, Any]]) -> str:
    lines = [
        "# Margin of the face crop",
        "",
        f"Command: `{COMMAND}`  ",
        "Protocol: single frames of CREMA-D video (IEO, HI; 72 actors), every 10th; accuracy of the acted emotion",
        "among all eight and among the three acted. 95 % intervals, over actors.",
        "",
        "| margin | n | among eight | among three | log-likelihood |",
        "|---|---|---|---|---|",
    ]
    for r in rows:
        shares = [
            f"{r[k]:.1%} ({r[f'{k}_interval'][0]:.1%} to {r[f'{k}_interval'][1]:.1%})" for k in ("eight", "three")
        ]
        lines.append(f"| {r['margin']} | {r['n']} | {shares[0]} | {shares[1]} | {r['log_likelihood']:.3f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
