"""What the runs of sequences share: the clips, the five folds, the windows, and how a clip is judged."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from emoscope.data.clips import FaceClip, load
from emoscope.data.folds import person_folds
from emoscope.data.sampler import covering_windows
from emoscope.face.windows import FaceWindows

FACE = "face-ferplus"
"""The shipped face model whose network is built on."""
FOLDS = 5
THREE = ("anger", "happiness", "sadness")
PLAN = FaceWindows()


class Clips(NamedTuple):
    """The clips of the protocol: CREMA-D video, sentence IEO, level HI, 72 actors."""

    clips: list[FaceClip]
    labels: np.ndarray
    actors: np.ndarray
    folds: np.ndarray

    @property
    def times(self) -> list[np.ndarray]:
        return [clip.times for clip in self.clips]

    def take(self, chosen: np.ndarray) -> "Clips":
        """The clips of a mask `(n,)`."""
        clips = [clip for clip, one in zip(self.clips, chosen, strict=True) if one]
        return Clips(clips, self.labels[chosen], self.actors[chosen], self.folds[chosen])


def read_clips(data: Path) -> Clips:
    """The prepared clips, `DATA/cremad/sequences` (`emoscope prepare DATA/cremad --out DATA/cremad/sequences`)."""
    clips = [clip for clip in load(data / "cremad" / "sequences") if "_IEO_" in clip.name]
    labels = np.array([THREE.index(clip.label) for clip in clips])
    actors = np.array([clip.person for clip in clips])
    return Clips(clips, labels, actors, person_folds(list(actors), FOLDS))


def covering(model: torch.nn.Module, clips: Clips, frames: list[np.ndarray]) -> np.ndarray:
    """The mean log-probabilities `(n, classes)` of each clip's covering windows.

    Args:
        model: maps `(windows, faces, ...)` to logits.
        clips: n clips.
        frames: of each clip its faces or features, `(faces, ...)`; uint8 are divided by 255.
    """
    windows = covering_windows(clips.times, PLAN)
    inputs = windows.gather(frames)
    scores = []
    with torch.inference_mode():
        for i in range(0, len(inputs), 64):
            batch = torch.from_numpy(inputs[i : i + 64])
            batch = batch.float() / 255 if batch.dtype == torch.uint8 else batch.float()
            scores.append(torch.log_softmax(model(batch).float(), 1))
    logs = torch.cat(scores).numpy()
    return np.array([logs[windows.clip == clip].mean(0) for clip in range(len(clips.clips))])
