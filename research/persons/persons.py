"""Who is who: cuts, persons and speakers, measured on edits made of CREMA-D's clips and RAVDESS's voices.

Every edit is written as mp4 and observed as a user's recording is. CREMA-D has 72 actors with picture and three clips
of one sentence each, anger, happiness and sadness at high intensity. The cosine at which two faces are one person was
looked at on the sweep below, over all 72; that of voices on other mixtures of RAVDESS's odd actors and of CREMA-D's.
Pairs of frames: of all pairs of faces in an edit, is each pair rightly said to be one person or two; faces within a
dissolve are left out. Speakers are scored by pyannote.metrics where it is installed (collar 0.25 s on each side,
overlap counted), else by a count of 10 ms frames with the best assignment of names, without a collar; speech is what
is above -30 dB of a clip's loudest 25 ms, and of what emoscope says the half second is taken off by which it widens
speech on both sides. Intervals are 95 %, bootstrapped over edits.

Of an older checkout, whose `src` is the option `before`, the time of observing before and after is compared in one run.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.progress import track

from emoscope import ObserveOptions, observe
from emoscope.data.cremad import video_clips
from emoscope.errors import DataError
from emoscope.evidence import Evidence
from emoscope.face.crop import crop_faces
from emoscope.face.detect import Detector
from emoscope.face.identity import ALIGNED, FaceIdentity
from emoscope.media import SAMPLE_RATE
from emoscope.media.write import VideoWriter
from emoscope.reading.persons import grouping
from emoscope.reading.who import Who, who
from emoscope.voice.activity import PAD

from ..intervals import interval
from ..plan import ROOT
from ..rows import Row, Where
from ..runner import Context
from .edits import RATE, Shot, Truth, grid, heard, play, write

SEEN_S = 2.0
"""Seconds for which somebody must be seen not to be split."""
SPEED_S = 12
"""Seconds of the videos on which time is measured."""
Clips = dict[str, list[Path]]


def clips_of(data: Path) -> Clips:
    """The clips of each actor."""
    clips: Clips = {}
    for clip, path in video_clips(data):
        if clip.sentence == "IEO":
            clips.setdefault(str(clip.actor), []).append(path)
    return clips


def likeness(context: Context) -> Iterator[Row]:
    """How alike faces are."""
    yield from likeness_rows(face_cosines(clips_of(context.data)))


def edits(context: Context) -> Iterator[Row]:
    """Cuts and persons in edits."""
    yield from edit_rows(edited(clips_of(context.data), context.option("edits")))


def speakers(context: Context) -> Iterator[Row]:
    """Who speaks when in mixtures."""
    option = context.option
    yield from voice_rows(voices(clips_of(context.data), context.data, option("edits"), option("first_seed")))


def hard_cases(context: Context) -> Iterator[Row]:
    """Cases that are hard, one by one."""
    clips = clips_of(context.data)
    yield from hard_rows(hard(clips, face_cosines(clips)["most_alike"]))


def time(context: Context) -> Iterator[Row]:
    """What observing costs beside an older checkout.

    Raises:
        DataError: there is none.
    """
    before = ROOT / context.option("before")
    if not before.is_dir():
        raise DataError(f"{before}: expected the folder `src` of an older checkout")
    yield from time_rows(times(clips_of(context.data), before))


def seen_of(path: Path, voices: bool = False) -> Evidence:
    """A recording's evidence with its embeddings."""
    return observe(path, options=ObserveOptions(voices=voices, keep_identity=True))


# Edits: cuts and persons


def edited(clips: Clips, count: int) -> list[dict[str, Any]]:
    """A row for each number of people, of edits with hard cuts, and one for dissolves."""
    rows = []
    for people in (2, 3, 4, 5, 6):
        rows.append(_edited(clips, people, count, False))
    rows.append(_edited(clips, 3, count, True))
    return rows


