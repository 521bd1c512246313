"""Heads over time on features of faces, five folds, three seeds each.

The clips' scores are kept in `out/scores/NAME.npz`. `frozen` heads see the features of a shipped face network, `tuned`
ones those of the network that was fine-tuned on the fold's training frames (`encoders`); `pretrained` ones have learned
from moving FER+ stills before, and `joint` ones learn from both at once and keep all eight emotions.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from emoscope.data.moving import loudness
from emoscope.emotions import EMOTIONS, columns, one_hot
from emoscope.training.features import SlotDrop, encode_clips
from emoscope.training.loop import Samples, Settings, Trainer
from emoscope.training.networks import FaceResNet
from emoscope.training.pretrained import face_network
from emoscope.training.recipes import find
from emoscope.training.sequence_networks import HEADS, MeanPooling
from emoscope.training.sequences import (
    MOVING,
    WINDOWS,
    clip_samples,
    clip_target,
    face_votes,
    feature_windows,
    moving_samples,
    together,
)

from .common import FACE, FOLDS, THREE, Clips, covering, read_clips
from .encoders import frame_network

SEEDS = 3
VARIANTS = 4
WINDOWS_PER_CLIP = 10
HEAD = Settings(epochs=8, batch=48, rate=1e-3, average=0.98, smoothing=0.1, balanced=True)
PRETRAIN = Settings(epochs=6, batch=128, rate=1e-3, average=0.99)
JOINT = find("sequence-cremad").settings
MOVING_VALIDATION = 1000
PRETRAINED_HEADS = ("gru", "attention")
TUNED = (("gru", "attention"), 2, 1)
"""The heads on fine-tuned features, the variants of each clip and the seeds: fewer, for each fold has its own."""
JOINT_HEADS = {"joint": (0.0, SEEDS), "joint-quarter": (0.25, 1), "joint-votes": (0.5, SEEDS)}
"""The share of the raters' votes in the clips' targets, and the seeds."""
Features = list[list[np.ndarray]]


def scores_of(data: Path, out: Path) -> None:
    """Train all heads on what `encoders` left in `out`, and score the clips; what is there is not made again."""
    clips = read_clips(data)
    (out / "scores").mkdir(exist_ok=True)
    shipped = face_network()
    frozen = [cached(out / "features-frozen.npz", lambda: clip_features(shipped, clips))] * FOLDS
    save(out, "shipped-frames", lambda: [shipped_scores(shipped, frozen[0][0])])
    probe(out, clips, "frozen-frames", frozen)
    for name in HEADS:
        heads(out, clips, f"frozen-{name}", frozen, name)
    moving = cached(out / "features-moving.npz", lambda: moving_features(shipped, data, clips))
    for name in PRETRAINED_HEADS:
        state = pretrain(out, name, moving)
        heads(out, clips, f"pretrained-{name}", frozen, name, state)
    joint(out, data, clips, frozen[0], moving)
    tuned = [tuned_features(out, clips, fold) for fold in range(FOLDS)]
    save(out, "tuned-frames", lambda: [tuned_scores(out, clips, tuned)])
    for name in TUNED[0]:
        heads(out, clips, f"tuned-{name}", tuned, name, count=TUNED[2])


def clip_features(encoder: FaceResNet, clips: Clips, variants: int = VARIANTS) -> Features:
    torch.manual_seed(0)
    return encode_clips(encoder, [clip.faces for clip in clips.clips], variants)


def cached(path: Path, make: Callable[[], list[list[np.ndarray]]]) -> list[list[np.ndarray]]:
    """Lists of arrays, made once."""
    if not path.exists():
        made = make()
        arrays = {f"{i}-{j}": a.astype(np.float16) for i, part in enumerate(made) for j, a in enumerate(part)}
        with path.open("wb") as file:
            np.savez(file, **arrays)
    with np.load(path) as arrays:
        found: dict[int, list[np.ndarray]] = {}
        for key in arrays.files:
            found.setdefault(int(key.split("-")[0]), []).append(arrays[key].astype(np.float32))
    return [found[i] for i in sorted(found)]


def save(out: Path, name: str, make: Callable[[], list[list[np.ndarray]]]) -> None:
    """Write scores: for each seed, for each clip, `(k, classes)` log-probabilities, of its frames or of the clip."""
    path = out / "scores" / f"{name}.npz"
    if path.exists():
        return
    scores = make()
    with path.open("wb") as file:
        np.savez(file, **{f"{i}-{j}": a for i, seed in enumerate(scores) for j, a in enumerate(seed)})
    print(name, flush=True)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return torch.log_softmax(torch.from_numpy(logits), 1).numpy()


def shipped_scores(network: FaceResNet, features: list[np.ndarray]) -> list[np.ndarray]:
    """The frames of each clip, `(faces, 8)`, by the shipped face model, calibrated."""
    from emoscope.models import card

    with torch.inference_mode():
        logits = [network.head.eval()(torch.from_numpy(f)).numpy() for f in features]
    return [log_softmax(one / card(FACE).temperature) for one in logits]


def probe(out: Path, clips: Clips, name: str, features: list[Features]) -> None:
    """A linear layer on the features of single frames: what a head over time must beat."""

    def make() -> list[list[np.ndarray]]:
        seeds = []
        for seed in range(SEEDS):
            scores: list[np.ndarray] = [np.zeros(0)] * len(clips.clips)
            for fold in range(FOLDS):
                train = clips.folds != fold
                samples = single_frames(clips, features[fold], train, seed)
                head = fit(
                    out / "heads" / f"{name}-{fold}-{seed}", MeanPooling(classes=3), samples, samples, HEAD, seed
                )
                with torch.inference_mode():
                    for i in np.flatnonzero(~train):
                        logits = head(torch.from_numpy(features[fold][0][i][:, None])).numpy()
                        scores[i] = log_softmax(logits)
            seeds.append(scores)
        return seeds

    save(out, name, make)


def single_frames(clips: Clips, features: Features, train: np.ndarray, seed: int) -> Samples:
    random = np.random.default_rng(seed)
    rows, labels = [], []
    for i in np.flatnonzero(train):
        for _ in range(WINDOWS_PER_CLIP):
            variant = features[random.integers(len(features))][i]
            rows.append(variant[random.integers(len(variant))][None])
            labels.append(clips.labels[i])
    return samples_of(np.array(rows), np.array(labels), 3)


def samples_of(inputs: np.ndarray, labels: np.ndarray, classes: int) -> Samples:
    return Samples(inputs, one_hot(labels, classes), labels)


def windows(clips: Clips, features: Features, chosen: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random windows of features, balanced over the classes, each from a variant of its clip; and their clips."""
    rows = np.flatnonzero(chosen)
    times, some = [clips.times[i] for i in rows], [[variant[i] for i in rows] for variant in features]
    count, random = WINDOWS_PER_CLIP * len(rows), np.random.default_rng(seed)
    inputs, owner = feature_windows(times, clips.labels[rows], some, count, random)
    return inputs, rows[owner]


