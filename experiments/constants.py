"""The measured constants of the pipeline: where each comes from.

    python experiments/constants.py --data DATA --out results/constants

- `face.crop.TEMPLATE`: where landmarks lie in FER+'s own training faces.
- `face.track.ALIKE`: how alike crops of one person and of two are (CREMA-D clips, 72 actors).
- `speaker.STILL`: how much a mouth moves in speech and before it (the same clips).
- `voice.activity.PAD`: how much quiet around speech the voice model wants (the same clips; it was trained on other
  clips of most of these actors, so read the differences).
"""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from arguments import arguments
from bootstrap import interval
from rich.progress import track

from emoscope.data import ferplus
from emoscope.data.cremad import Clip, video_clips
from emoscope.face.crop import SIDE
from emoscope.face.detect import Detector
from emoscope.face.mouth import MouthMeter
from emoscope.face.track import ALIKE, Tracker
from emoscope.media import SAMPLE_RATE, Frame, Sound, open_media
from emoscope.models import load
from emoscope.reading.speaker import STILL, Mouths
from emoscope.voice.activity import PAD, VoiceActivity
from emoscope.voice.features import window_input

COMMAND = "python experiments/constants.py --data DATA --out results/constants"
FACES = 400
ENLARGED = 4
PADDINGS = (0.0, 0.25, 0.5, 0.75)
QUIET_S = 0.3
"""Seconds after the start of a clip in which nobody speaks yet, if speech begins later."""


