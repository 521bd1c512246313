"""The voice model on the sound of the clips against the packed log-mels of the same clips.

    python experiments/voice_sound.py --data DATA --out results/voice

The clips of the 9 validation actors that have a video: once from `logmel_validation.npz`, once from the sound of the
.flv as a whole, once through the pipeline (voice activity, then 3 s windows).
"""

import json
from pathlib import Path

import numpy as np
from arguments import arguments

import emoscope
from emoscope.data.cremad import load_logmels, video_clips
from emoscope.emotions import EMOTIONS, expand
from emoscope.media import Sound, open_media
from emoscope.models import load
from emoscope.training.metrics import wilson
from emoscope.voice.features import window_input

COMMAND = "python experiments/voice_sound.py --data DATA --out results/voice"


def main() -> None:
    args = arguments(__doc__)
    model, packed = load("voice"), load_logmels(args.data, "validation")
    logmels = dict(zip(map(str, packed.clips), packed.logmel, strict=True))
    clips = [(clip, path) for clip, path in video_clips(args.data) if str(clip) in logmels]
    truth = np.array([EMOTIONS.index(clip.emotion) for clip, _ in clips])
    inputs = {
        "packed log-mels": np.stack([logmels[str(clip)] for clip, _ in clips]).astype(np.float32) / 255,
        "sound of the .flv": np.stack([window_input(sound(path)) for _, path in clips]),
    }
    scores = {name: expand(model.scores(batch), model.card.labels) for name, batch in inputs.items()}
    scores["pipeline on the .flv"] = np.array(
        [list(emoscope.analyze(path).select("voice").mean_scores().values()) for _, path in clips]
    )
    rows = [metrics(name, part, truth) for name, part in scores.items()]
    agree = float((scores["packed log-mels"].argmax(1) == scores["sound of the .flv"].argmax(1)).mean())
    (args.out / "sound.json").write_text(
        json.dumps({"command": COMMAND, "rows": rows, "agree": agree}, indent=1) + "\n"
    )
    (args.out / "sound.md").write_text(page(rows, agree))
    print(page(rows, agree))


def sound(path: Path) -> np.ndarray:
    """All samples of a file."""
    with open_media(path) as media:
        return np.concatenate([item.samples for item in media if isinstance(item, Sound)])


def metrics(name: str, scores: np.ndarray, truth: np.ndarray) -> dict[str, object]:
    right = int((scores.argmax(1) == truth).sum())
    return {"from": name, "n": len(truth), "accuracy": right / len(truth), "interval": wilson(right, len(truth))}


def page(rows: list[dict[str, object]], agree: float) -> str:
    lines = [
        "# Voice: from the sound and from the packed log-mels",
        "",
        f"Command: `{COMMAND}`  ",
        "Protocol: tfds validation actors, sentence IEO, level HI (anger, happiness, sadness), among six.",
        "",
        "| from | n | accuracy | 95 % interval |",
        "|---|---|---|---|",
    ]
    for row in rows:
        low, high = row["interval"]  # type: ignore[misc]
        lines.append(f"| {row['from']} | {row['n']} | {row['accuracy']:.1%} | {low:.1%} to {high:.1%} |")
    return "\n".join([*lines, "", f"The first two name the same emotion in {agree:.1%} of the clips.", ""])


if __name__ == "__main__":
    main()