def fit(out: Path, head: nn.Module, train: Samples, test: Samples, settings: Settings, seed: int) -> nn.Module:
    """Train a head to the last epoch; the held-out samples are scored for the curve alone."""
    from dataclasses import replace

    drop = SlotDrop() if train.inputs.shape[1] > 1 else lambda inputs, targets: (inputs, targets)
    trainer = Trainer(head, train, test, replace(settings, seed=seed), lambda x: x, drop, drop, out)
    trainer.run(resume=True)
    return trainer.averaged.module.eval()


def heads(
    out: Path,
    clips: Clips,
    name: str,
    features: list[Features],
    kind: str,
    state: dict[str, torch.Tensor] | None = None,
    count: int = SEEDS,
) -> None:
    """A head over windows, per fold and seed, from scratch or from a pretrained state of eight emotions."""

    def make() -> list[list[np.ndarray]]:
        seeds = []
        for seed in range(count):
            scores = np.zeros((len(clips.clips), 3), np.float32)
            for fold in range(FOLDS):
                train = clips.folds != fold
                inputs, owner = windows(clips, features[fold], train, seed)
                held, held_owner = windows(clips, [features[fold][0]], ~train, 0)
                torch.manual_seed(seed)
                head = HEADS[kind](classes=3)
                if state:
                    head.load_state_dict(state)
                fitted = fit(
                    out / "heads" / f"{name}-{fold}-{seed}",
                    head,
                    samples_of(inputs, clips.labels[owner], 3),
                    samples_of(held, clips.labels[held_owner], 3),
                    HEAD,
                    seed,
                )
                test = clips.take(~train)
                scores[~train] = covering(fitted, test, [features[fold][0][i] for i in np.flatnonzero(~train)])
            seeds.append([row[None] for row in scores])
        return seeds

    save(out, name, make)


