"""Models of one's own, whatever they take and say, run end to end."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from places import EXAMPLE

import emoscope
from emoscope import Session
from emoscope.errors import ModelError
from emoscope.face.classify import planes
from emoscope.models import FaceInput, Model, VoiceInput, load
from emoscope.voice.features import window_input

onnx = pytest.importorskip("onnx", reason="makes networks")

CARD: dict[str, Any] = {
    "name": "own", "description": "for tests", "parameters": 1, "temperature": 1.0, "data": {}, "metrics": [],
    "licence": "none", "limits": [], "not_for": [], "recipe": "none",
}  # fmt: skip


def write(folder: Path, modality: str, labels: list[str], given: dict[str, Any], features: int) -> Path:
    """A network that multiplies what it is given, flat, with a matrix."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(0).normal(0, 1 / features, (features, len(labels))).astype(np.float32)
    nodes = [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["logits"])]
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, given["shape"]),
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(labels)]),
    ]
    graph = helper.make_graph(nodes, "own", ends[:1], ends[1:], [numpy_helper.from_array(weights, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    path = folder / "own.onnx"
    onnx.save(model, path)
    path.with_suffix(".json").write_text(json.dumps({**CARD, "modality": modality, "labels": labels, "input": given}))
    return path


def test_a_face_model_on_large_faces_in_colour(tmp_path: Path) -> None:
    given = {
        "shape": ["n", 3, 112, 112], "range": [0, 1], "margin": 1.2,
        "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
    }  # fmt: skip
    path = write(tmp_path, "face", ["happiness", "bored"], given, 3 * 112 * 112)
    timeline = emoscope.analyze(EXAMPLE, face_model=path)
    assert timeline.labels == (*emoscope.EMOTIONS, "bored")
    faces = timeline.select("face")
    assert len(faces) > 200
    np.testing.assert_allclose(faces.scores.sum(1), 1)
    assert (faces.scores[:, timeline.labels.index("bored")] > 0).all()
    assert not faces.scores[:, timeline.labels.index("anger")].any()


def test_a_face_is_made_as_the_card_says() -> None:
    given = {"shape": ["n", 3, 8, 8], "range": [-1, 1], "mean": [0.5, 0, 0], "std": [1, 2, 1]}
    black, white = (np.full((1, 8, 8, 3), value, np.uint8) for value in (0, 255))
    wanted = FaceInput.from_card("own", given)
    assert planes(black, wanted)[0, :, 0, 0].tolist() == [-1.5, -0.5, -1]
    assert planes(white, wanted)[0, :, 0, 0].tolist() == [0.5, 0.5, 1]


def test_a_voice_model_on_other_log_mels(speech: np.ndarray, tmp_path: Path) -> None:
    given = {"shape": ["n", 201, 40], "sample_rate": 8000, "window_s": 2.0, "n_fft": 256, "hop": 80, "mels": 40,
             "floor_db": -60}  # fmt: skip
    model = Model(write(tmp_path, "voice", ["calm", "bored"], given, 201 * 40))
    session = Session(faces=False, voice_model=model)
    assert session.add_sound(speech, 0.0) + session.close()
    tone = np.sin(2 * np.pi * 3000 * np.arange(16_000) / 16_000).astype(np.float32)
    picture = window_input(tone, VoiceInput.from_card("own", given))
    assert picture.shape == (201, 40)
    assert 30 < picture[50].argmax() < 38  # 3 of 4 kHz, on a scale that narrows towards the top


@pytest.mark.parametrize(("rate", "window_s"), [(16_000, 2.0), (8000, 3.0)])
def test_a_voice_model_on_samples_with_labels_of_its_own(
    rate: int, window_s: float, speech: np.ndarray, tmp_path: Path
) -> None:
    labels, samples = ["calm", "bored", "delighted"], round(rate * window_s)
    given = {"shape": ["n", samples], "features": "samples", "sample_rate": rate, "window_s": window_s}
    model = Model(write(tmp_path, "voice", labels, given, samples))
    session = Session(faces=False, voice_model=model)
    rows = session.add_sound(speech, 0.0) + session.close()
    assert session.labels == tuple(labels)
    assert {o.source for o in rows} == {"voice", "fused"}
    assert all(len(o.scores) == 3 and o.emotion in labels for o in rows)


def test_own_labels_go_through_tables_page_and_overlay(tmp_path: Path) -> None:
    from emoscope.outputs import write_pictures, write_tables

    given = {"shape": ["n", 1, 48, 48], "range": [0, 1]}
    path = write(tmp_path, "face", ["calm & <b>", "bored"], given, 48 * 48)
    timeline = emoscope.analyze(EXAMPLE, face_model=path)
    write_tables(timeline, tmp_path)
    write_pictures(timeline, EXAMPLE, tmp_path, lambda done, total: None, [load(path).card])
    assert emoscope.Timeline.read(tmp_path / "timeline.csv").labels == timeline.labels
    assert "calm &amp; &lt;b&gt;" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    "given",
    [{}, {"shape": ["n", 2, 48, 48], "range": [0, 1]}, {"shape": ["n", 1, 48, 40], "range": [0, 1]},
     {"shape": ["n", 1, 48, 48], "range": [1, 0]}, {"shape": ["n", 3, 48, 48], "range": [0, 1], "mean": [0.5]},
     {"shape": ["n", 1, 48, 48], "range": [0, 1], "std": [0]},
     {"shape": ["n", 1, 48, 48], "range": [0, 1], "template": [[1, 2]]}],
)  # fmt: skip
def test_a_card_that_does_not_say_how_faces_are_made_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="the card of own does not say how its faces are made"):
        FaceInput.from_card("own", given)


@pytest.mark.parametrize(
    "given",
    [{"features": "chroma"}, {"hop": 0}, {"window_s": 0}, {"sample_rate": "many"}, {"mels": 600}, {"floor_db": 1}],
)
def test_a_card_that_does_not_say_how_windows_are_made_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="the card of own does not say how its windows are made"):
        VoiceInput.from_card("own", given)
