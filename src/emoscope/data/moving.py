"""Sequences made from stills: FER+ faces moved, lit and morphed as a camera would see them, with mouths that speak.

They have what no labelled video here has: all eight emotions. They are not recordings, and what is shipped says so.
"""

from typing import NamedTuple

import cv2
import numpy as np

SLOT_S = 0.1
"""Seconds from one face to the next."""
TURN, DRIFT = 8.0, 4.0
"""Degrees by which a head is turned from the start, and by which it moves after."""
SHIFT, WANDER = 2.0, 2.0
"""Pixels of the 48, likewise."""
SIZE = 0.08
"""Share by which it is larger or smaller, and grows or shrinks."""
LIGHT = 0.25
"""Share by which the light differs from side to side, and changes."""
JAW = 0.45
"""How far the lower face stretches at the loudest point of speech."""
MOUTH_Y = 36.0
"""Where the lips meet in a 48x48 crop (see `face.crop.TEMPLATE`)."""
MORPHED = 0.5
"""Share of the sequences that come from another, neutral face."""
SPEAKING = 0.6
"""Share of the sequences whose mouth moves with speech."""


class Moving(NamedTuple):
    """Synthetic sequences.

    Attributes:
        faces: `(n, slots, 48, 48)` uint8, all 0 where a slot is empty.
        targets: `(n, classes)` float32.
    """

    faces: np.ndarray
    targets: np.ndarray


def moving_faces(
    stills: np.ndarray,
    targets: np.ndarray,
    chosen: np.ndarray,
    neutral: np.ndarray,
    slots: int,
    speech: list[np.ndarray],
    random: np.random.Generator,
) -> Moving:
    """Make a sequence from each chosen still.

    Args:
        stills: `(m, 48, 48)` uint8.
        targets: `(m, classes)` float32: the distribution of each still.
        chosen: `(n,)` the stills to use.
        neutral: rows of stills that others may come from.
        slots: faces of a sequence, `SLOT_S` apart.
        speech: loudness of recorded speech in [0, 1], each `(time,)` every `SLOT_S`; none for mouths that are still.
        random: where chance comes from.
    """
    faces = np.zeros((len(chosen), slots, *stills.shape[1:]), np.uint8)
    learned = np.zeros((len(chosen), targets.shape[1]), np.float32)
    for row, still in enumerate(chosen):
        share = np.ones(slots)
        other = stills[still]
        if len(neutral) and random.random() < MORPHED:
            start = random.choice(neutral)
            other, share = stills[start], _rise(slots, random)
            learned[row] = (1 - share.mean()) * targets[start]
        learned[row] += share.mean() * targets[still]
        jaw = _jaw(slots, speech, random)
        faces[row] = _film(stills[still], other, share, jaw, random)
        if random.random() < 0.25:
            faces[row, : random.integers(0, slots)] = 0  # the start of a stream
    return Moving(faces, learned)


def loudness(logmel: np.ndarray) -> np.ndarray:
    """The loudness of a sound every `SLOT_S`, from its log-mel `(m, 128)` uint8, every 16 ms: `(time,)` in [0, 1]."""
    step = round(SLOT_S / 0.016)
    level = logmel.astype(np.float32).mean(1)[: len(logmel) // step * step].reshape(-1, step).mean(1)
    quiet, loud = np.quantile(level, (0.1, 0.95)) if len(level) else (0.0, 1.0)
    return np.asarray(np.clip((level - quiet) / max(1.0, loud - quiet), 0, 1))


def _rise(slots: int, random: np.random.Generator) -> np.ndarray:
    """How much of an expression is there, `(slots,)` from 0 to 1: it comes within the first two thirds."""
    start, length = random.uniform(-slots / 2, slots / 3), random.uniform(2, slots / 3)
    return np.asarray(np.clip((np.arange(slots) - start) / length, 0, 1))


def _jaw(slots: int, speech: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """How far the mouth is open, `(slots,)`: the loudness of a random stretch of recorded speech."""
    opened = np.zeros(slots)
    if speech and random.random() < SPEAKING:
        part = speech[random.integers(len(speech))]
        at = random.integers(0, max(1, len(part) - slots + 1))
        part = part[at : at + slots]
        opened[: len(part)] = JAW * random.uniform(0.3, 1.0) * part
    return opened


def _path(slots: int, random: np.random.Generator) -> np.ndarray:
    """A smooth way, `(slots,)` from 0, within about -1 to 1."""
    steps = np.convolve(random.normal(size=slots + 4), np.ones(5) / 5, "valid")[:slots]
    way = np.cumsum(steps) - steps[0]
    return np.asarray(way / max(1.0, abs(way).max()))


def _film(
    face: np.ndarray, other: np.ndarray, share: np.ndarray, jaw: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """The frames `(slots, 48, 48)` of a face that comes out of another one."""
    slots, side = len(share), face.shape[0]
    mirror = random.random() < 0.5
    turn = random.uniform(-TURN, TURN) + DRIFT * random.random() * _path(slots, random)
    across = random.uniform(-SHIFT, SHIFT) + WANDER * random.random() * _path(slots, random)
    down = random.uniform(-SHIFT, SHIFT) + WANDER * random.random() * _path(slots, random)
    size = 1 + random.uniform(-SIZE, SIZE) + SIZE * random.random() * _path(slots, random)
    slope = random.uniform(-LIGHT, LIGHT) * (1 + 0.5 * _path(slots, random))
    gain = 1 + random.uniform(-LIGHT, LIGHT) + 0.4 * LIGHT * _path(slots, random)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    middle = side / 2
    sides = np.exp(-(((x - middle) / 14) ** 2))
    frames = np.empty((slots, side, side), np.uint8)
    for t in range(slots):
        blend = cv2.addWeighted(face, float(share[t]), other, float(1 - share[t]), 0) if share[t] < 1 else face
        angle = np.deg2rad(turn[t])
        dx, dy = (x - middle - across[t]) / size[t], (y - middle - down[t]) / size[t]
        from_x = np.cos(angle) * dx + np.sin(angle) * dy + middle
        from_y = -np.sin(angle) * dx + np.cos(angle) * dy + middle
        below = np.maximum(from_y - MOUTH_Y, 0)
        from_y = from_y - below * sides * jaw[t] / (1 + jaw[t])
        moved = cv2.remap(
            blend,
            from_x.astype(np.float32),
            from_y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        lit = moved * (gain[t] + slope[t] * (x - middle) / middle)
        frames[t] = np.clip(lit, 1, 255)
    return frames[:, :, ::-1] if mirror else frames