def _edited(clips: Clips, people: int, count: int, dissolves: bool) -> dict[str, Any]:
    found = []
    for seed in track(range(count), f"{people} people{', dissolves' if dissolves else ''}"):
        random = np.random.default_rng((people, seed, dissolves))
        shots = interview(clips, people, random, dissolves)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "edit.mp4"
            truth = write(path, shots)
            found.append(scored(seen_of(path), truth))
    total = {key: sum(one[key] for one in found) for key in found[0]}
    row = {
        "people": people,
        "shots": "dissolves" if dissolves else "hard cuts",
        "edits": count,
        "cuts": total["cuts"],
        "cut_recall": total["found"] / max(total["cuts"], 1),
        "cut_precision": total["right"] / max(total["said"], 1),
        "faces": total["faces"],
        "frames_with_a_face": total["covered"] / total["there"],
        "switches": total["switches"],
        "actors": total["actors"],
        "split": total["split"],
    }
    for name in ("tracks", "persons"):
        row[f"{name}_f1"] = float(np.mean([one[f"{name}_f1"] for one in found]))
    scores = np.array([one["persons_f1"] for one in found])
    row["interval"] = interval(scores, np.arange(len(scores)))
    row["persons_found"] = total["persons"] / count
    return row


def interview(clips: Clips, people: int, random: np.random.Generator, dissolves: bool) -> list[Shot]:
    """Shots in random order: in the middle (same framing), to one side, or two people in a picture."""
    names = [str(name) for name in random.choice(sorted(clips), people, replace=False)]
    shots: list[Shot] = []
    last = ""
    for number in range(5 * people):
        who = names[number] if number < people else str(random.choice([name for name in names if name != last]))
        seen = [who]
        if number >= people and random.random() < 0.25:
            seen.append(str(random.choice([name for name in names if name != who])))
        chosen = tuple((clips[one][int(random.integers(len(clips[one])))], one) for one in seen)
        length = int(random.choice([8, 15, 25])) if dissolves and number else 0
        shots.append(Shot(chosen, int(random.integers(-1, 2)) if len(seen) == 1 else 0, dissolve=length))
        last = who
    return shots


def scored(evidence: Evidence, truth: Truth) -> dict[str, float]:
    """The counts of one edit."""
    found = who(replaced(evidence))
    faces = found.evidence.faces
    everybody = actors_of(faces.time, faces.box, truth)
    known = everybody != ""
    persons, actors = faces.track[known], everybody[known]
    tracked = evidence.faces
    all_actors = actors_of(tracked.time, tracked.box, truth)
    spans = [(cut - 0.05, cut + 0.1) for cut in truth.cuts]
    spans += [(start - 0.05, end + 0.4) for start, end in truth.dissolves]
    hits = [any(a <= time <= b for time in evidence.shots) for a, b in spans]
    right = [any(a <= time <= b for a, b in spans) for time in evidence.shots]
    there = sum(len(people) for people in truth.people)
    return {
        "cuts": len(spans),
        "found": sum(hits),
        "said": len(right),
        "right": sum(right),
        "faces": len(persons),
        "there": there,
        "covered": len({(round(t * RATE), a) for t, a in zip(faces.time[known], actors, strict=True)}),
        "tracks_f1": pair_f1(tracked.track[all_actors != ""], all_actors[all_actors != ""]),
        "persons_f1": pair_f1(persons, actors),
        "switches": switches(faces.time[known], persons, actors),
        "persons": len(np.unique(persons)),
        **split(persons, actors),
    }


def replaced(evidence: Evidence) -> Evidence:
    """The evidence with who is who worked out anew."""
    found = grouping(evidence)
    evidence.pieces, evidence.info = found.pieces, {**evidence.info, "grouping": found.to_json()}
    return evidence


def actors_of(time: np.ndarray, box: np.ndarray, truth: Truth) -> np.ndarray:
    """The actor of each face, by where it is; empty where nobody is known to be."""
    names = np.full(len(time), "", object)
    for row, (at, x) in enumerate(zip(np.rint(time * RATE).astype(int), box[:, 0] + box[:, 2] / 2, strict=True)):
        if at < len(truth.people):
            names[row] = next((name for name, left, right in truth.people[at] if left <= x < right), "")
    return names


