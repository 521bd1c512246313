"""STFT, mel spectrogram or MFCC? The reference system's network on each, in its own setting, from sound.

RAVDESS, actors 13 to 24, the six emotions that CREMA-D has too: eight actors train, four validate. Pictures are those
of 2.5 s at 44.1 kHz with a hop of 512. The rows of STFT and mel are averaged to 64, to bound the time: MFCC has 40.
Every network sees the recordings as they are for the same epochs. RAVDESS may not be used commercially: these networks
are not kept.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import torch
from rich.progress import track
from torch import nn

from emoscope.data import ravdess, splits
from emoscope.data.recordings import Recording, samples
from emoscope.data.spectra import REFERENCE, Kind, cepstra, picture
from emoscope.emotions import CREMAD_EMOTIONS, one_hot
from emoscope.training.loop import Samples, Settings, Trainer
from emoscope.training.metrics import score
from emoscope.training.networks_voice import ReferenceCNN

from ..intervals import interval
from ..rows import Point, Row, Where
from ..runner import Context
from ..scores import confused, curve, per_class, scored

KINDS: tuple[Kind, ...] = ("mfcc", "mel", "stft")
ROWS = 64
History = list[dict[str, float]]
QUIET_DB = 50


def features(context: Context) -> Iterator[Row | Point]:
    """The network on each kind of picture."""
    torch.set_num_threads(1)
    listed = [r for r in ravdess.recordings(context.data) if r.emotion in CREMAD_EMOTIONS]
    validates = splits.by_speaker([r.person for r in listed], 1 / 3)
    parts = [[r for r, v in zip(listed, validates, strict=True) if v == side] for side in (False, True)]
    train, validation = (pictures(part) for part in parts)
    for kind in KINDS:
        settings = Settings(**context.run.overrides)
        metrics, history = run(kind, train[kind], validation[kind], parts[1], settings)
        yield from rows(metrics)
        yield from curve(history, kind)


def channelled(batch: torch.Tensor) -> torch.Tensor:
    """With one channel."""
    return batch.unsqueeze(1)


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


def run(
    kind: Kind, train: Samples, validation: Samples, listed: list[Recording], settings: Settings
) -> tuple[dict[str, Any], History]:
    torch.manual_seed(0)

    def same(batch: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return batch, targets

    with tempfile.TemporaryDirectory() as folder:
        network = ReferenceCNN(nn.Identity())
        trainer = Trainer(network, train, validation, settings, channelled, same, same, Path(folder))
        history = trainer.run()
        logits = trainer.logits(trainer.best(), validation.inputs)
    metrics = score(logits, validation.labels)
    hits = logits.argmax(1) == validation.labels
    actors_interval = interval(hits, np.array([r.person for r in listed]))
    size = f"{train.inputs.shape[1]} x {train.inputs.shape[2]}"
    return {"kind": kind, "size": size, **metrics, "actors_interval": actors_interval}, history


def rows(metrics: dict[str, Any]) -> Iterator[Row]:
    """The metrics of the network on one kind of picture; its interval is over actors."""
    where: Where = {
        "condition": f"{metrics['kind']}, {metrics['size']}",
        "split": "RAVDESS 13-24, four actors",
    }
    yield from scored({**metrics, "interval": metrics["actors_interval"]}, CREMAD_EMOTIONS, **where)
    yield from per_class(metrics["confusion"], CREMAD_EMOTIONS, **where)
    yield from confused(metrics["confusion"], CREMAD_EMOTIONS, **where)