def moving_features(network: FaceResNet, data: Path, clips: Clips) -> list[list[np.ndarray]]:
    """Moving stills of FER+, as windows of features, with their targets and labels: of training, of validation."""
    random = np.random.default_rng(0)
    speech = [loudness(clip.logmel) for clip in clips.clips]
    parts = [
        moving_samples(network, data, "train", MOVING, speech, random),
        moving_samples(network, data, "validation", MOVING_VALIDATION, speech, random),
    ]
    return [[part.inputs, part.targets, part.labels.astype(np.float32)] for part in parts]


def stills(part: list[np.ndarray]) -> Samples:
    """Moving stills, from what is cached."""
    inputs, targets, labels = part
    return Samples(inputs, targets, labels.astype(np.int64))


def pretrain(out: Path, kind: str, moving: list[list[np.ndarray]]) -> dict[str, torch.Tensor]:
    """A head trained on moving stills, with the three's logits alone kept of the eight."""
    torch.manual_seed(0)
    head = HEADS[kind]()
    fitted = fit(out / "heads" / f"moving-{kind}", head, *map(stills, moving), PRETRAIN, 0)
    state = {key: value.clone() for key, value in fitted.state_dict().items()}
    last = [key for key, value in state.items() if key.startswith("head.") and value.shape[0] == len(EMOTIONS)]
    for key in last:
        state[key] = state[key][columns(THREE)]
    return state


def joint(out: Path, data: Path, clips: Clips, features: Features, moving: list[list[np.ndarray]]) -> None:
    """Heads of all eight emotions that learn from clips and moving stills at once, as the recipe `sequence-cremad`.

    Once with the acted emotion for the clips' target, and with what raters saw mixed in.
    """
    votes = face_votes(data, clips.clips)
    for name, (share, seeds) in JOINT_HEADS.items():
        targets = np.array([clip_target(clip, votes, share=share) for clip in clips.clips])
        save(out, name, partial(joint_scores, out, clips, features, moving, name, targets, seeds))


def joint_scores(
    out: Path,
    clips: Clips,
    features: Features,
    moving: list[list[np.ndarray]],
    name: str,
    targets: np.ndarray,
    seeds: int,
) -> list[list[np.ndarray]]:
    """The clips' scores `(1, 8)`; on held-out moving stills, the history of each run has the accuracy."""
    still, held_still = map(stills, moving)
    found = []
    for seed in range(seeds):
        scores = np.zeros((len(clips.clips), len(EMOTIONS)), np.float32)
        for fold in range(FOLDS):
            train = clips.folds != fold
            rows = np.flatnonzero(train)
            random = np.random.default_rng(seed)
            some = [[variant[i] for i in rows] for variant in features]
            real = clip_samples(clips.take(train).clips, some, targets[rows], WINDOWS * len(rows), random)
            torch.manual_seed(seed)
            where = out / "heads" / f"{name}-{fold}-{seed}"
            fitted = fit(where, HEADS["attention"](), together(real, still), held_still, JOINT, seed)
            test = clips.take(~train)
            scores[~train] = covering(fitted, test, [features[0][i] for i in np.flatnonzero(~train)])
        found.append([row[None] for row in scores])
    return found


def tuned_network(out: Path, fold: int) -> FaceResNet:
    network = frame_network()
    state = torch.load(out / f"frames-{fold}" / "last.pt", weights_only=True)["averaged"]
    network.load_state_dict({key[7:]: value for key, value in state.items() if key.startswith("module.")})
    return network.eval()


def tuned_features(out: Path, clips: Clips, fold: int) -> Features:
    return cached(out / f"features-tuned-{fold}.npz", lambda: clip_features(tuned_network(out, fold), clips, TUNED[1]))


def tuned_scores(out: Path, clips: Clips, features: list[Features]) -> list[np.ndarray]:
    """The frames of each clip, `(faces, 3)`, by the network that was tuned without its actor."""
    scores = []
    for i, fold in enumerate(clips.folds):
        head = tuned_network(out, int(fold)).head
        with torch.inference_mode():
            scores.append(log_softmax(head(torch.from_numpy(features[fold][0][i])).numpy()))
    return scores
