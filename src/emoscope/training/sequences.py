"""What the sequence recipes train on: windows of features, of recorded clips and of moving FER+ stills.

The face network is the shipped one, as it is: only the head over time learns. Its eight emotions come from the stills,
which FER+'s raters saw; what a face does on video comes from the clips. Where raters judged the clips by the picture
alone, a quarter of a clip's target is what they saw: an actor who acts sadness often looks neutral.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..data import cremad, ferplus, votes
from ..data.clips import FaceClip, load, own_clips
from ..data.moving import loudness, moving_faces
from ..data.sampler import Windows, random_windows
from ..emotions import CREMAD_EMOTIONS, EMOTIONS, expand
from ..errors import DataError
from ..face.crop import SIDE
from ..face.windows import FaceWindows
from .distil import together
from .features import encode, encode_clips
from .loop import Samples
from .networks import FaceResNet
from .pretrained import face_network
from .recipe import Splits
from .sequence_networks import FEATURES, Streaming

PLAN = FaceWindows()
VARIANTS = 4
"""Of each training clip: itself, and as augmentation changes it."""
WINDOWS = 24
"""Random windows of each training clip."""
MOVING = 6000
"""Moving stills to train on."""
VALIDATION = 600
"""Windows of clips to validate on, and moving stills, as many of each."""
VOTES = 0.25
"""Share of a clip's target that is what raters saw in its picture."""

FEWEST = 3
"""Persons who must show an emotion in the clips to train on: of fewer, the person would be learned, not the emotion."""


def cremad_splits(data: Path) -> Splits:
    """The clips of CREMA-D's training and validation actors, and moving stills.

    Raises:
        DataError: the clips have not been prepared or are not CREMA-D's, or FER+ is missing.
    """
    prepared = load(cremad.folder(data) / "sequences")
    seen = face_votes(data, prepared)
    train = [clip for clip in prepared if cremad.Clip.parse(clip.name).split == "train"]
    validation = [clip for clip in prepared if cremad.Clip.parse(clip.name).split == "validation"]
    return _splits(data, train, validation, seen)


def clip_labels(data: Path) -> tuple[str, ...]:
    """The eight emotions where one's own clips have no other labels, else the labels of the clips.

    Raises:
        DataError: the clips have not been prepared.
    """
    found = sorted({clip.label for clip in load(data / "sequences")})
    return EMOTIONS if set(found) <= set(EMOTIONS) else tuple(found)


def clip_splits(data: Path) -> Splits:
    """One's own clips; and moving stills, where the clips have no other labels than the stills.

    Raises:
        DataError: the clips have not been prepared, are of too few persons, or FER+ is needed and missing.
    """
    train, validation, labels = own_clips(data, "train"), own_clips(data, "validation"), clip_labels(data)
    if labels == EMOTIONS:
        return _splits(data, train, validation, {})
    real, held, _ = _clips(train, validation, {}, labels, np.random.default_rng(0))
    return real, held


def _splits(
    data: Path, train: Sequence[FaceClip], validation: Sequence[FaceClip], seen: dict[str, np.ndarray]
) -> Splits:
    random = np.random.default_rng(0)
    real, held, encoder = _clips(train, validation, seen, EMOTIONS, random)
    speech = [loudness(clip.logmel) for clip in shown_by_many(train) if len(clip.logmel)]
    still = moving_samples(encoder, data, "train", MOVING, speech, random)
    held_still = moving_samples(encoder, data, "validation", VALIDATION, speech, random)
    return together(real, still), together(held, held_still)


def _clips(
    train: Sequence[FaceClip],
    validation: Sequence[FaceClip],
    seen: dict[str, np.ndarray],
    labels: Sequence[str],
    random: np.random.Generator,
) -> tuple[Samples, Samples, FaceResNet]:
    """Windows of clips to train and to validate on, and the network that made their features."""
    train = shown_by_many(train)
    validation = [clip for clip in validation if clip.label in {clip.label for clip in train}]
    if not train or not validation:
        raise DataError(f"expected clips to train and to validate on, got {len(train)} and {len(validation)}")
    encoder = face_network()
    torch.manual_seed(0)
    targets = np.array([clip_target(clip, seen, labels) for clip in train])
    features = encode_clips(encoder, [clip.faces for clip in train], VARIANTS)
    real = clip_samples(train, features, targets, WINDOWS * len(train), random)
    plain = encode_clips(encoder, [clip.faces for clip in validation])
    acted = np.array([clip_target(clip, {}, labels) for clip in validation])
    return real, clip_samples(validation, plain, acted, VALIDATION, random), encoder


def shown_by_many(clips: Sequence[FaceClip]) -> list[FaceClip]:
    """The clips of emotions that `FEWEST` persons or more show."""
    persons: dict[str, set[str]] = {}
    for clip in clips:
        persons.setdefault(clip.label, set()).add(clip.person)
    return [clip for clip in clips if len(persons[clip.label]) >= FEWEST]


def face_votes(data: Path, clips: Sequence[FaceClip]) -> dict[str, np.ndarray]:
    """For each clip that raters saw, by its name, their votes for each of `emotions.CREMAD_EMOTIONS`, `(6,)`."""
    try:
        counts = votes.votes(data, [cremad.Clip.parse(clip.name) for clip in clips], "face")
    except DataError:
        return {}
    return {clip.name: row for clip, row in zip(clips, counts, strict=True) if row.any()}


