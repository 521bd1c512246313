"""From video to sequences of faces, clip by clip, on all cores; see `data.clips`."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from ..errors import DataError, EmoscopeError
from ..face.detect import Detector, smallest_face
from ..face.steady import SteadyCrops
from ..face.track import Track, Tracker
from ..face.upright import UprightDetector
from ..media import Frame, Sound, open_media
from ..media.write import VideoWriter
from ..voice.features import log_mel
from .clips import FaceClip, Source, load, write_table
from .processes import spread

LONGEST_S = 120.0
"""Seconds of a clip that are kept: bounds the memory."""
SHOWN = 24
"""Clips in the preview."""
COLUMNS, SCALE, RATE = 6, 3, 25
"""Of the preview: clips in a row, pixels for one of the crop, frames a second."""


def prepare(
    sources: Sequence[Source],
    out: Path,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Prepare clips that are not yet in `out`, and write the table and the preview of all that are.

    Args:
        sources: the clips.
        out: the folder to write.
        workers: processes; by default one for each core. With more than one, the script that calls this must do so
            under `if __name__ == "__main__"`, for each process imports it.
        progress: called with the number of clips done and of all.

    Returns:
        A line for each clip that could not be prepared, with the reason.

    Raises:
        DataError: two clips have the same name, or none could be prepared.
    """
    names = [source.name for source in sources]
    if twice := {name for name in names if names.count(name) > 1}:
        raise DataError(f"{len(twice)} names stand for more than one clip, such as {min(twice)}")
    out.mkdir(parents=True, exist_ok=True)
    waiting = [source for source in sources if not _is_there(out / f"{source.name}.npz", source)]
    failures: list[str] = []
    for done, failure in enumerate(spread(partial(_prepare_one, out=out), waiting, workers), 1):
        failures += [failure] if failure else []
        if progress:
            progress(len(sources) - len(waiting) + done, len(sources))
    if len(failures) == len(sources):
        raise DataError(f"none of {len(sources)} clips could be prepared; the first: {failures[0]}")
    clips = load(out)
    write_table(clips, out / "clips.csv")
    preview(clips, out / "preview.mp4")
    return sorted(failures)


def find_clips(sources: Sequence[Source], prepared: Path) -> list[FaceClip | None]:
    """The face sequence of each clip: from a folder where `prepare` left it, else made now; `None` without a face.

    Threads do it here, not processes, so that any script may call it.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda source: _find(source, prepared / f"{source.name}.npz"), sources))


def _find(source: Source, path: Path) -> FaceClip | None:
    if _is_there(path, source):
        return FaceClip.read(path)
    try:
        return read_clip(source)
    except EmoscopeError:
        return None


def _is_there(path: Path, source: Source) -> bool:
    """Whether a clip has been prepared before, whole and with the same label."""
    try:
        clip = FaceClip.read(path)
    except DataError:
        return False
    return (clip.label, clip.person) == (source.label, source.person)


def _prepare_one(source: Source, out: Path) -> str | None:
    try:
        read_clip(source).write(out / f"{source.name}.npz")
    except EmoscopeError as error:
        return str(error)
    return None


def read_clip(source: Source) -> FaceClip:
    """The face sequence of a clip, of the person who is seen in most frames.

    Raises:
        MediaError: the clip cannot be read.
        DataError: no face is in it.
    """
    tracker: Tracker | None = None
    seen: dict[int, list[tuple[float, Track, np.ndarray]]] = {}
    steady = SteadyCrops()
    sound = [np.zeros(0, np.float32)]
    with open_media(source.path) as media:
        for item in media:
            if isinstance(item, Sound):
                sound.append(item.samples)
            if item.time > LONGEST_S:
                break
            if isinstance(item, Frame):
                tracker = tracker or Tracker(UprightDetector(Detector(min_face=smallest_face(item.image))))
                tracks = tracker.update(item.image, item.time)
                for track, crop in zip(tracks, steady.update(item.image, item.time, tracks), strict=True):
                    seen.setdefault(track.person, []).append((item.time, track, crop))
        frames, skipped = media.frames, media.undecoded
    if not seen:
        raise DataError(f"{source.path}: no face in it")
    longest = max(seen.values(), key=len)
    samples = np.concatenate(sound)
    logmel = np.round(log_mel(samples) * 255).astype(np.uint8) if samples.any() else np.zeros((0, 128), np.uint8)
    return FaceClip(
        name=source.name,
        label=source.label,
        person=source.person,
        faces=np.array([crop for _, _, crop in longest]),
        times=np.array([time for time, _, _ in longest]),
        landmarks=np.array([track.landmarks for _, track, _ in longest], np.float32),
        logmel=logmel,
        unseen=frames - len(longest),
        skipped=skipped,
    )


def preview(clips: Sequence[FaceClip], path: Path) -> None:
    """Write a video in which some of the clips, spread over all labels, run side by side at their own times."""
    ordered = sorted(clips, key=lambda clip: clip.label)
    shown = [ordered[i] for i in np.unique(np.linspace(0, len(ordered) - 1, SHOWN).astype(int))]
    side = SCALE * clips[0].faces.shape[1]
    rows = -(-len(shown) // COLUMNS)
    seconds = max(clip.times[-1] for clip in shown)
    with VideoWriter(path, COLUMNS * side, rows * side, comment="Face sequences as emoscope prepared them") as video:
        for time in np.arange(0, seconds + 1 / RATE, 1 / RATE):
            picture = np.zeros((rows * side, COLUMNS * side, 3), np.uint8)
            for place, clip in enumerate(shown):
                row, column = divmod(place, COLUMNS)
                picture[row * side :, column * side :][:side, :side] = _tile(clip, float(time), side)
            video.write(picture, float(time))


def _tile(clip: FaceClip, time: float, side: int) -> np.ndarray:
    """The face of a clip at a time, enlarged, with its label; dark where there is none."""
    near = int(abs(clip.times - time).argmin())
    face = clip.faces[near] if abs(clip.times[near] - time) < 2 / RATE else clip.faces[near] // 4
    tile = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
    tile = np.repeat(tile[..., None], 3, 2)
    for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(tile, clip.label, (4, side - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, width, cv2.LINE_AA)
    return tile
