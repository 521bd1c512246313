"""A voice network for each fold, which has not heard the fold's actors.

The shipped voice model has heard most of the 72 actors whose clips the sequences come from, so its features would know
them. Here `VoiceResNet` is trained anew for each of the five folds, on the packed log-mels of anger, happiness and
sadness (all sentences) of the other folds' actors. The schedule is fixed beforehand and the last epoch is kept; the
held-out actors are scored after each epoch for the curves alone.
"""

from pathlib import Path

import numpy as np
import torch

from emoscope.data import cremad
from emoscope.data.augment import LogMelAugment
from emoscope.data.folds import person_folds
from emoscope.emotions import one_hot
from emoscope.training.loop import Samples, Settings, Trainer
from emoscope.training.networks_voice import VoiceResNet

FOLDS = 5
THREE = ("anger", "happiness", "sadness")
SETTINGS = Settings(epochs=6, batch=64, rate=2e-3, average=0.98, smoothing=0.1)


def networks(data: Path, out: Path) -> None:
    """Train the networks of all folds, `out/voice-FOLD`; what is there already is not made again."""
    samples, actors = voices(data)
    folds = person_folds(actors, FOLDS)
    for fold in range(FOLDS):
        trainer = train(samples, folds == fold, out / f"voice-{fold}")
        print(f"fold {fold}: held out {trainer.history[-1]['validation_accuracy']:.1%}")


def voices(data: Path) -> tuple[Samples, np.ndarray]:
    """The log-mels of the three emotions, and whose each is."""
    parts = [cremad.load_logmels(data, split) for split in ("train", "validation")]
    clips = [clip for part in parts for clip in part.clips]
    kept = np.array([clip.emotion in THREE for clip in clips])
    labels = np.array([THREE.index(clip.emotion) for clip in clips if clip.emotion in THREE])
    logmels = np.concatenate([part.logmel for part in parts])[kept]
    actors = np.array([clip.actor for clip in clips])[kept]
    return Samples(logmels, one_hot(labels, 3), labels), actors


def train(samples: Samples, held_out: np.ndarray, out: Path) -> Trainer:
    """Train on the rest, or go on where an interrupted run stopped."""
    torch.manual_seed(SETTINGS.seed)
    trainer = Trainer(
        VoiceResNet(classes=3),
        _take(samples, ~held_out),
        _take(samples, held_out),
        SETTINGS,
        lambda batch: batch,
        LogMelAugment(),
        LogMelAugment(),
        out,
    )
    trainer.run(resume=True)
    return trainer


def _take(samples: Samples, chosen: np.ndarray) -> Samples:
    return Samples(samples.inputs[chosen], samples.targets[chosen], samples.labels[chosen])
