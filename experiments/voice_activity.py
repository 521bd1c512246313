"""Voice activity: what is no voice and is taken for one, and what is a voice and is missed.

    python experiments/voice_activity.py --data DATA --out results/voice

Sounds that nobody speaks in are made by formula from seeds that training has not seen; those of every day are of kinds
that it never draws; pauses are the first half seconds of RAVDESS recordings, six in a row. The voices are CREMA-D's
clips of 72 actors, by themselves and 5 s after something else was heard. Spoken time is that of the chunks of 32 ms
within 30 dB of the clip's loudest.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from arguments import arguments
from bootstrap import interval
from rich.progress import track

from emoscope.data import cremad, ravdess
from emoscope.data.nonspeech import EVERYDAY, KINDS, make
from emoscope.data.recordings import samples
from emoscope.media import SAMPLE_RATE
from emoscope.models import Model, load
from emoscope.voice.activity import CHUNK, VoiceActivity
from emoscope.voice.features import window_input

COMMAND = "python experiments/voice_activity.py --data DATA --out results/voice"
SOUNDS_A_KIND = 40
UNSEEN = 1_000_000
"""First seed of the sounds: training draws its own from 0 on."""
SURE = 0.5
"""A score above this is called confident."""
BEFORE_S = 5.0
QUIETER = 0.1
"""Peak of what is heard before the voice."""


def main() -> None:
    args = arguments(__doc__)
    model = load("voice")
    kinds = {kind: [made(kind, i) for i in range(SOUNDS_A_KIND)] for kind in (*KINDS, *EVERYDAY)}
    kinds["pauses"] = list(pauses([samples(r.path) for r in ravdess.recordings(args.data)[: 6 * SOUNDS_A_KIND]]))
    clips = [(clip, samples(path)) for clip, path in track(cremad.video_clips(args.data), "reading")]
    own = [(clip, sound) for clip, sound in clips if clip.split == "validation"]
    rows = [voices("by themselves, all actors", clips), voices("by themselves, validation actors", own)]
    for kind in ("noise", "hum", "music", "traffic"):
        heard = [(QUIETER * make(kind, BEFORE_S, UNSEEN + i)).astype(np.float32) for i in range(len(own))]
        rows.append(voices(f"after {kind}, validation actors", own, heard))
    rows.append(voices("after another voice, validation actors", own, [own[i - 1][1] for i in range(len(own))]))
    results = {
        "command": COMMAND,
        "no voice": [no_voice(kind, sounds, model) for kind, sounds in kinds.items()],
        "voices": rows,
    }
    (args.out / "activity.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "activity.md").write_text(page(results))
    print(page(results))


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


def page(results: dict[str, Any]) -> str:
    lines = [
        "# Voice activity",
        "",
        f"Command: `{results['command']}`",
        "",
        "## What is no voice",
        "",
        f"Sounds of 1 s and 3 s made by formula (`data.nonspeech`), seeds from {UNSEEN:,} on; pauses of RAVDESS "
        "recordings. The pipeline asks the network only where it finds a voice; the last two columns ask it all the "
        "same.",
        "",
        f"| kind | n | taken for a voice by the pipeline | mean confidence of the network | above {SURE} |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {r['kind']} | {r['n']} | {r['taken for a voice']} | {r['mean confidence']:.2f} | {r['confident']} |"
        for r in results["no voice"]
    ]
    lines += [
        "",
        "## Voices",
        "",
        f"CREMA-D's clips with a picture (most of them shouted anger and happiness, and sadness). Share of the spoken "
        f"time that is found, a mean over clips; 95 % interval over actors. Other sound lasts {BEFORE_S:.0f} s and has "
        f"a peak of {QUIETER}.",
        "",
        "| voices | n | spoken time found | 95 % interval | clips in which nothing is found |",
        "|---|---|---|---|---|",
    ]
    for r in results["voices"]:
        low, high = r["interval"]
        lines.append(f"| {r['voices']} | {r['n']} | {r['found']:.1%} | {low:.1%} to {high:.1%} | {r['unheard']} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
