"""How fast a stream of speech is scored: the window of 3 s that is due every 0.5 s, features included.

One thread. The same minute of sound (the synthetic example's voice, over and over) is given to the reader in items of
20 ms, as a microphone does, and as one piece, as a file does; the rows must be the same.
"""

import time
from collections.abc import Iterator

import numpy as np

from emoscope.errors import DataError
from emoscope.media import SAMPLE_RATE, Sound, open_media
from emoscope.models import Model
from emoscope.voice.classify import VoiceReader, VoiceRow
from emoscope.voice.features import WINDOW, window_input
from emoscope.voice.windows import WINDOW_STEP

from ..rows import Row
from ..runner import Context
from .machine import EXAMPLE, figure, machine, median_s, rows

ITEM = SAMPLE_RATE // 50
REPEATS = 200


def streaming(context: Context) -> Iterator[Row]:
    """The window, the stream and the file.

    Raises:
        DataError: file and stream give different logits.
    """
    sound = voice()
    (model,) = context.models
    window = sound[:WINDOW]
    picture = window_input(window)[None]
    stream, stream_s = read(model, sound, ITEM)
    file, file_s = read(model, sound, len(sound))
    if not all((a.logits == b.logits).all() for a, b in zip(stream, file, strict=True)):
        raise DataError("file and stream give different logits")
    seconds = len(sound) / SAMPLE_RATE
    times = {
        "features of a 3 s window": lambda: window_input(window),
        "network on them": lambda: model.logits(picture),
        "both: what is due every 0.5 s": lambda: model.logits(window_input(window)[None]),
    }
    wanted = {"both: what is due every 0.5 s": "under 10 ms"}
    yield machine()
    name = model.card.name
    yield from rows(
        figure(what, 1000 * median_s(run, REPEATS), "ms", wanted.get(what, ""), model=name)
        for what, run in times.items()
    )
    due = 1000 * stream_s * WINDOW_STEP / len(sound)
    yield from rows([
        figure("stream in items of 20 ms, voice activity included", due, "ms each 0.5 s", model=name),
        figure("the same", seconds / stream_s, "x real time", model=name),
        figure("file", seconds / file_s, "x real time", model=name),
        figure("rows that file and stream agree on", len(file), f"of {len(stream)}", "all", model=name),
    ])  # fmt: skip


def voice() -> np.ndarray:
    """A minute of the example's sound."""
    with open_media(EXAMPLE) as media:
        sound = np.concatenate([item.samples for item in media if isinstance(item, Sound)])
    return np.resize(sound, 60 * SAMPLE_RATE)


def read(model: Model, sound: np.ndarray, item: int) -> tuple[list[VoiceRow], float]:
    """The rows of a sound that comes in items of so many samples, and the seconds that took."""
    reader = VoiceReader(model)
    reader.add(Sound(-10.0, np.zeros(SAMPLE_RATE, np.float32)))  # loads the networks
    start = time.perf_counter()
    rows = []
    for first in range(0, len(sound), item):
        rows += reader.add(Sound(first / SAMPLE_RATE, sound[first : first + item]))
    rows += reader.finish()
    return rows, time.perf_counter() - start
