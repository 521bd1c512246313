"""The camera and the microphone of this machine, as a stream of observations."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from itertools import count
from typing import Any, Self

import cv2
import numpy as np

from .errors import EmoscopeError, missing_extra
from .media import SAMPLE_RATE, Sound
from .session import Session
from .timeline import Observation

LONGEST_GAP_S = 0.25
"""Seconds that a picture stands for at most."""
JITTER_S = 0.1
"""Seconds by which sound may come late before its time is believed rather than the count of its samples."""
MOST_SOUND_S = 10.0
"""Seconds of sound that wait while a picture is scored; older ones are dropped."""


class Live:
    """Reads emotions from a camera and a microphone of this machine: `for observation in live`.

    Pictures that come faster than they can be scored are dropped, the newest kept; sound is not. Nothing is stored.

    Args:
        camera: its number, from 0, the path of a video or a device, or `None` for none.
        microphone: whether to listen, or the number or the name of the device. Needs the extra `watch`.
        session: of the observations; by default one with the default models.

    Raises:
        EmoscopeError: a device cannot be opened, or the extra is missing.

    Example:
        with emoscope.Live(microphone=False) as live:
            for o in live:
                print(o.person, o.emotion, o.confidence)
    """

    def __init__(
        self, camera: int | str | None = 0, microphone: bool | int | str = True, session: Session | None = None
    ) -> None:
        self._looks, self._listens = camera is not None, microphone is not False
        if not (self._looks or self._listens):
            raise ValueError("expected a camera, a microphone or both")
        self.session = session or Session(faces=self._looks, voice=self._listens)
        self._news = threading.Condition()
        self._frame: tuple[float, np.ndarray] | None = None
        self._sounds: deque[Sound] = deque()
        self._ended = False
        self._heard: float | None = None
        self._began = time.monotonic()
        self._microphone = _microphone(microphone, self._hear) if self._listens else None
        self._camera = _camera(camera) if camera is not None else None

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        if self._camera is not None:
            self._watching = threading.Thread(target=self._watch, daemon=True)
            self._watching.start()
        if self._microphone is not None:
            self._microphone.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._microphone is not None:
            self._microphone.close()
        if self._camera is not None:
            self._watching.join()
            self._camera.release()

    def close(self) -> None:
        """End the stream, from any thread; the iteration gives what was still waiting, and ends."""
        with self._news:
            self._ended = True
            self._news.notify()

    def __iter__(self) -> Iterator[Observation]:
        last, gap = None, 0.0
        while (got := self._next()) is not None:
            sounds, frame = got
            for sound in sounds:
                yield from self.session.add_sound(sound.samples, sound.time)
            if frame:
                at, image = frame
                gap = min(LONGEST_GAP_S, at - last) if last is not None else 0.0
                yield from self.session.add_frame(image, at, gap)
                last = at
        yield from self.session.close()

    def _next(self) -> tuple[list[Sound], tuple[float, np.ndarray] | None] | None:
        """What has come: all of the sound and the newest picture; `None` at the end."""
        with self._news:
            self._news.wait_for(lambda: self._ended or self._frame or self._sounds)
            sounds, frame = list(self._sounds), self._frame
            self._sounds.clear()
            self._frame = None
            return (sounds, frame) if sounds or frame else None

    def _watch(self) -> None:
        assert self._camera is not None
        pace = _pace_s(self._camera)
        for number in count():
            there, image = self._camera.read()
            if not there:
                break
            time.sleep(max(0.0, self._began + number * pace - time.monotonic()))
            frame = time.monotonic() - self._began, np.ascontiguousarray(image[:, :, ::-1])
            with self._news:
                if self._ended:
                    break
                self._frame = frame
                self._news.notify()
        if not self._listens:
            self.close()

    def _hear(self, samples: np.ndarray, *_: object) -> None:
        """Take a run `(n, 1)` of sound, whose last sample is of now."""
        now = time.monotonic() - self._began - len(samples) / SAMPLE_RATE
        start = now if self._heard is None or abs(now - self._heard) > JITTER_S else self._heard
        start = max(start, self._heard or 0.0, 0.0)
        self._heard = start + len(samples) / SAMPLE_RATE
        with self._news:
            self._sounds.append(Sound(start, samples[:, 0].copy()))
            while sum(sound.seconds for sound in self._sounds) > MOST_SOUND_S:
                self._sounds.popleft()
            self._news.notify()


def _camera(camera: int | str) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(camera)
    if not capture.isOpened():
        raise EmoscopeError(f"camera {camera}: cannot be opened; name another, or leave it out")
    return capture


def _pace_s(capture: cv2.VideoCapture) -> float:
    """Seconds between the frames of a file, which is played as a camera would see it; 0 for a camera, which waits."""
    rate = capture.get(cv2.CAP_PROP_FPS)
    return 1 / rate if rate > 0 and capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0 else 0.0


def _microphone(device: bool | int | str, heard: Any) -> Any:
    try:
        import sounddevice
    except ModuleNotFoundError as error:
        raise missing_extra("listening", error.name or "sounddevice", "watch") from None
    except OSError:  # without PortAudio
        raise EmoscopeError(
            "listening needs PortAudio, which is not installed; as: apt install libportaudio2"
        ) from None
    try:
        return sounddevice.InputStream(
            samplerate=SAMPLE_RATE,
            channels=1,
            dtype="float32",
            callback=heard,
            device=None if device is True else device,
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        why = " ".join(str(error).split())
        raise EmoscopeError(f"microphone: cannot be opened: {why}; name another, or leave it out") from None
