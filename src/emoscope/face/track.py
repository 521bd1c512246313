"""Tracking: who is who from frame to frame.

Faces are detected anew only now and then; otherwise O-Net alone follows each face from where it should be. While nobody
gets lost, a frame is searched for newcomers after its persons have been told, so that nobody waits for it. Faces and
persons are matched by place (overlap with the box that a constant velocity predicts) and by looks (correlation of the
upright crops), so that a number survives missed frames and crossings.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..timeline import Box
from .crop import crop_faces
from .detect import Detector, Faces
from .upright import UprightDetector

SEEN_TO_COUNT = 5
"""Frames in which a new face must be seen before it is a person, unless nobody was seen before in this shot: time to
see whether it is somebody known who comes back, and one frame is no face."""
SEEN_S = 0.5
"""Seconds that do as well, however few frames they are: a slide is one."""
EVEN = 2.0
"""Deviation of the grey values of a picture in which there is nothing to see, as a black start."""
NEAR = 0.2
"""Overlap (intersection over union) with the predicted box above which place alone may match."""
ALIKE = 0.8
"""Correlation of crops above which looks may match a face that is not where it should be. Most
crops of one person are more alike than that, few of two (`results/faces/`)."""
STEPS = 1.5
"""Widths of its box that a face may have moved, and once more for each second out of sight."""
COAST_S = 1.5
"""Seconds for which a velocity is believed."""
SETTLE_S = 0.3
"""Seconds over which a velocity is averaged."""
CROWDED = 0.05
"""Overlap of a person's predicted box with another's above which one may hide the other."""


@dataclass(frozen=True, slots=True)
class Track:
    """A person in a frame.

    Attributes:
        person: number, from 1 in order of appearance; none is used twice.
        box: `(x, y, width, height)` in pixels of the frame.
        landmarks: `(5, 2)` float32, as `detect.Faces` has them.
        score: the probability that it is a face.
        crop: grey uint8 `(48, 48)`, as `crop.crop_faces` makes it.
    """

    person: int
    box: Box
    landmarks: np.ndarray
    score: float
    crop: np.ndarray


@dataclass(slots=True)
class _Person:
    """What is remembered of somebody; `number` is 0 until they have been seen often enough."""

    box: np.ndarray
    time: float
    looks: np.ndarray
    since: float
    until: float
    seen: int = 1
    number: int = 0
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))

    @property
    def counts(self) -> bool:
        """Whether they have been seen often enough to get a number."""
        return self.seen >= SEEN_TO_COUNT or self.until - self.since >= SEEN_S

    def predicted(self, time: float) -> np.ndarray:
        """The box `(4,)` at `time` seconds."""
        box = self.box.copy()
        box[:2] += self.velocity * min(time - self.time, COAST_S)
        return box

    def move(self, box: np.ndarray, time: float, looks: np.ndarray, crowded: bool, lasting: float) -> None:
        """Take the face of a frame that lasts so long.

        Where another is in front of it or behind it, its looks and speed mean little.
        """
        elapsed = time - self.time
        if elapsed > 0 and not crowded:
            speed = (_centre(box) - _centre(self.box)) / elapsed
            self.velocity += min(1.0, elapsed / SETTLE_S) * (speed - self.velocity)
            self.looks = 0.95 * self.looks + 0.05 * looks
        self.box, self.time, self.seen = box, time, self.seen + 1
        self.until = time + lasting


class Tracker:
    """Finds the persons of one stream, frame by frame.

    Args:
        detector: finds and follows faces.
        detect_every: seconds between two detections; a face that gets lost brings one forward.
        max_gap: seconds of frames without them after which a person is forgotten and gets a new number. For the first
            1.5 s a person is found again by place or by looks, then by looks alone.
    """

    def __init__(self, detector: Detector | UprightDetector, detect_every: float = 0.5, max_gap: float = 5.0) -> None:
        self.detector = detector
        self.detect_every = detect_every
        self.max_gap = max_gap
        self._people: list[_Person] = []
        self._last = -np.inf
        self._detected = -np.inf
        self._count = 0
        self._lasting = 0.0
        self._fresh = True
        self._unsearched: np.ndarray | None = None

    def update(self, image: np.ndarray, time: float, duration: float = 0.0) -> list[Track]:
        """The persons in the next frame, by number.

        Args:
            image: RGB uint8 `(height, width, 3)`.
            time: seconds; not before the last frame's.
            duration: seconds for which it is shown; 0 where that is not known: as long as the one before.

        Raises:
            ValueError: the image has another shape or type.
        """
        self.search()
        self._people = [p for p in self._people if p.time == self._last or time - p.time <= self.max_gap]
        self._lasting = duration or (time - self._last if self._last > -np.inf else 0.0)
        tracks = self._meet(image, self._look(image, time), time)
        self._last = time
        return tracks

    def search(self) -> None:
        """Search the last frame for newcomers, if it is time: `update` does it otherwise, before the next frame.

        Whoever has time between two frames calls it there; what comes out is the same.
        """
        image, self._unsearched = self._unsearched, None
        if image is not None:
            self._detected = self._last
            self._meet(image, self.detector.detect(image), self._last)

    def cut(self) -> None:
        """Another shot begins with the next frame: whoever is in it is somebody new, and counts at once."""
        self.search()
        self._people, self._detected, self._fresh = [], -np.inf, True

    def resize(self, detector: Any, width: float, height: float) -> None:
        """The frames become wider and higher by these factors: search the next one with another detector."""
        self.search()
        self.detector = detector
        for person in self._people:
            person.box = person.box * [width, height, width, height]
            person.velocity = person.velocity * [width, height]
        self._last, self._detected = np.nextafter(self._last, -np.inf), -np.inf

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here, as numbers and arrays; the last frame has been searched."""
        people = [asdict(person) for person in self._people]
        facts = {"last": self._last, "detected": self._detected, "count": self._count, "fresh": self._fresh}
        return {"people": people, **facts}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._people = [_Person(**person) for person in state["people"]]
        self._last, self._detected = state["last"], state["detected"]
        self._count, self._fresh = state["count"], state["fresh"]

    def _meet(self, image: np.ndarray, faces: Faces, time: float) -> list[Track]:
        """Find out whose the faces of a frame are; returns the persons among them, by number."""
        first = self._fresh and not self._people
        self._fresh &= not len(faces)
        crops = crop_faces(image, faces.landmarks)
        looks = _standardised(crops)
        owners = self._match(faces.boxes, looks, time)
        for face, owner in enumerate(owners):
            box = faces.boxes[face].astype(np.float64)
            if owner is None:
                newcomer = _Person(
                    box, time, looks[face], time, time + self._lasting, seen=SEEN_TO_COUNT if first else 1
                )
                self._people.append(newcomer)
                owners[face] = newcomer
            else:
                owner.move(box, time, looks[face], self._crowded(owner, time), self._lasting)
        # A face that did not become a person by its second frame was no face.
        self._people = [p for p in self._people if p.number or p.time == time]
        tracks = [self._track(owner, faces, face, crops[face]) for face, owner in enumerate(owners) if owner]
        return sorted((t for t in tracks if t.person), key=lambda t: t.person)

    def _look(self, image: np.ndarray, time: float) -> Faces:
        """Follow the faces of the frame before, or detect: as soon as one of them is lost, or nobody is in sight."""
        here = [p for p in self._people if p.time == self._last]
        if here and time - self._last < self.detect_every:
            faces, _ = self.detector.refine(image, np.array([p.predicted(time) for p in here]))
            if len(faces) == len(here):
                if time - self._detected >= self.detect_every:
                    self._unsearched = image
                return faces
        elif not here and time - self._detected < self.detect_every / 3:
            return Faces.empty()  # nobody in sight: look for them oftener, but not in every frame
        if image.size and image.shape[2:] == (3,) and image.dtype == np.uint8 and image[::16, ::16].std() < EVEN:
            return Faces.empty()  # others are refused by the detector
        self._detected = time
        return self.detector.detect(image)

    def _match(self, boxes: np.ndarray, looks: np.ndarray, time: float) -> "list[_Person | None]":
        """For each face the person that it is, or `None`: who has a number goes first, then the best pairs."""
        owners: list[_Person | None] = [None] * len(boxes)
        pairs = [
            (fit, face, person)
            for person in self._people
            for face in range(len(boxes))
            if (fit := _fit(person, boxes[face], looks[face], time)) > 0
        ]
        taken: set[int] = set()
        for _, face, person in sorted(pairs, key=lambda pair: (pair[2].number == 0, -pair[0])):
            if owners[face] is None and id(person) not in taken:
                owners[face] = person
                taken.add(id(person))
        return owners

    def _crowded(self, person: _Person, time: float) -> bool:
        box = person.predicted(time)
        return any(_overlap(box, p.predicted(time)) > CROWDED for p in self._people if p is not person)

    def _track(self, person: _Person, faces: Faces, face: int, crop: np.ndarray) -> Track:
        if not person.number and person.counts:
            self._count += 1
            person.number = self._count
        x, y, width, height = faces.boxes[face].tolist()
        return Track(person.number, (x, y, width, height), faces.landmarks[face], float(faces.scores[face]), crop)