def main() -> None:
    args = arguments(__doc__)
    clips = [(clip, path) for clip, path in video_clips(args.data) if clip.sentence == "IEO"]
    read = [(clip, *streams(path)) for clip, path in track(clips, "reading clips")]
    results = {
        "command": COMMAND,
        "template": template(args.data),
        "likeness": likeness(read),
        "mouths": mouths(read),
        "padding": padding(read),
    }
    (args.out / "constants.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "constants.md").write_text(page(results))
    print(page(results))


Read = tuple[Clip, list[tuple[float, np.ndarray]], np.ndarray]
"""A clip, its crops with their times, its samples."""


def streams(path: Path) -> tuple[list[tuple[float, np.ndarray]], np.ndarray]:
    """The crops of the first person with their times, and the samples."""
    tracker, crops, samples = Tracker(Detector(min_face=60)), [], [np.zeros(0, np.float32)]
    with open_media(path) as media:
        for item in media:
            if isinstance(item, Frame):
                crops += [(item.time, t.crop) for t in tracker.update(item.image, item.time)[:1]]
            elif isinstance(item, Sound):
                samples.append(item.samples)
    return crops, np.concatenate(samples)


def template(data: Path) -> dict[str, Any]:
    """Median landmarks of training faces, in pixels of the 48x48 picture."""
    images = ferplus.load(data, "train").images
    detector, found, border = Detector(min_face=60), [], SIDE
    for i in np.random.default_rng(0).permutation(len(images))[:FACES]:
        side = ENLARGED * SIDE
        large = cv2.resize(images[i], (side, side), interpolation=cv2.INTER_CUBIC)
        large = cv2.copyMakeBorder(large, border, border, border, border, cv2.BORDER_REPLICATE)
        faces = detector.detect(np.repeat(large[..., None], 3, 2))
        if len(faces) == 1:
            found.append((faces.landmarks[0] - border) / ENLARGED)
    return {"n": len(found), "median": np.median(found, 0).astype(float).round(1).tolist()}


def likeness(read: list[Read]) -> dict[str, Any]:
    """Correlation of crops, one a clip, between clips of one actor and of two."""
    kept = [(clip.actor, crops[len(crops) // 3][1]) for clip, crops, _ in read if crops]
    grey = np.array([crop for _, crop in kept], np.float32).reshape(len(kept), -1)
    grey = (grey - grey.mean(1, keepdims=True)) / grey.std(1, keepdims=True)
    alike = grey @ grey.T / grey.shape[1]
    actors = np.array([actor for actor, _ in kept])
    above = np.triu(np.ones_like(alike, bool), 1)
    same = (actors[:, None] == actors) & above
    other = (actors[:, None] != actors) & above
    return {
        "n": len(kept),
        "same_above": float((alike[same] > ALIKE).mean()),
        "other_above": float((alike[other] > ALIKE).mean()),
    }


def mouths(read: list[Read]) -> dict[str, Any]:
    """Whether the mouth counts as moving, during speech and before it."""
    rows: dict[str, list[tuple[bool, int]]] = {"speech": [], "before": []}
    for clip, crops, samples in read:
        stretches = speech(samples)
        meter, watch = MouthMeter(), Mouths()
        for time, crop in crops:
            moved = meter.measure(time, [1], crop[None])
            watch.add(np.array([time]), np.array([1]), moved[:, 0], moved[:, 1])
        for start, end in stretches[:1]:
            rows["speech"].append((watch.speaker(start - PAD / SAMPLE_RATE, end + PAD / SAMPLE_RATE) == 1, clip.actor))
            if start > QUIET_S:
                rows["before"].append((watch.speaker(0, start) == 1, clip.actor))
    return {name: share(np.array(row)) for name, row in rows.items()}


def speech(samples: np.ndarray) -> list[tuple[float, float]]:
    """Stretches of speech in seconds, without their padding."""
    activity = VoiceActivity()
    found = activity.add(np.pad(samples, PAD)) + activity.finish()  # or the clip's ends would cut the padding short
    return [(s.start / SAMPLE_RATE, (s.end - 2 * PAD) / SAMPLE_RATE) for s in found]


def padding(read: list[Read]) -> list[dict[str, Any]]:
    """Accuracy of the acted emotion for each padding of the speech, and for the whole clip."""
    model = load("voice")
    rows = []
    for pad in (*PADDINGS, None):
        hits = []
        for clip, _, samples in read:
            stretches = speech(samples)
            if not stretches:
                continue
            start, end = stretches[0][0] - (pad or 0), stretches[-1][1] + (pad or 0)
            part = samples if pad is None else samples[max(0, int(start * SAMPLE_RATE)) : int(end * SAMPLE_RATE)]
            said = int(model.scores(window_input(part)[None])[0].argmax())
            hits.append((model.card.labels[said] == clip.emotion, clip.actor))
        rows.append({"padding_s": "whole clip" if pad is None else pad, **share(np.array(hits))})
    return rows


def share(rows: np.ndarray) -> dict[str, Any]:
    """The mean of the first column with its interval over the actors of the second."""
    return {"n": len(rows), "share": float(rows[:, 0].mean()), "interval": interval(rows[:, 0], rows[:, 1])}


def page(results: dict[str, Any]) -> str:
    def shown(row: dict[str, Any]) -> str:
        low, high = row["interval"]
        return f"{row['n']} | {row['share']:.1%} | {low:.1%} to {high:.1%} |"

    likely, points = results["likeness"], results["template"]
    mouth = results["mouths"]
    lines = [
        "# Measured constants",
        "",
        f"Command: `{COMMAND}`  ",
        "Protocol: CREMA-D video, sentence IEO, level HI, 72 actors; 95 % intervals over actors.",
        "",
        f"- Template of the crop: medians of {points['n']} FER+ training faces, {points['median']}.",
        f"- Crops more alike than {ALIKE} ({likely['n']} clips): {likely['same_above']:.1%} of pairs of one actor, "
        f"{likely['other_above']:.1%} of pairs of two.",
        "",
        f"| mouth moves (above {STILL}) | n | share | 95 % interval |",
        "|---|---|---|---|",
        f"| during speech | {shown(mouth['speech'])}",
        f"| before speech | {shown(mouth['before'])}",
        "",
        "| quiet kept around speech, s | n | accuracy among six | 95 % interval |",
        "|---|---|---|---|",
        *(f"| {row['padding_s']} | {shown(row)}" for row in results["padding"]),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
