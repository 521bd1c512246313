"""Networks that see pictures, one for each of the five folds: the slow part.

- `frames-FOLD`: a shipped face network, fine-tuned on single frames of the other folds' clips. The frame baseline.
- `distributed-FOLD`: the same face network on each frame and a GRU after them, trained together on windows, as the
  reference system did.

Schedules were fixed beforehand and the last epoch is kept; the held-out actors are scored after each epoch for the
curves alone. An interrupted run goes on where it stopped.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from emoscope.data.augment import FaceAugment
from emoscope.data.sampler import Windows, covering_windows, random_windows
from emoscope.emotions import one_hot
from emoscope.training.loop import Samples, Settings, Trainer
from emoscope.training.networks import FaceResNet
from emoscope.training.pretrained import face_network
from emoscope.training.sequence_networks import Recurrent, TimeDistributed

from .common import FOLDS, PLAN, THREE, Clips, read_clips

FRAME_S = 0.1
"""Seconds between the frames that are trained on."""
FRAMES = Settings(epochs=6, batch=64, rate=3e-4, average=0.99, smoothing=0.1)
WINDOWS_PER_CLIP = 5
DISTRIBUTED = Settings(epochs=3, batch=24, rate=3e-4, average=0.98, smoothing=0.1)


def networks(data: Path, out: Path) -> None:
    """Train the networks of all folds; what is there already is not made again."""
    clips = read_clips(data)
    for fold in range(FOLDS):
        train, test = frame_samples(clips.take(clips.folds != fold)), frame_samples(clips.take(clips.folds == fold))
        run(frame_network(), train, test, FRAMES, _channel, FaceAugment(), out / f"frames-{fold}")
    for fold in range(FOLDS):
        train = window_samples(clips.take(clips.folds != fold), np.random.default_rng(fold))
        test = window_samples(clips.take(clips.folds == fold))
        run(distributed_network(), train, test, DISTRIBUTED, _same, WindowAugment(), out / f"distributed-{fold}")


def frame_network() -> FaceResNet:
    """The shipped face network with a new head for the three."""
    torch.manual_seed(0)
    network = face_network()
    network.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(192, len(THREE)))
    return network


def distributed_network() -> TimeDistributed:
    torch.manual_seed(0)
    return TimeDistributed(face_network(), Recurrent(classes=len(THREE)))


def frame_samples(clips: Clips) -> Samples:
    """Single frames, `FRAME_S` apart, with their clip's label."""
    faces, labels = [], []
    for clip, label in zip(clips.clips, clips.labels, strict=True):
        last = -np.inf
        for face, time in zip(clip.faces, clip.times, strict=True):
            if time - last >= FRAME_S - 1e-6:
                faces.append(face)
                labels.append(label)
                last = time
    return _samples(np.array(faces), np.array(labels))


def window_samples(clips: Clips, random: np.random.Generator | None = None) -> Samples:
    """Windows of faces: random ones, balanced, or with no chance given those that cover the clips."""
    windows: Windows
    if random:
        count = WINDOWS_PER_CLIP * len(clips.clips)
        windows = random_windows(clips.times, list(clips.labels), count, PLAN, random)
    else:
        windows = covering_windows(clips.times, PLAN)
    return _samples(windows.gather([clip.faces for clip in clips.clips]), clips.labels[windows.clip])


def _samples(inputs: np.ndarray, labels: np.ndarray) -> Samples:
    return Samples(inputs, one_hot(labels, len(THREE)), labels)


class WindowAugment:
    """`FaceAugment` with one change for all faces of a window, as a camera would."""

    def __init__(self) -> None:
        self.augment = FaceAugment()

    def __call__(self, windows: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        known = windows.amax((2, 3), keepdim=True) > 0
        changed, targets = self.augment(windows, targets)  # the faces are the channels: they change together
        return changed.clamp(min=1 / 255) * known, targets


def run(
    network: nn.Module, train: Samples, test: Samples, settings: Settings, prepare: object, augment: object, out: object
) -> None:
    trainer = Trainer(network, train, test, settings, prepare, augment, augment, out)  # type: ignore[arg-type]
    history = trainer.run(resume=True)
    print(f"{out}: held out {history[-1]['validation_accuracy']:.1%} of single samples", flush=True)


def _channel(batch: Tensor) -> Tensor:
    return batch.unsqueeze(1)


def _same(batch: Tensor) -> Tensor:
    return batch
