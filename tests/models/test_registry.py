import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from emoscope.calibration import probabilities
from emoscope.errors import ModelError
from emoscope.models import DEFAULTS, Card, Model, card, load, names, registry, summaries

FIELDS: dict[str, Any] = {
    "name": "tiny",
    "modality": "face",
    "description": "a network for tests",
    "labels": ["fear", "neutral", "anger"],
    "input": {"shape": ["n", 3]},
    "parameters": 0,
    "temperature": 2.0,
    "data": {},
    "metrics": [{"protocol": "majority", "accuracy": 0.5}],
    "licence": "Apache-2.0",
    "limits": ["none"],
    "not_for": ["anything"],
    "recipe": "none",
}


def write_model(folder: Path, name: str = "tiny", outputs: int = 3, **changed: Any) -> Path:
    """A network that gives back its three inputs as logits, with its card."""
    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", outputs]) for n in ("inputs", "logits")]
    graph = helper.make_graph([helper.make_node("Identity", ["inputs"], ["logits"])], "tiny", value[:1], value[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / f"{name}.onnx")
    (folder / f"{name}.json").write_text(json.dumps({**FIELDS, "name": name, **changed}))
    return folder / f"{name}.onnx"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the shipped weights."""
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path)
    monkeypatch.setenv("EMOSCOPE_MODELS", str(tmp_path / "none"))
    return tmp_path


def one_line(error: pytest.ExceptionInfo[ModelError]) -> bool:
    return len(str(error.value).splitlines()) == 1


def test_scores_are_calibrated_probabilities_of_the_models_own_labels(tmp_path: Path) -> None:
    logits = np.array([[1.0, 2.0, 5.0], [0.0, 0.0, 0.0]])
    scores = Model(write_model(tmp_path)).scores(logits)
    expected = np.exp(logits / 2) / np.exp(logits / 2).sum(1, keepdims=True)
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_probabilities_of_large_numbers_are_finite() -> None:
    np.testing.assert_allclose(probabilities(np.array([[1e4, 0.0, -1e4]])), [[1, 0, 0]])
    half = probabilities(np.array([[9, 8, 7]], np.float16))
    assert half.dtype == np.float32
    np.testing.assert_allclose(half.sum(), 1, rtol=1e-6)


def test_a_card_is_read_as_it_was_written(tmp_path: Path) -> None:
    first = Card.read(write_model(tmp_path).with_suffix(".json"))
    first.write(tmp_path / "again.json")
    assert Card.read(tmp_path / "again.json") == first


@pytest.mark.parametrize("field", FIELDS)
def test_a_card_without_a_field_is_refused(field: str, tmp_path: Path) -> None:
    values = {key: value for key, value in FIELDS.items() if key != field}
    (tmp_path / "tiny.json").write_text(json.dumps(values))
    with pytest.raises(ModelError, match=rf"is not a model card: KeyError\('{field}'\)") as error:
        Card.read(tmp_path / "tiny.json")
    assert one_line(error)


@pytest.mark.parametrize(
    "changed",
    [
        {"labels": 3},
        {"labels": []},
        {"labels": ["joy", "joy"]},
        {"labels": ["joy", ""]},
        {"limits": None},
        {"temperature": 0},
        {"temperature": -1.5},
        {"temperature": "warm"},
        {"temperature": None},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
    ],
)
def test_a_card_of_no_possible_model_is_refused(changed: dict[str, Any], tmp_path: Path) -> None:
    path = write_model(tmp_path, **changed)
    with pytest.raises(ModelError, match="is not a model card") as error:
        Model(path)
    assert one_line(error)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b'"x"', b"\xff\xfe\x00", b'{"name": "a"\n\n}'])
def test_a_damaged_card_is_refused(content: bytes, tmp_path: Path) -> None:
    path = write_model(tmp_path)
    path.with_suffix(".json").write_bytes(content)
    with pytest.raises(ModelError, match="is not a model card") as error:
        Model(path)
    assert one_line(error)


def test_a_missing_card_is_named(tmp_path: Path) -> None:
    path = write_model(tmp_path)
    path.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match=r"no model card at .*tiny\.json"):
        Model(path)


@pytest.mark.parametrize("damage", ["empty", "cut", "text"])
def test_damaged_weights_are_refused(damage: str, tmp_path: Path) -> None:
    path = write_model(tmp_path)
    whole = path.read_bytes()
    path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "text": b"version https://git-lfs\n" * 9}[damage])
    with pytest.raises(ModelError, match=r"tiny\.onnx does not load as an ONNX model") as error:
        Model(path).logits(np.zeros((1, 3)))
    assert one_line(error)


def test_weights_of_another_card_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not match its card: expected 3 outputs") as error:
        Model(write_model(tmp_path, outputs=4)).logits(np.zeros((1, 4)))
    assert one_line(error)


def test_models_are_found_by_name_and_by_modality(shelf: Path) -> None:
    write_model(shelf, DEFAULTS["face"])
    write_model(shelf, "other")
    assert names() == sorted([DEFAULTS["face"], "other"])
    assert load("other").card.name == card("other").name == "other"
    assert load("face").card.name == DEFAULTS["face"]


@pytest.mark.parametrize("name", ["nobody", "", "voice"])
def test_an_unknown_name_says_which_there_are(name: str, shelf: Path) -> None:
    write_model(shelf)
    with pytest.raises(ModelError, match=r"no model is named .*; there are tiny") as error:
        load(name)
    assert one_line(error)


@pytest.mark.parametrize("path", ["../tiny", "nobody.onnx", "/nowhere/nobody.onnx"])
def test_a_path_that_leads_nowhere_says_so(path: str, shelf: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no such model; expected an \.onnx file with its card") as error:
        load(path)
    assert one_line(error)


def test_a_model_may_be_a_path_or_a_model(tmp_path: Path) -> None:
    path = write_model(tmp_path)
    model = load(path, "face")
    assert load(str(path)) is model  # loaded once
    assert load(model) is model
    assert card(path) == model.card
    with pytest.raises(ModelError, match="tiny is a face model; expected a voice model"):
        load(model, "voice")


def test_a_model_that_has_changed_is_loaded_anew(tmp_path: Path) -> None:
    path = write_model(tmp_path)
    first = load(path)
    os.utime(path, (1, 1))
    assert load(path) is not first


def test_the_users_folder_and_other_packages_bring_models(
    shelf: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, others = tmp_path_factory.mktemp("own"), tmp_path_factory.mktemp("others")
    write_model(own, "mine")
    write_model(others, "theirs")
    monkeypatch.setenv("EMOSCOPE_MODELS", str(own))
    point = SimpleNamespace(load=lambda: others)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == "emoscope.models" else [])
    assert names() == ["mine", "theirs"]
    assert load("mine").card.name == "mine"
    assert [row["path"] for row in summaries()] == [str(own / "mine.onnx"), str(others / "theirs.onnx")]


def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    with pytest.raises(ModelError, match="has no CUDA; install onnxruntime-gpu, or use --device cpu"):
        load(write_model(tmp_path), device="cuda").logits(np.zeros((1, 3)))


def test_an_empty_shelf_says_so(shelf: Path) -> None:
    assert summaries() == []
    with pytest.raises(ModelError, match="there are none"):
        card("face")


def test_a_summary_has_the_fields_of_the_contract(shelf: Path) -> None:
    path = write_model(shelf)
    (row,) = summaries()
    assert list(row) == ["name", "modality", "labels", "parameters", "bytes", "metrics", "licence", "path"]
    assert row["bytes"] == path.stat().st_size
    json.dumps(row)


def test_a_card_that_has_changed_is_read_anew(tmp_path: Path) -> None:
    path = write_model(tmp_path)
    first = load(path)
    replace(first.card, temperature=3.0).write(path.with_suffix(".json"))
    os.utime(path.with_suffix(".json"), (1, 1))
    assert load(path).card.temperature == 3.0


def test_threads_share_one_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_model(tmp_path)
    read = Card.read.__func__  # type: ignore[attr-defined]

    def slow(cls: type[Card], path: Path) -> Card:
        sleep(0.05)
        return read(cls, path)

    monkeypatch.setattr(Card, "read", classmethod(slow))
    with ThreadPoolExecutor(4) as pool:
        assert len({id(model) for model in pool.map(load, [path] * 8)}) == 1


def test_another_packages_models_that_do_not_load_are_named(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Path:
        raise ImportError("nothing there")

    point = SimpleNamespace(load=broken, value="theirs:models")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    with pytest.raises(
        ModelError, match=r"the models of the package theirs:models do not load: nothing there"
    ) as error:
        names()
    assert one_line(error)
