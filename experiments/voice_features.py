"""STFT, mel spectrogram or MFCC? The reference system's network on each, in its own setting, from sound.

    python experiments/voice_features.py --data DATA --out results/voice

RAVDESS, actors 13 to 24, the six emotions that CREMA-D has too: eight actors train, four validate. Pictures are those
of 2.5 s at 44.1 kHz with a hop of 512. The rows of STFT and mel are averaged to 64, to bound the time: MFCC has 40.
Every network sees the recordings as they are for the same epochs. RAVDESS may not be used commercially: these networks
are not kept.
"""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import torch
from arguments import arguments
from bootstrap import interval
from rich.progress import track
from torch import nn

from emoscope.data import ravdess, splits
from emoscope.data.recordings import Recording, samples
from emoscope.data.spectra import REFERENCE, Kind, cepstra, picture
from emoscope.emotions import CREMAD_EMOTIONS, one_hot
from emoscope.report.plots import confusion_matrix, training_curves
from emoscope.training.loop import Samples, Settings, Trainer
from emoscope.training.metrics import score
from emoscope.training.networks_voice import ReferenceCNN
from emoscope.training.report import per_class

COMMAND = "python experiments/voice_features.py --data DATA --out results/voice"
KINDS: tuple[Kind, ...] = ("mfcc", "mel", "stft")
ROWS = 64
QUIET_DB = 50
SETTINGS = Settings(epochs=14, batch=16, rate=2e-3, average=0.98)


def main() -> None:
    args = arguments(__doc__)
    torch.set_num_threads(1)
    listed = [r for r in ravdess.recordings(args.data) if r.emotion in CREMAD_EMOTIONS]
    validates = splits.by_speaker([r.person for r in listed], 1 / 3)
    parts = [[r for r, v in zip(listed, validates, strict=True) if v == side] for side in (False, True)]
    train, validation = (pictures(part) for part in parts)
    rows = [run(kind, train[kind], validation[kind], parts[1], args.out) for kind in KINDS]
    results = {
        "command": COMMAND,
        "protocol": "RAVDESS actors 13-24, six emotions, four actors validate",
        "settings": asdict(SETTINGS),
        "recordings": [len(part) for part in parts],
        "rows": rows,
    }
    (args.out / "features.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "features.md").write_text(page(results))
    print(page(results))


def pictures(recordings: list[Recording]) -> dict[Kind, Samples]:
    """The pictures of all three kinds, as bytes, and what was acted."""
    images: dict[Kind, list[np.ndarray]] = {kind: [] for kind in KINDS}
    for recording in track(recordings, "picturing"):
        sound, _ = librosa.effects.trim(samples(recording.path), top_db=QUIET_DB)
        mel = picture(sound, "mel", REFERENCE) / 80 + 1
        stft = picture(sound, "stft", REFERENCE)[:-1] / 80 + 1
        images["mel"].append(in_bytes(averaged(mel)))
        images["stft"].append(in_bytes(averaged(stft)))
        images["mfcc"].append(in_bytes(0.5 + liftered(cepstra(mel.T)) / 4))
    truth = np.array([CREMAD_EMOTIONS.index(recording.emotion) for recording in recordings])
    targets = one_hot(truth, len(CREMAD_EMOTIONS))
    return {kind: Samples(np.stack(images[kind]), targets, truth) for kind in KINDS}


def averaged(image: np.ndarray) -> np.ndarray:
    """Neighbouring rows averaged until `ROWS` are left."""
    return image.reshape(ROWS, -1, image.shape[1]).mean(1)


def liftered(coefficients: np.ndarray) -> np.ndarray:
    """MFCC raised by a sine lifter and scaled to about -2 to 2; the first, the loudness, is that of the frame."""
    k = np.arange(len(coefficients))[:, None]
    lifter = 1 + len(k) * np.sin(np.pi * (k + 1) / (2 * len(k)))
    return coefficients * lifter / (80 * len(k) / 4)


def in_bytes(image: np.ndarray) -> np.ndarray:
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)


def run(kind: Kind, train: Samples, validation: Samples, listed: list[Recording], out: Path) -> dict[str, Any]:
    torch.manual_seed(0)

    def same(batch: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return batch, targets

    with tempfile.TemporaryDirectory() as folder:
        network = ReferenceCNN(nn.Identity())
        channel = lambda batch: batch.unsqueeze(1)  # noqa: E731
        trainer = Trainer(network, train, validation, SETTINGS, channel, same, same, Path(folder))
        history = trainer.run()
        logits = trainer.logits(trainer.best(), validation.inputs)
    metrics = score(logits, validation.labels)
    title = f"{kind}, RAVDESS, n = {metrics['n']}"
    (out / f"features-{kind}-curves.svg").write_text(training_curves(history))
    (out / f"features-{kind}-confusion.svg").write_text(
        confusion_matrix(np.array(metrics["confusion"]), CREMAD_EMOTIONS, title)
    )
    hits = logits.argmax(1) == validation.labels
    actors_interval = interval(hits, np.array([r.person for r in listed]))
    size = f"{train.inputs.shape[1]} x {train.inputs.shape[2]}"
    return {"kind": kind, "size": size, "trained_on": len(train.inputs), **metrics, "actors_interval": actors_interval}


def page(results: dict[str, Any]) -> str:
    lines = [
        "# STFT, mel or MFCC: the reference system's network on each",
        "",
        f"Command: `{results['command']}`  ",
        f"Protocol: {results['protocol']}; {results['recordings'][0]} recordings train for "
        f"{results['settings']['epochs']} epochs. Chance is 16.7 %. The epoch was chosen on the same recordings. "
        "Four actors are few: read the interval over actors.",
        "",
        "| picture | size | n | accuracy | 95 % interval | over actors | unweighted recall |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in results["rows"]:
        (low, high), (first, second) = row["interval"], row["actors_interval"]
        lines.append(
            f"| {row['kind']} | {row['size']} | {row['n']} | {row['accuracy']:.1%} | {low:.1%} to {high:.1%} "
            f"| {first:.1%} to {second:.1%} | {row['uar']:.3f} |"
        )
    lines += ["", "Precision / recall / F1:", "", "| picture | " + " | ".join(CREMAD_EMOTIONS) + " |", "|---" * 7 + "|"]
    for row in results["rows"]:
        cells = [f"{c['precision']:.2f} / {c['recall']:.2f} / {c['f1']:.2f}" for c in per_class(row["confusion"])]
        lines.append(f"| {row['kind']} | {' | '.join(cells)} |")
    for row in results["rows"]:
        lines += ["", f"![Training curves, {row['kind']}](features-{row['kind']}-curves.svg)"]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