def pair_f1(found: np.ndarray, true: np.ndarray) -> float:
    """F1 of "these two faces are one person" over all pairs."""

    def pairs(labels: Sequence[Any]) -> int:
        return sum(n * (n - 1) // 2 for n in Counter(labels).values())

    both = pairs(list(zip(found.tolist(), true.tolist(), strict=True)))
    said, there = pairs(found.tolist()), pairs(true.tolist())
    return 2 * both / max(said + there, 1)


def switches(time: np.ndarray, persons: np.ndarray, actors: np.ndarray) -> int:
    """How often an actor's number changes from one of their frames to the next."""
    return sum(
        int((np.diff(persons[actors == one][np.argsort(time[actors == one], kind="stable")]) != 0).sum())
        for one in set(actors.tolist())
    )


def split(persons: np.ndarray, actors: np.ndarray) -> dict[str, int]:
    """Actors who were seen for `SEEN_S`, and how many of them have a second number, for as long or a tenth of it."""
    seen = broken = 0
    for one in set(actors.tolist()):
        counts = Counter(persons[actors == one].tolist()).most_common()
        if sum(n for _, n in counts) < SEEN_S * RATE:
            continue
        seen += 1
        broken += len(counts) > 1 and counts[1][1] >= min(SEEN_S * RATE, 0.1 * sum(n for _, n in counts))
    return {"actors": seen, "split": broken}


# Faces: how alike


def face_cosines(clips: Clips) -> dict[str, Any]:
    """How alike the looks of one actor's clips are, and of two actors': each of three frames."""
    rows, names = [], []
    identity, detector = FaceIdentity(), Detector(min_face=60)
    for actor, paths in track(clips.items(), "looks"):
        for path in paths:
            frames = play(path).frames
            found = [
                (frames[place], detector.detect(frames[place]))
                for place in np.linspace(5, len(frames) - 5, 3, dtype=int)
            ]
            crops = [crop_faces(image, faces.landmarks[:1], ALIGNED)[0] for image, faces in found if len(faces)]
            if crops:
                total = identity.embed(np.stack(crops)).astype(float).sum(0)
                rows.append(total / np.linalg.norm(total))
                names.append(actor)
    alike = np.array(rows) @ np.array(rows).T
    own = np.array(names)[:, None] == np.array(names)
    upper = np.triu(np.ones_like(own), 1).astype(bool)
    same, other = alike[own & upper], alike[~own & upper]
    worst = np.unravel_index(np.where(own, -1, alike).argmax(), alike.shape)
    return {
        "actors": len(clips),
        "clips": len(rows),
        "same": [float(q) for q in np.quantile(same, (0.0, 0.05, 0.5))],
        "other": [float(q) for q in np.quantile(other, (0.5, 0.999, 1.0))],
        "most_alike": [names[int(worst[0])], names[int(worst[1])]],
        "sweep": [
            {"join": join, "missed": float((same < join).mean()), "false": float((other >= join).mean())}
            for join in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55)
        ],
    }


# Voices: who speaks when


def voices(clips: Clips, data: Path, count: int, seed: int) -> list[dict[str, Any]]:
    """A row for each kind of mixture."""
    singing = {int(path.name[-2:]): sorted(path.glob("03-01-*")) for path in sorted((data / "ravdess").glob("Actor_*"))}
    seeds = range(seed, seed + count)
    rows = []
    for odd in (True, False):
        speakers = {str(n): paths for n, paths in singing.items() if n % 2 == odd}
        name = f"RAVDESS, {'odd actors (looked at)' if odd else 'even actors'}, no picture"
        rows += [_mixed(name, k, seeds, lambda r, k=k, s=speakers: monologues(s, k, r)) for k in (2, 3)]
    rows += [_mixed("CREMA-D, no picture", k, seeds, lambda r, k=k: monologues(clips, k, r)) for k in (2, 3)]
    rows += [
        _mixed("CREMA-D with picture, one turn in four not in sight", k, seeds, lambda r, k=k: turns(clips, k, r, {}))
        for k in (2, 3)
    ]
    rows.append(
        _mixed("CREMA-D with picture and a RAVDESS voice that is never seen", 2, seeds,
               lambda r: turns(clips, 2, r, {str(n): p for n, p in singing.items() if n % 2 == 0}))
    )  # fmt: skip
    return rows