def clip_target(
    clip: FaceClip, seen: dict[str, np.ndarray], labels: Sequence[str] = EMOTIONS, share: float = VOTES
) -> np.ndarray:
    """The distribution `(labels,)` to learn for a clip: its label, mixed with a share of what raters saw."""
    label = np.eye(len(labels), dtype=np.float32)[list(labels).index(clip.label)]
    if clip.name not in seen:
        return label
    counts = seen[clip.name]
    return (1 - share) * label + share * expand(counts / counts.sum(), CREMAD_EMOTIONS, labels)


def clip_samples(
    clips: Sequence[FaceClip],
    features: list[list[np.ndarray]],
    targets: np.ndarray,
    count: int,
    random: np.random.Generator,
) -> Samples:
    """Random windows of clips, as many of each label.

    Args:
        clips: n clips.
        features: for each variant, for each clip, `(its faces, features)`.
        targets: `(n, labels)` float32; the largest of each counts as right.
        count: windows.
        random: where chance comes from.
    """
    times, names = [clip.times for clip in clips], [clip.label for clip in clips]
    inputs, owner = feature_windows(times, names, features, count, random)
    return Samples(inputs, targets[owner], targets[owner].argmax(1))


def feature_windows(
    times: Sequence[np.ndarray],
    labels: Sequence[object] | np.ndarray,
    features: list[list[np.ndarray]],
    count: int,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Random windows of features, balanced over the labels, each from a random variant of its clip.

    Args:
        times: of each clip's faces.
        labels: of each clip.
        features: for each variant, for each clip, `(its faces, features)`.
        count: windows.
        random: where chance comes from.

    Returns:
        The windows, `(count, faces, features)` float32, 0 in empty slots, and the clip of each.
    """
    drawn = random_windows(times, labels, count, PLAN, random)
    variant = random.integers(0, len(features), count)
    inputs = np.zeros((*drawn.known.shape, FEATURES), np.float32)
    for number, some in enumerate(features):
        rows = variant == number
        inputs[rows] = Windows(*(column[rows] for column in drawn)).gather(some) if rows.any() else 0
    return inputs, drawn.clip


def moving_samples(
    encoder: FaceResNet,
    data: Path,
    split: ferplus.Split,
    count: int,
    speech: list[np.ndarray],
    random: np.random.Generator,
) -> Samples:
    """Moving FER+ stills as windows of features.

    For training, rare emotions are drawn oftener, by the root of their rarity; for validation, as they come.
    """
    faces = ferplus.load(data, split)
    faces = faces.take(ferplus.majority(faces.votes) >= 0)
    labels, targets = ferplus.majority(faces.votes), ferplus.distribution(faces.votes)
    weight = 1 / np.sqrt(np.bincount(labels)[labels]) if split == "train" else np.ones(len(labels))
    chosen = random.choice(len(labels), count, p=weight / weight.sum())
    moving = moving_faces(faces.images, targets, chosen, np.flatnonzero(labels == 0), PLAN.faces, speech, random)
    flat = encode(encoder, moving.faces.reshape(-1, SIDE, SIDE)).reshape(count, PLAN.faces, FEATURES)
    seen = moving.faces.max((2, 3)) > 0
    return Samples(flat * seen[..., None], moving.targets, moving.targets.argmax(1))


def deploy(head: nn.Module, windows: Tensor) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """The face network and a head as the pipeline runs them, and an example of their inputs."""
    network = Streaming(face_network(), head).eval()
    faces = torch.rand(len(windows), 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    return network, (faces, windows[:, :-1])


INPUT = {
    "shape": ["n", 1, SIDE, SIDE],
    "past": ["n", PLAN.faces - 1, FEATURES],
    "kind": "grey face, upright and steady (emoscope.face.steady), and the features of the faces before it",
    "range": [0, 1],
    "normalisation": "each face by its own mean and deviation, inside the network",
    "faces": PLAN.faces,
    "dilation_s": PLAN.dilation,
    "stride_s": PLAN.stride,
    "features": FEATURES,
}
CREMAD_DATA = {
    "set": "CREMA-D (Cao et al. 2014), video; FER+ (Barsoum et al. 2016), stills that are moved",
    "train": "the training actors of the tfds split; target: the intended emotion, and for a quarter what "
    "raters saw in the picture. FER+ Training, set in motion; target: vote distribution. The face network is "
    "face-ferplus, unchanged",
    "chosen_on": "windows of the 9 validation actors and moving stills of FER+ PublicTest, as many of each",
    "rights": "CREMA-D: Open Database License 1.0; FER+ labels: MIT; the FER-2013 images came from web search, rights "
    "in them are unclear",
}
CREMAD_LIMITS = (
    "Of video it has seen 63 actors who say one sentence in acted anger, happiness or sadness, in one studio.",
    "Neutral, surprise, disgust, fear and contempt on video come from moved stills alone and could not be measured: of "
    "one actor's neutral, disgust and fear, a network of the same recipe named none rightly (results/sequences).",
    "A face that speaks without expression may be called sad: do not take its sadness for more than a change.",
    "It needs 1.5 s of a face; before that it is less sure.",
    "Age, skin colour and culture: the actors are 20 to 74 and from the United States; differences are not measured.",
    "The labels are what actors were asked to show, not what a person felt.",
)
CLIP_DATA = {
    "set": "own clips; FER+ (Barsoum et al. 2016), stills that are moved",
    "train": "the clips of four fifths of the persons; FER+ Training, set in motion. The face network is face-ferplus",
    "chosen_on": "windows of the other persons' clips and moving stills of FER+ PublicTest, as many of each",
    "rights": "those of the clips; FER+ labels: MIT; the FER-2013 images came from web search, rights are unclear",
}
CLIP_LIMITS = (
    "It has seen the persons, places and expressions of these clips on video, and no others.",
    "Emotions that the clips do not show come from moved stills alone.",
)
