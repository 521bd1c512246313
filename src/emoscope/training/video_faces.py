"""Faces of CREMA-D's clips as a still-face network learns them: what video shows, beside FER+'s pictures.

An actor's face says little in the clip's first moments: those count as neutral, or as whatever a teacher sees. After
them the target is the acted emotion and what raters saw, in equal parts. A network that only ever saw web pictures
calls most acted anger and sadness neutral; so a teacher of that kind is asked about the first moments alone.
"""

from pathlib import Path

import numpy as np

from ..data import cremad, votes
from ..data.clips import FaceClip, load
from ..emotions import CREMAD_EMOTIONS, EMOTIONS, expand, one_hot
from .loop import Samples

ONSET_S = 0.2
"""Seconds of a clip before anything is shown; as much again is left out, since anything may be on the way."""
FACES = 12
"""Faces of each clip, evenly over the time after the onset."""
ONSET_FACES = 3
SEEN = 0.5
"""Share of the target that is what raters saw: half of it by the picture alone, half with the sound."""


def load_clip_faces(data: Path, actors: frozenset[int]) -> Samples:
    """Faces of the prepared clips of some actors, `DATA/cremad/sequences`.

    Args:
        data: the folder that holds `cremad/`, with the raters' votes in it.
        actors: whose clips.

    Raises:
        DataError: the clips have not been prepared, or the votes are not there.
    """
    clips = [clip for clip in load(cremad.folder(data) / "sequences") if cremad.Clip.parse(clip.name).actor in actors]
    targets = _targets(data, clips)
    parts = [_faces(clip, target) for clip, target in zip(clips, targets, strict=True)]
    images, wanted, taught = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Samples(images, wanted, wanted.argmax(1), taught=taught)


def _targets(data: Path, clips: list[FaceClip]) -> np.ndarray:
    """What each clip shows after its onset, `(n, 8)`."""
    parsed = [cremad.Clip.parse(clip.name) for clip in clips]
    acted = np.array([CREMAD_EMOTIONS.index(clip.label) for clip in clips])
    both = [votes.distribution(votes.votes(data, parsed, channel), acted, SEEN) for channel in ("face", "both")]
    return expand(np.mean(both, axis=0).astype(np.float32), CREMAD_EMOTIONS)


def _faces(clip: FaceClip, target: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces `(k, 48, 48)` of a clip, their targets `(k, 8)` and the teachers' share of each `(k,)`."""
    since = clip.times - clip.times[0]
    onset, after = np.flatnonzero(since < ONSET_S), np.flatnonzero(since >= 2 * ONSET_S)
    early, late = _spread(onset, ONSET_FACES), _spread(after, FACES)
    calm = one_hot(np.full(len(early), EMOTIONS.index("neutral")), len(EMOTIONS))
    wanted = np.concatenate([calm, np.tile(target, (len(late), 1))])
    taught = np.concatenate([np.ones(len(early)), np.zeros(len(late))])
    return clip.faces[np.concatenate([early, late])], wanted, taught.astype(np.float32)


def _spread(rows: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of the rows, evenly."""
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)]