def _mixed(name: str, people: int, seeds: range, make: Callable[[np.random.Generator], list[Shot]]) -> dict[str, Any]:
    found = []
    for seed in track(seeds, name):
        shots = make(np.random.default_rng((people, seed)))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "edit.mp4"
            truth = write(path, shots, sound=True)
            evidence = seen_of(path, voices=True)
        found.append(speakers_scored(who(replaced(evidence)), truth))
    errors, seconds = (np.array([one[key] for one in found]) for key in ("error_s", "speech_s"))
    rates = errors / seconds
    return {
        "mixture": name,
        "speakers": people,
        "mixtures": len(seeds),
        "first_seed": seeds[0],
        "speech_s": round(float(seconds.sum()), 1),
        "der": float(errors.sum() / seconds.sum()),
        "interval": interval(rates, np.arange(len(seeds))),
        **{key: float(sum(one[key] for one in found) / seconds.sum()) for key in ("missed", "false", "confused")},
        "speakers_found": float(np.mean([one["speakers"] for one in found])),
        "counted_by": "pyannote.metrics" if find_spec("pyannote.metrics") else "own count",
    }


def monologues(speakers: Clips, people: int, random: np.random.Generator) -> list[Shot]:
    """Turns without a picture: two clips of one speaker each, then another's."""
    names = [str(name) for name in random.choice(sorted(speakers), people, replace=False)]
    shots, last = [], ""
    for number in range(6 * people):
        one = names[number] if number < people else str(random.choice([name for name in names if name != last]))
        path = speakers[one][int(random.integers(len(speakers[one])))]
        shots.append(Shot((), sound=(path, one), grey=len(heard(path)) / SAMPLE_RATE + 0.2))
        last = one
    return shots


def turns(clips: Clips, people: int, random: np.random.Generator, unseen: Clips) -> list[Shot]:
    """Turns with the picture of who speaks, or one in four without it; and of somebody who is never seen."""
    names = [str(name) for name in random.choice(sorted(clips), people, replace=False)]
    narrator = str(random.choice(sorted(unseen))) if unseen else ""
    shots, last = [], ""
    for number in range(6 * people):
        one = names[number] if number < people else str(random.choice([name for name in names if name != last]))
        path = clips[one][int(random.integers(len(clips[one])))]
        if number >= people and narrator and random.random() < 0.3:
            path = unseen[narrator][int(random.integers(len(unseen[narrator])))]
            shots.append(Shot((), sound=(path, narrator), grey=len(heard(path)) / SAMPLE_RATE + 0.2))
        elif number >= people and random.random() < 0.25:
            shots.append(Shot((), sound=(path, one), grey=len(heard(path)) / SAMPLE_RATE + 0.2))
        else:
            shots.append(Shot(((path, one),), sound=(path, one)))
        last = one
    return shots


def speakers_scored(found: Who, truth: Truth) -> dict[str, float]:
    """Seconds of error of one mixture."""
    voices, pad = found.evidence.voices, PAD / SAMPLE_RATE
    said = []
    for row, person in enumerate(found.spoken.tolist()):
        same = voices.utterance == voices.utterance[row]
        start = max(float(voices.start[row]), float(voices.start[same].min()) + pad)
        end = min(float(voices.end[row]), float(voices.end[same].max()) - pad)
        if end > start:
            said.append((str(person), start, end))
    count = _by_pyannote if find_spec("pyannote.metrics") else _by_frames
    return {**count(truth.turns, said), "speakers": len({p for p, _, _ in said if p != "0"})}


Turns = Sequence[tuple[str, float, float]]


def _by_pyannote(true: Turns, said: Turns) -> dict[str, float]:
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    def annotation(turns: Turns) -> Annotation:
        made = Annotation()
        for number, (one, start, end) in enumerate(turns):
            made[Segment(start, end), number] = one
        return made.support()

    parts = DiarizationErrorRate(collar=0.5)(annotation(true), annotation(said), detailed=True)
    missed, false, confused = (float(parts[key]) for key in ("missed detection", "false alarm", "confusion"))
    return {"error_s": missed + false + confused, "speech_s": float(parts["total"]), "missed": missed, "false": false,
            "confused": confused}  # fmt: skip


