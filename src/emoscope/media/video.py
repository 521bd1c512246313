"""Decoded pictures of a video: their times and lengths, upright and as RGB."""

from collections.abc import Iterator

import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from .decode import MAX_PIXELS, Track

USUAL_INTERVAL = 0.04
"""Seconds that a frame lasts where neither the file nor another frame says more."""

WIDEST_PIXEL = 4.0
"""Width by height, or height by width, above which the shape of a pixel is not believed."""


def timed_frames(track: Track) -> Iterator[tuple[float, float, VideoFrame]]:
    """Decode a video and give each frame its time and length.

    A frame without a time stamp, or whose stamp goes back or stands still, has its time from those around it.

    Args:
        track: of kind `video`.

    Yields:
        The time in seconds on the file's own clock, strictly increasing; the seconds until the next frame (for the last
        one, its own length, or the mean of those before); and the frame.
    """
    usual = _Interval(track)
    before = 0.0
    held: tuple[float, VideoFrame] | None = None
    guessed = False
    for frame in track.frames():
        if not isinstance(frame, VideoFrame):
            continue
        stamp = track.time(frame)
        if held is None:
            held = (track.start or 0.0) if stamp is None else stamp, frame
            before = held[0] - 2 * usual.seconds
            continue
        if stamp is not None and guessed and before < stamp <= held[0]:
            held = (before + stamp) / 2, held[1]
        track.misplaced += stamp is not None and stamp <= held[0]
        guessed = stamp is None or stamp <= held[0]
        time = held[0] + usual.seconds if stamp is None or guessed else stamp
        usual.add(time - held[0])
        yield held[0], time - held[0], held[1]
        before, held = held[0], (time, frame)
    if held:
        yield held[0], track.length(held[1]) or usual.seconds, held[1]


class _Interval:
    """The mean time between frames: the one that the file states until there are two frames."""

    def __init__(self, track: Track) -> None:
        rate = getattr(track.stream, "guessed_rate", None)
        self.seconds = float(1 / rate) if rate else USUAL_INTERVAL
        self._count = 0

    def add(self, seconds: float) -> None:
        self._count += 1
        self.seconds = seconds if self._count == 1 else self.seconds + (seconds - self.seconds) / self._count


class Upright:
    """Turns decoded frames into upright RGB pictures with square pixels, each of its own size.

    Args:
        track: of kind `video`.
    """

    def __init__(self, track: Track) -> None:
        shape = float(getattr(track.stream, "sample_aspect_ratio", None) or 1)
        self._shape = shape if 1 / WIDEST_PIXEL <= shape <= WIDEST_PIXEL else 1.0
        self._converter = VideoReformatter()  # one for all frames: each keeps megabytes of its own

    def size(self, frame: VideoFrame) -> tuple[int, int]:
        """Width and height in pixels of the picture that a frame becomes."""
        width, height = self._square(frame)
        return (height, width) if _is_sideways(_matrix(frame)) else (width, height)

    def _square(self, frame: VideoFrame) -> tuple[int, int]:
        """Width and height of a frame with square pixels, as it is stored; none of its pixels is lost."""
        wide, high = max(1.0, self._shape), max(1.0, 1 / self._shape)
        width, height = round(frame.width * wide), round(frame.height * high)
        return (width, height) if width * height <= MAX_PIXELS else (frame.width, frame.height)

    def __call__(self, frame: VideoFrame) -> np.ndarray:
        """Return RGB uint8 `(height, width, 3)`."""
        matrix = _matrix(frame)
        sideways = _is_sideways(matrix)
        width, height = self._square(frame)
        # More threads cost more than they give: the pictures are small.
        image = self._converter.reformat(frame, width, height, "rgb24", threads=1).to_ndarray()
        (a, b), (c, d) = matrix
        if sideways:
            image, a, d = image.swapaxes(0, 1), c, b
        if a < 0:
            image = image[:, ::-1]
        if d < 0:
            image = image[::-1]
        return np.ascontiguousarray(image)


def _matrix(frame: VideoFrame) -> np.ndarray:
    """The display matrix: row 0 says where the picture's x axis points, row 1 its y axis."""
    try:
        data = frame.side_data.get(SideData.DISPLAYMATRIX)  # type: ignore[call-overload]
    except ValueError:  # PyAV 18 does not know every kind of side data
        data = None
    if data is None:
        return np.eye(2, dtype=np.int32)
    return np.frombuffer(bytes(data), np.int32).reshape(3, 3)[:2, :2]


def _is_sideways(matrix: np.ndarray) -> bool:
    return bool(abs(int(matrix[0, 0])) < abs(int(matrix[0, 1])))