def _fit(person: _Person, box: np.ndarray, looks: np.ndarray, time: float) -> float:
    """How well a face fits a person, 0 where it cannot be them."""
    overlap = _overlap(person.predicted(time), box)
    alike = float((person.looks * looks).mean())
    reach = STEPS * person.box[2] * (1 + time - person.time)
    within = np.hypot(*(_centre(box) - _centre(person.box))) < reach
    near = overlap > NEAR and time - person.time <= COAST_S
    if near or (alike > ALIKE and within):
        return overlap + max(0.0, alike)
    return 0.0


def _standardised(crops: np.ndarray) -> np.ndarray:
    """The crops `(n, 48, 48)` with mean 0 and deviation 1: the mean product of two is their correlation."""
    grey = crops.astype(np.float32)
    grey -= grey.mean((1, 2), keepdims=True)
    return grey / (grey.std((1, 2), keepdims=True) + 1e-3)


def _centre(box: np.ndarray) -> np.ndarray:
    return box[:2] + box[2:] / 2


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    sides = np.minimum(a[:2] + a[2:], b[:2] + b[2:]) - np.maximum(a[:2], b[:2])
    common = float(np.maximum(sides, 0).prod())
    union = float(a[2:].prod() + b[2:].prod()) - common
    return common / union if union > 0 else 0.0
