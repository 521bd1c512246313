"""The recipes for faces: the shipped models and their teachers."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from torch import Tensor

from ..data import cremad, ferplus, own_faces
from ..data.augment import FaceAugment
from ..emotions import EMOTIONS
from .distil import together
from .loop import Samples, Settings
from .networks import FaceResNet
from .networks_face import FaceVGG
from .recipe import Recipe, Splits
from .video_faces import load_clip_faces
from .voice_samples import apart


def load(data: Path) -> Splits:
    """Faces whose most frequent vote is an emotion, with their vote distributions; labels by majority."""
    return _faces(data, "train"), _faces(data, "validation")


MOVING = 1 / 5
"""Share of the faces drawn that are of clips."""


def load_with_video(data: Path) -> Splits:
    """FER+ as `load` has it, and faces of the clips of CREMA-D's training actors; validation is FER+'s."""
    stills, validation = load(data)
    moving = load_clip_faces(data, frozenset(actor for actor in cremad.ACTORS if cremad.split_of(actor) == "train"))
    shares = ((stills, 1 - MOVING), (moving, MOVING))
    drawn = [np.full(len(part.labels), share / len(part.labels)) for part, share in shares]
    return replace(together(stills, moving), drawn=np.concatenate(drawn)), validation


def _faces(data: Path, split: ferplus.Split) -> Samples:
    faces = ferplus.load(data, split)
    faces = faces.take(ferplus.plurality(faces.votes) >= 0)
    return Samples(faces.images, ferplus.distribution(faces.votes), ferplus.majority(faces.votes))


def load_own(data: Path) -> Splits:
    """Pictures in folders, `DATA/LABEL/*.jpg`: four fifths of the persons train, the others validate."""
    faces = own_faces.load(data)
    names = own_faces.labels_of(data)
    labels = np.array([names.index(label) for label in faces.labels])
    return apart(faces.images, labels, faces.persons, len(names))


def channel(batch: Tensor) -> Tensor:
    """Faces `(n, 48, 48)` as `(n, 1, 48, 48)`."""
    return batch.unsqueeze(1)


def compact(classes: int = 8) -> FaceResNet:
    """A network for real time: 0.8 MB and 0.4 ms a face on one thread (`results/peers/`)."""
    return FaceResNet((16, 48, 96), (1, 2, 1), dropout=0.1, classes=classes)


def wide(classes: int = 8) -> FaceResNet:
    """A network that teaches the compact one."""
    return FaceResNet((64, 128, 256), (1, 2, 1), dropout=0.4, classes=classes)


_RESIDUAL = Recipe(
    name="face-ferplus",
    modality="face",
    description="Small residual network for 48x48 grey faces, trained on FER+ vote distributions",
    labels=EMOTIONS,
    protocol="majority",
    load=load,
    network=FaceResNet,
    prepare=channel,
    augment=FaceAugment,
    gentle=partial(FaceAugment, gentle=True),
    settings=Settings(epochs=24, finish=8),
    input={
        "shape": ["n", 1, 48, 48],
        "kind": "grey face, upright, eyes and mouth where FER+ has them (emoscope.face.crop)",
        "range": [0, 1],
        "normalisation": "each face by its own mean and deviation, inside the network",
    },
    data={
        "set": "FER+ (Barsoum et al. 2016)",
        "train": "Training, faces whose most frequent vote is an emotion; target: vote distribution",
        "chosen_on": "PublicTest, protocol majority",
        "rights": "labels MIT; the images came from web search for FER-2013, rights in them are unclear",
    },
    limits=(
        "Disgust, fear and contempt are rare in FER+ (0.7, 2.3 and 0.6 % of it) and often missed.",
        "Trained on small grey web pictures: accuracy falls on video, posed faces and faces from the side.",
        "On CREMA-D clips it calls most acted anger and sadness neutral (results/faces).",
        "Age, skin colour and culture of the people in FER+ are unknown; so is how groups differ.",
        "The labels are what ten annotators saw in a still picture, not what the person felt.",
    ),
)
_WIDE = replace(
    _RESIDUAL,
    name="face-ferplus-wide",
    description="Wide residual network for 48x48 grey faces, trained on FER+ vote distributions",
    network=wide,
    augment=partial(FaceAugment, side=40),
    settings=Settings(epochs=30, finish=8),
)
_VGG = replace(
    _WIDE,
    name="face-ferplus-vgg",
    description="Plain convolutional network for 48x48 grey faces, trained on FER+ vote distributions",
    network=FaceVGG,
)
_POOR = replace(
    _RESIDUAL,
    name="face-ferplus-compact-poor",
    description="Compact residual network for 48x48 grey faces of any quality, taught by face-ferplus-best",
    network=compact,
    data={
        **_RESIDUAL.data,
        "train": "Training, faces whose most frequent vote is an emotion; target: three tenths the vote distribution, "
        "seven tenths what face-ferplus-best says",
    },
    augment=partial(FaceAugment, poor=True),
    gentle=partial(FaceAugment, gentle=True, poor=True),
    settings=Settings(epochs=32, finish=8),
)
_COMPACT = replace(
    _POOR,
    name="face-ferplus-compact",
    description="Compact residual network for 48x48 grey faces in real time, taught by face-ferplus-best",
    augment=FaceAugment,
    gentle=partial(FaceAugment, gentle=True),
    settings=Settings(epochs=18, finish=6, rate=2e-3),
)
"""Goes on from `_POOR`: first what any picture shows, then faces as they are in FER+."""
_VIDEO = replace(
    _RESIDUAL,
    name="face-compact",
    description="Compact residual network for 48x48 grey faces in real time, on pictures and on video",
    network=compact,
    load=load_with_video,
    data={
        "set": "FER+ (Barsoum et al. 2016); CREMA-D (Cao et al. 2014), video",
        "train": "FER+ Training, faces whose most frequent vote is an emotion, and six changed views of each; target: "
        "three tenths the vote distribution, seven tenths what face-ferplus-best says of the view. A fifth of the "
        "faces drawn: of the clips of CREMA-D's 63 training actors (tfds); target: half what was acted, half what "
        "raters saw; for the first 0.2 s of a clip what face-ferplus-best says",
        "chosen_on": "nothing: the last epoch of one run; the temperature is fitted on PublicTest",
        "rights": f"FER+: {_RESIDUAL.data['rights']}; CREMA-D: Open Database License 1.0",
    },
    views=6,
    view=partial(FaceAugment, poor=True),
    augment=partial(FaceAugment, gentle=True),
    settings=Settings(epochs=32),
    limits=(
        *(limit for limit in _RESIDUAL.limits if "CREMA-D" not in limit),
        "Of video it has seen 63 actors who act anger, happiness or sadness in one studio, hardly anything else. They "
        "are among the 72 of its statistics of baselines.",
    ),
)
"""Learns for long from many views of each face; nothing is chosen on validation."""
BEST = replace(
    _WIDE,
    name="face-ferplus-best",
    description="The most accurate: two wide residual and two plain networks together, on faces and mirror images",
    data={
        **_RESIDUAL.data,
        "train": "Training, faces whose most frequent vote is an emotion; target: vote distribution; for two of the "
        "networks three tenths of it, and seven tenths what the other two say",
    },
    half=True,
)
"""The words of the card that `research/faces/best.py` makes."""
_OWN = replace(
    _RESIDUAL,
    name="face-folder",
    description="Compact residual network for 48x48 grey faces, trained on folders of pictures",
    labels_in=own_faces.labels_of,
    protocol="folders",
    load=load_own,
    network=FaceResNet,
    data={
        "set": "the pictures in the folders",
        "train": "four fifths of the persons",
        "chosen_on": "the other persons",
        "rights": "those of the pictures",
    },
    limits=("Trained on pictures that only whoever trained it knows: say here what they are.",),
)
RECIPES = (_RESIDUAL, _WIDE, _VGG, _POOR, _COMPACT, _VIDEO, _OWN)