def _by_frames(true: Turns, said: Turns) -> dict[str, float]:
    from scipy.optimize import linear_sum_assignment

    end = max([end for _, _, end in [*true, *said]], default=0.0)
    columns = [np.full(round(end * 100) + 1, "", object) for _ in range(2)]
    for column, rows in zip(columns, (true, said), strict=True):
        for one, start, stop in rows:
            column[round(start * 100) : round(stop * 100)] = one
    people, found = (sorted(set(column) - {""}) for column in columns)
    shared = np.array([[((columns[0] == a) & (columns[1] == b)).sum() for b in found] for a in people])
    rows, places = linear_sum_assignment(-shared.reshape(len(people), len(found)))
    right = shared[rows, places].sum() / 100
    speech, heard_ = (columns[0] != "").sum() / 100, (columns[1] != "").sum() / 100
    both = ((columns[0] != "") & (columns[1] != "")).sum() / 100
    parts = {"missed": speech - both, "false": heard_ - both, "confused": both - right}
    return {"error_s": sum(parts.values()), "speech_s": speech, **parts}


# Hard cases


def hard(clips: Clips, most_alike: Sequence[str]) -> list[dict[str, str]]:
    """A row a case: what was shown, what is true, what was found."""
    names = sorted(clips)
    a, b = names[0], names[1]
    one, two, other = clips[a][0], clips[a][1], clips[b][0]

    def of(frames: Sequence[np.ndarray], cases: str, true: str) -> dict[str, str]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "case.mp4"
            height, width = frames[0].shape[:2]
            with VideoWriter(path, width, height) as writer:
                for place, image in enumerate(frames):
                    writer.write(image, place / RATE)
            evidence = seen_of(path)
        found = who(replaced(evidence))
        rows = found.persons()
        words = [f"{len(rows)} person{'' if len(rows) == 1 else 's'}, {len(evidence.shots)} cuts"]
        words += [f"persons {row['person']} and {m['person']} may be one ({m['alike']})" for row in rows
                  for m in row["maybe"] if m["person"] > row["person"]][:3]  # fmt: skip
        words += [f"person {row['person']} is a picture" for row in rows if row["picture"]]
        return {"case": cases, "true": true, "found": "; ".join([*words, *found.notes])}

    first, second, third = (play(path).frames for path in (one, two, other))
    plain = np.full_like(first[0], 110)
    long = [*first, *second, *first[::-1]]
    wall = cv2.resize(third[10], (160, 120), interpolation=cv2.INTER_AREA)
    mirror = [np.concatenate([image[:, 80:400], image[:, 80:400][:, ::-1]], 1) for image in first]
    ten = [clips[name][0] for name in names[:10]]
    crowd = [clips[name][0] for name in names[:60]]
    alone = [clips[name][0] for name in names[:6]]
    flash = [np.clip(image.astype(int) + 150 * (place in (20, 21)), 0, 255).astype(np.uint8)
             for place, image in enumerate(first)]  # fmt: skip
    dark = [np.clip(image * (0.4 if place > 30 else 1.0), 0, 255).astype(np.uint8) for place, image in enumerate(first)]
    wide = [cv2.resize(image, (960, 720)) for image in first]
    pan = [image[180:540, 12 * place % 480 : 12 * place % 480 + 480] for place, image in enumerate(wide[:40])]
    wider = [cv2.copyMakeBorder(image, 0, 0, 80, 80, cv2.BORDER_REPLICATE) for image in second]
    later = [cv2.copyMakeBorder(image, 60, 60, 240, 240, cv2.BORDER_REPLICATE) for image in first]
    alike = [clips[name][0] for name in most_alike]
    return [
        of(list(grid(ten, 5, 240)), "ten people at once, faces of 60 pixels", "10 persons"),
        of(list(grid(crowd, 12, 56)), "a crowd of 60, faces of 14 pixels", "counted where found, nobody numbered"),
        of([*list(grid(alone, 3, 320)), *later], "six at once, then one of them alone, larger", "6 persons, 1 cut"),
        of([*first, *[image[:, ::-1] for image in second]], "one person, mirrored after the cut", "1 person, 1 cut"),
        of([*mirror, *wider], "one person beside their mirror image, then alone", "2 faces; who is alone is open"),
        of([pasted(image, wall) for image in long], "a photograph on the wall beside somebody", "2, one a picture"),
        of([*first, *[masked(image) for image in second]], "one person, then with a mask", "1 person, 1 cut"),
        of([*first, *third, *[masked(image) for image in second]], "two people, then one with a mask", "2 persons"),
        of([*first, *[plain] * (180 * RATE // 5), *third, *second], "one, 36 s of nobody, another, the first again",
           "2 persons, 3 cuts"),
        of(flash, "a flash of two frames", "1 person, no cut"),
        of(dark, "the light goes out by more than half", "1 person, no cut"),
        of(pan, "the camera pans over a face by 12 pixels a frame", "1 person, no cut but where it jumps back"),
        of([image for path in alike for image in play(path).frames], "the two of 72 who look most alike",
           "2 persons, 1 cut"),
    ]  # fmt: skip


def pasted(image: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """A frame, wider by a wall on which a photograph hangs."""
    height, width = image.shape[:2]
    whole = np.full((height, width + 200, 3), 150, np.uint8)
    whole[:, :width] = image
    whole[40 : 40 + wall.shape[0], width + 20 : width + 20 + wall.shape[1]] = wall
    return whole


def masked(image: np.ndarray) -> np.ndarray:
    """A frame with the lower half of the face covered, where CREMA-D's actors have it."""
    global _DETECTOR
    _DETECTOR = _DETECTOR or Detector(min_face=60)
    faces = _DETECTOR.detect(image)  # type: ignore[attr-defined]
    made = image.copy()
    for (x, y, width, height), points in zip(faces.boxes, faces.landmarks, strict=True):
        top = round(float(points[2, 1]))
        cv2.rectangle(made, (round(x), top), (round(x + width), round(y + height)), (150, 180, 210), -1)
    return made


_DETECTOR: Any = None


# Time

CHILD = """
import sys, time, json
from pathlib import Path
import emoscope
path = sys.argv[1]
emoscope.observe(path, options=emoscope.ObserveOptions(end=1.0))
started = time.process_time()
emoscope.observe(path)
print(json.dumps(time.process_time() - started))
"""


def times(clips: Clips, before: Path) -> list[dict[str, Any]]:
    """Processor time of observing, after by before, in turns; 720p."""
    rows = []
    here = Path(sys.modules["emoscope"].__file__ or "").parents[1]
    names = sorted(clips)
    with tempfile.TemporaryDirectory() as folder:
        for faces in (1, 3):
            path = Path(folder) / f"{faces}.mp4"
            talk(path, [clips[name] for name in names[:faces]])
            ratios = []
            for _ in track(range(3), f"time, {faces} faces"):
                spent = {}
                for name, source in (("before", before), ("after", here)):
                    run = [sys.executable, "-c", CHILD, str(path)]
                    environment = {**os.environ, "PYTHONPATH": str(source.resolve()), "OMP_NUM_THREADS": "1"}
                    spent[name] = json.loads(subprocess.run(run, env=environment, capture_output=True, check=True,
                                                            text=True).stdout)  # fmt: skip
                ratios.append(spent["after"] / spent["before"])
            rows.append({"faces": faces, "runs": len(ratios), "ratio": float(np.median(ratios)),
                         "least": min(ratios), "most": max(ratios)})  # fmt: skip
    return rows


def talk(path: Path, people: Sequence[Sequence[Path]]) -> None:
    """`SPEED_S` of 1280 x 720 of people beside each other, with the first one's sound."""
    from emoscope.media.types import SoundFormat

    frames = [[image for clip in own for image in play(clip).frames] for own in people]
    forth = [[*own, *own[::-1]] for own in frames]  # without a cut
    sound = np.concatenate([heard(clip) for clip in people[0]])
    each = 1280 // len(people)
    with VideoWriter(path, 1280, 720, SoundFormat(SAMPLE_RATE, "mono")) as writer:
        for place in range(SPEED_S * RATE):
            parts = []
            for own in forth:
                image = cv2.resize(own[place % len(own)], (960, 720))
                left = max(0, (960 - each) // 2)
                part = image[:, left : left + each]
                parts.append(cv2.copyMakeBorder(part, 0, 0, 0, each - part.shape[1], cv2.BORDER_REPLICATE))
            whole = np.concatenate(parts, 1)
            whole = cv2.copyMakeBorder(whole, 0, 0, 0, 1280 - whole.shape[1], cv2.BORDER_REPLICATE)
            writer.write(whole, place / RATE)
        writer.write_sound(np.resize(sound, SPEED_S * SAMPLE_RATE)[None], 0.0)


# The rows


def likeness_rows(of: dict[str, Any]) -> Iterator[Row]:
    """Cosines of one actor's clips and of two actors', and what is missed and joined from each cosine on."""
    where: Where = {"split": "CREMA-D clips of 72 actors", "n": of["clips"]}
    for whose, names in (("same", ("least", "5 %", "median")), ("other", ("median", "99.9 %", "most"))):
        pairs = "of one actor" if whose == "same" else "of two actors"
        for name, value in zip(names, of[whose], strict=True):
            yield Row(metric=f"cosine, {name}", value=value, condition="looks", group=pairs, **where)
    yield Row(
        metric="most alike", note=" and ".join(of["most_alike"]), condition="looks", group="of two actors", **where
    )
    for one in of["sweep"]:
        where = {"split": "CREMA-D clips of 72 actors", "condition": f"one person from cosine {one['join']:.2f}"}
        yield Row(metric="pairs of one actor missed", value=one["missed"], **where)
        yield Row(metric="pairs of two actors joined", value=one["false"], **where)


EDITS = {
    "edits": "edits", "cuts": "cuts", "cut_recall": "recall of cuts", "cut_precision": "precision of cuts",
    "faces": "faces", "frames_with_a_face": "share of faces shown that are found", "tracks_f1": "F1 of pairs, tracks",
    "persons_f1": "F1 of pairs, persons", "persons_found": "persons found", "switches": "switches",
    "actors": "actors seen 2 s", "split": "of these split",
}  # fmt: skip
"""What is said of edits, and how pages call it."""
VOICES = {
    "speech_s": "speech, s", "der": "error rate", "missed": "missed", "false": "false", "confused": "confused",
    "speakers_found": "speakers found",
}  # fmt: skip


def edit_rows(found: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """Cuts, tracks and persons of edits of so many people."""
    for of in found:
        where: Where = {
            "split": "edits of CREMA-D clips",
            "condition": f"{of['people']} people, {of['shots']}",
        }
        for key, metric in EDITS.items():
            low, high = of["interval"] if key == "persons_f1" and of["edits"] > 1 else (None, None)
            yield Row(metric=metric, value=of[key], low=low, high=high, **where)


def voice_rows(found: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """The error rate of who speaks when and its parts."""
    for of in found:
        where: Where = {"split": of["mixture"], "condition": f"{of['speakers']} speakers", "n": of["mixtures"]}
        for key, metric in VOICES.items():
            low, high = of["interval"] if key == "der" else (None, None)
            note = f"counted by {of['counted_by']}" if key == "der" else ""
            yield Row(metric=metric, value=of[key], low=low, high=high, note=note, **where)


def hard_rows(found: Sequence[dict[str, str]]) -> Iterator[Row]:
    """What is true and what is found, in words."""
    for of in found:
        for key in ("true", "found"):
            yield Row(metric=key, note=of[key], condition=of["case"])


def time_rows(found: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """Processor time after by before."""
    for of in found:
        yield Row(metric="processor time, after by before", value=of["ratio"], low=of["least"], high=of["most"],
                  n=of["runs"], condition=f"{of['faces']} faces")  # fmt: skip
