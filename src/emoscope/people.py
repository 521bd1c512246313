"""People who are known by a picture, a sound or a profile each: whom a recording is searched for."""

import hashlib
from pathlib import Path

import numpy as np

from .errors import EmoscopeError
from .face.crop import crop_faces
from .face.detect import Detector, smallest_face
from .face.identity import ALIGNED, FaceIdentity
from .face.identity import VALUES as FACE_VALUES
from .media import SAMPLE_RATE, Frame, Sound, is_media, open_media
from .reading.persons import Known
from .reading.profile import Profile
from .voice import identity as voice_identity
from .voice.activity import VoiceActivity

_NOTHING = {"face": np.zeros(FACE_VALUES), "voice": np.zeros(voice_identity.VALUES)}
MOST = 1000
"""Files in a folder of people."""
FINGERPRINT = 1 << 20
"""Bytes at the beginning of a file by which it is known again."""
MOST_FRAMES = 250
"""Frames of a video that are looked at, and ..."""
MOST_S = 120
"""... seconds of a sound that are listened to."""


def load(folder: Path, threads: int = 1) -> tuple[Known, ...]:
    """The people of a folder: `anna.jpg`, `ben.wav`, `clara.json`; who has several files is named by all of them.

    A profile is one that `emoscope profile` made of evidence with `--keep-identity`.

    Args:
        folder: of the files; the name of each, up to the first point, is the person's.
        threads: of the networks.

    Raises:
        EmoscopeError: the folder holds nobody, or in a file there is no face and no voice, or several faces.
    """
    files = _files(folder)
    found: dict[str, list[Known]] = {}
    for file in files:
        found.setdefault(file.name.split(".")[0], []).append(_known(file, threads))
    if not found:
        raise EmoscopeError(f"{folder}: holds nobody; expected a picture, a sound or a profile for each, as anna.jpg")
    return tuple(
        Known(name, _mean([k.face for k in each]), _mean([k.voice for k in each])) for name, each in found.items()
    )


def digest(folder: Path) -> str:
    """Tells a folder of people from others."""
    made = hashlib.sha256()
    for file in _files(folder):
        with file.open("rb") as opened:
            made.update(f"{file.name}:{file.stat().st_size}:".encode("utf-8", "replace"))
            made.update(opened.read(FINGERPRINT))
    return made.hexdigest()


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise EmoscopeError(f"{folder}: there is no such folder of people")
    found = sorted(f for f in folder.iterdir() if not f.name.startswith(".") and (f.suffix == ".json" or is_media(f)))
    if len(found) > MOST:
        raise EmoscopeError(f"{folder}: holds {len(found)} people; expected {MOST} at most")
    return found


def _known(file: Path, threads: int) -> Known:
    if file.suffix == ".json":
        identity = Profile.load(file).identity
        if not identity or any(len(identity.get(name, row)) != len(row) for name, row in _NOTHING.items()):
            raise EmoscopeError(f"{file}: says nothing of who it is; make it from evidence kept with --keep-identity")
        return Known(file.stem, identity.get("face"), identity.get("voice"))
    faces, sound = _seen(file, threads)
    voice = _heard(sound)
    face = _mean(list(faces)) if len(faces) else None
    if face is None and voice is None:
        raise EmoscopeError(f"{file}: there is no face and no voice in it")
    return Known(file.stem, face, voice)


def _seen(file: Path, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """The embeddings of the face in up to `MOST_FRAMES` frames `(n, d)`, and the sound."""
    identity, detector, rows = FaceIdentity(threads), None, []
    sound: list[np.ndarray] = []
    seconds = 0.0
    with open_media(file) as media:
        for place, item in enumerate(media):
            if isinstance(item, Sound) and seconds < MOST_S:
                sound.append(item.samples)
                seconds += item.seconds
            elif isinstance(item, Frame) and place < MOST_FRAMES and place % 10 == 0:
                detector = detector or Detector(min_face=smallest_face(item.image), threads=threads)
                faces = detector.detect(item.image)
                if len(faces) > 1 and media.kind == "picture":
                    raise EmoscopeError(f"{file}: there are {len(faces)} faces in it; expected that of one person")
                if len(faces) == 1:
                    rows.append(identity.embed(crop_faces(item.image, faces.landmarks, ALIGNED))[0])
    return np.array(rows).reshape(-1, FACE_VALUES), np.concatenate(sound) if sound else np.zeros(0, np.float32)


def _heard(samples: np.ndarray) -> np.ndarray | None:
    """The embedding of the speech in a sound."""
    activity = VoiceActivity()
    spoken = [*activity.add(samples[: MOST_S * SAMPLE_RATE]), *activity.finish()]
    parts = [part for one in spoken for part in voice_identity.stretches(one.start, one.end, True)]
    return _mean([voice_identity.embed(samples[start:end]) for start, end in parts])


def _mean(rows: list[np.ndarray | None] | list[np.ndarray]) -> np.ndarray | None:
    there = [row for row in rows if row is not None]
    if not there:
        return None
    total = np.sum(there, axis=0, dtype=np.float64)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9))
