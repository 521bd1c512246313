"""Voice activity: what is no voice and is taken for one, and what is a voice and is missed.

Sounds that nobody speaks in are made by formula from seeds that training has not seen; those of every day are of kinds
that it never draws; pauses are the first half seconds of RAVDESS recordings, six in a row. The voices are CREMA-D's
clips of 72 actors, by themselves and 5 s after something else was heard. Spoken time is that of the chunks of 32 ms
within 30 dB of the clip's loudest.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.progress import track

from emoscope.data import cremad, ravdess
from emoscope.data.nonspeech import EVERYDAY, KINDS, make
from emoscope.data.recordings import samples
from emoscope.media import SAMPLE_RATE
from emoscope.models import Model
from emoscope.voice.activity import CHUNK, VoiceActivity
from emoscope.voice.features import window_input

from ..intervals import interval
from ..rows import Row, Where
from ..runner import Context

SOUNDS_A_KIND = 40
UNSEEN = 1_000_000
"""First seed of the sounds: training draws its own from 0 on."""
SURE = 0.5
"""A score above this is called confident."""
BEFORE_S = 5.0
QUIETER = 0.1
"""Peak of what is heard before the voice."""


def activity(context: Context) -> Iterator[Row]:
    """Every kind of sound, then voices by themselves and after something else."""
    (model,) = context.models
    kinds = {kind: [made(kind, i) for i in range(SOUNDS_A_KIND)] for kind in (*KINDS, *EVERYDAY)}
    kinds["pauses"] = list(pauses([samples(r.path) for r in ravdess.recordings(context.data)[: 6 * SOUNDS_A_KIND]]))
    for kind, sounds in kinds.items():
        yield from kind_rows(model.card.name, no_voice(kind, sounds, model))
    clips = [(clip, samples(path)) for clip, path in track(cremad.video_clips(context.data), "reading")]
    own = [(clip, sound) for clip, sound in clips if clip.split == "validation"]
    found = [voices("by themselves, all actors", clips), voices("by themselves, validation actors", own)]
    for kind in ("noise", "hum", "music", "traffic"):
        heard = [(QUIETER * make(kind, BEFORE_S, UNSEEN + i)).astype(np.float32) for i in range(len(own))]
        found.append(voices(f"after {kind}, validation actors", own, heard))
    found.append(voices("after another voice, validation actors", own, [own[i - 1][1] for i in range(len(own))]))
    yield from rows(found)


def made(kind: str, number: int) -> np.ndarray:
    """A sound of one or three seconds."""
    return make(kind, 1.0 if number % 2 else 3.0, UNSEEN + number)


def pauses(sounds: list[np.ndarray]) -> Iterator[np.ndarray]:
    for i in range(0, len(sounds), 6):
        yield np.concatenate([sound[: SAMPLE_RATE // 2] for sound in sounds[i : i + 6]])


def found(sound: np.ndarray) -> np.ndarray:
    """Whether each chunk lies in a stretch of speech, `(chunks,)`."""
    activity = VoiceActivity()
    marked = np.zeros(len(sound) // CHUNK, bool)
    for stretch in activity.add(sound) + activity.finish():
        marked[stretch.start // CHUNK : -(-stretch.end // CHUNK)] = True
    return marked


def no_voice(kind: str, sounds: list[np.ndarray], model: Model) -> dict[str, Any]:
    highest = np.array([float(model.scores(window_input(sound)[None]).max()) for sound in sounds])
    return {
        "kind": kind,
        "n": len(sounds),
        "taken for a voice": sum(bool(found(sound).any()) for sound in sounds),
        "mean confidence": float(highest.mean()),
        "confident": int((highest > SURE).sum()),
    }


def voices(
    name: str, clips: list[tuple[cremad.Clip, np.ndarray]], before: list[np.ndarray] | None = None
) -> dict[str, Any]:
    shares = []
    for i, (_, sound) in enumerate(track(clips, name)):
        chunks = sound[: len(sound) // CHUNK * CHUNK].reshape(-1, CHUNK)
        power = (chunks**2).mean(1)
        spoken = power > power.max() / 1000
        earlier = before[i][: len(before[i]) // CHUNK * CHUNK] if before else sound[:0]
        shares.append(found(np.concatenate([earlier, sound]))[-len(chunks) :][spoken].mean())
    values, actors = np.array(shares), np.array([clip.actor for clip, _ in clips])
    return {
        "voices": name,
        "n": len(values),
        "found": float(values.mean()),
        "interval": interval(values, actors),
        "unheard": int((values == 0).sum()),
    }


def kind_rows(model: str, of: dict[str, Any]) -> Iterator[Row]:
    """What is made of one kind of sound that is no voice."""
    where: Where = {"model": model, "split": "no voice", "condition": of["kind"], "n": of["n"]}
    yield Row(metric="taken for a voice by the pipeline", value=of["taken for a voice"], **where)
    yield Row(metric="mean confidence of the network", value=of["mean confidence"], **where)
    yield Row(metric=f"above {SURE}", value=of["confident"], **where)


def rows(found: list[dict[str, Any]]) -> Iterator[Row]:
    """How much of the voices is found."""
    for of in found:
        low, high = of["interval"]
        where: Where = {"split": "CREMA-D clips", "condition": of["voices"], "n": of["n"]}
        yield Row(metric="share of spoken time found", value=of["found"], low=low, high=high, **where)
        yield Row(metric="clips in which nothing is found", value=of["unheard"], **where)
