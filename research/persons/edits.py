"""Edits of CREMA-D's clips, of which it is known who is in each frame and who speaks when.

An edit is a list of shots; each shows one clip, or two beside each other, moved to a side, or only lets them be heard.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from emoscope.media import SAMPLE_RATE, Frame, Sound, open_media
from emoscope.media.types import SoundFormat
from emoscope.media.write import VideoWriter

RATE = 25
"""Frames a second of the edits."""
WIDTH, HEIGHT = 640, 360


@dataclass(frozen=True)
class Played:
    """A clip: its frames at `RATE`, 360 pixels high, and its sound."""

    frames: list[np.ndarray]
    sound: np.ndarray

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.frames) / RATE


@lru_cache(maxsize=20)
def play(path: Path) -> Played:
    """The frames of a clip and its sound."""
    frames: list[Frame] = []
    sound: list[np.ndarray] = []
    with open_media(path) as media:
        for item in media:
            if isinstance(item, Frame):
                frames.append(item)
            elif isinstance(item, Sound):
                sound.append(item.samples)
    times = np.array([frame.time for frame in frames])
    at = np.arange(times[0], times[-1], 1 / RATE)
    rows = np.searchsorted(times, at + 1e-6, side="right") - 1
    images = [cv2.resize(frames[row].image, (480, HEIGHT), interpolation=cv2.INTER_AREA) for row in rows]
    return Played(images, np.concatenate(sound) if sound else np.zeros(0, np.float32))


@lru_cache(maxsize=4096)
def spoken(path: Path) -> tuple[tuple[float, float], ...]:
    """Seconds from and to which somebody speaks in a clip: above -30 dB of its loudest 25 ms, gaps under 0.3 s closed.

    It is not the package's own voice activity, which would forgive its own mistakes.
    """
    sound = heard(path)
    size = SAMPLE_RATE // 40
    level = np.sqrt((sound[: len(sound) // size * size].reshape(-1, size) ** 2).mean(1))
    loud = np.flatnonzero(level > 10 ** (-30 / 20) * level.max(initial=1e-9))
    if not len(loud):
        return ()
    breaks = np.flatnonzero(np.diff(loud) > 0.3 * 40)
    first = [loud[0], *loud[breaks + 1]]
    last = [*loud[breaks], loud[-1]]
    return tuple((float(a) / 40, (float(b) + 1) / 40) for a, b in zip(first, last, strict=True))


@lru_cache(maxsize=256)
def heard(path: Path) -> np.ndarray:
    """The sound of a clip."""
    with open_media(path, frames=False) as media:
        return np.concatenate([item.samples for item in media if isinstance(item, Sound)])


@dataclass(frozen=True)
class Shot:
    """A shot of an edit.

    Attributes:
        seen: the clips in it, from left to right, and whose they are.
        place: -1 left, 0 in the middle, 1 right; of one clip.
        sound: the clip that is heard, and whose voice it is; by default nobody's.
        dissolve: frames over which it comes out of the shot before; 0 for a cut.
        grey: seconds of a plain picture instead.
    """

    seen: tuple[tuple[Path, str], ...]
    place: int = 0
    sound: tuple[Path, str] | None = None
    dissolve: int = 0
    grey: float = 0.0


@dataclass
class Truth:
    """What is true of an edit.

    Attributes:
        cuts: seconds of hard cuts.
        dissolves: seconds from and to.
        people: for each frame who is in it, each with the columns of the picture in which they are.
        turns: who speaks, from, to.
    """

    cuts: list[float] = field(default_factory=list)
    dissolves: list[tuple[float, float]] = field(default_factory=list)
    people: list[list[tuple[str, float, float]]] = field(default_factory=list)
    turns: list[tuple[str, float, float]] = field(default_factory=list)


def write(path: Path, shots: Sequence[Shot], sound: bool = False) -> Truth:
    """Write an edit as mp4; returns what is true of it."""
    truth, before, time = Truth(), None, 0
    track: list[np.ndarray] = []
    with VideoWriter(path, WIDTH, HEIGHT, SoundFormat(SAMPLE_RATE, "mono") if sound else None) as writer:
        for number, shot in enumerate(shots):
            images, people = _shown(shot)
            if number and shot.dissolve:
                truth.dissolves.append((time / RATE, (time + shot.dissolve) / RATE))
            elif number:
                truth.cuts.append(time / RATE)
            for place, image in enumerate(images):
                mixed = image
                if before is not None and place < shot.dissolve:
                    share = (place + 1) / (shot.dissolve + 1)
                    mixed = cv2.addWeighted(image, share, before, 1 - share, 0)
                writer.write(mixed, (time + place) / RATE)
                truth.people.append([] if place < shot.dissolve else people)
            if sound:
                track.append(_sound(shot, len(images), time, truth))
                writer.write_sound(track[-1][None], time / RATE)
            before, time = images[-1], time + len(images)
    return truth


def _sound(shot: Shot, frames: int, time: int, truth: Truth) -> np.ndarray:
    samples = np.zeros(frames * SAMPLE_RATE // RATE, np.float32)
    if shot.sound:
        path, who = shot.sound
        own = heard(path)[: len(samples)]
        samples[: len(own)] = own
        truth.turns += [(who, time / RATE + a, min(time / RATE + b, (time + frames) / RATE)) for a, b in spoken(path)]
    return samples


def _shown(shot: Shot) -> tuple[list[np.ndarray], list[tuple[str, float, float]]]:
    if not shot.seen:
        plain = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
        plain[::2] = 118
        return [plain] * round(shot.grey * RATE), []
    clips = [play(path) for path, _ in shot.seen]
    names = [who for _, who in shot.seen]
    n = max(2, min(len(clip.frames) for clip in clips))
    if len(clips) == 1:
        left = (WIDTH - 480) // 2 * (1 + shot.place)
        images = [cv2.copyMakeBorder(image, 0, 0, left, WIDTH - 480 - left, cv2.BORDER_REPLICATE)
                  for image in clips[0].frames[:n]]  # fmt: skip
        return images, [(names[0], 0.0, float(WIDTH))]
    each = WIDTH // len(clips)
    middle = slice((480 - each) // 2, (480 - each) // 2 + each)
    images = [np.concatenate([clip.frames[place][:, middle] for clip in clips], 1) for place in range(n)]
    return images, [(who, float(each * i), float(each * (i + 1))) for i, who in enumerate(names)]


def grid(paths: Sequence[Path], columns: int, width: int) -> Iterator[np.ndarray]:
    """Frames that show clips beside and above each other, each of so many pixels' width; short ones start again."""
    clips = [play(path) for path in paths]
    height = width * 3 // 4
    for place in range(max(len(clip.frames) for clip in clips)):
        small = [cv2.resize(clip.frames[place % len(clip.frames)], (width, height), interpolation=cv2.INTER_AREA)
                 for clip in clips]  # fmt: skip
        yield np.concatenate([np.concatenate(small[i : i + columns], 1) for i in range(0, len(small), columns)])
