import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from click.testing import CliRunner, Result  # noqa: E402
from training_samples import clips, faces, write_ferplus, write_packed, write_wavs  # noqa: E402

from emoscope.cli import main  # noqa: E402
from emoscope.data import cremad, ferplus  # noqa: E402
from emoscope.models import Card, Model, registry  # noqa: E402
from emoscope.training import recipes  # noqa: E402
from emoscope.training.evaluate import measure  # noqa: E402
from emoscope.training.export import export  # noqa: E402
from emoscope.training.networks import FaceResNet  # noqa: E402
from emoscope.training.networks_voice import VoiceResNet  # noqa: E402
from emoscope.training.run import _with  # noqa: E402

LAYOUTS = {
    "folders": "face-ferplus",
    "kaggle": "face-ferplus",
    "packed": "voice-cremad",
    "AudioWAV": "voice-cremad",
}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipes as they are, with networks of few channels."""
    small = {
        "face-ferplus": lambda: FaceResNet(widths=(4, 6, 8), blocks=(1, 1, 1)),
        "voice-cremad": lambda: VoiceResNet(stem=4, widths=(6, 8)),
    }
    for name, network in small.items():
        monkeypatch.setitem(recipes.RECIPES, name, replace(recipes.RECIPES[name], network=network))


def write_data(layout: str, data: Path) -> None:
    if LAYOUTS[layout] == "face-ferplus":
        write_ferplus(data, [*faces(40, "train"), *faces(24, "validation")], kaggle=layout == "kaggle")
    elif layout == "packed":
        write_packed(data, "train", clips(24, "train"))
        write_packed(data, "validation", clips(18, "validation"))
    else:
        write_wavs(data, [*clips(12, "train"), *clips(6, "validation")])


def train(recipe: str, data: Path, out: Path, *options: str) -> Result:
    arguments = ["train", recipe, "--data", str(data), "--out", str(out), "--device", "cpu", *options]
    return CliRunner().invoke(main, arguments)


def read(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_recipe_makes_a_model_from_each_layout(layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, out = LAYOUTS[layout], tmp_path / "out"
    write_data(layout, tmp_path)
    result = train(recipe, tmp_path, out, "--epochs", "1")
    assert result.exit_code == 0, result.output
    left = {path.name for path in out.iterdir()}
    model_files = {f"{recipe}.onnx", f"{recipe}.json"}
    report = {"validation.json", "validation.md", "confusion.svg", "curves.svg"}
    kept = {"best.pt", "last.pt", "configuration.json", "history.json"}
    assert left - {"tensorboard"} == kept | report | model_files
    assert (out / "curves.svg").read_text().count("<svg") == 1
    (entry,) = read(out / "history.json")
    assert np.isfinite([entry["train_loss"], entry["validation_loss"]]).all()

    configuration = read(out / "configuration.json")
    assert configuration["recipe"] == recipe
    assert configuration["settings"]["epochs"] == 1
    assert len(configuration["data_sha256"]) == 64

    card = Card.read(out / f"{recipe}.json")
    assert (card.name, card.recipe) == (
        recipe,
        f"emoscope train {recipe} --data DATA --out OUT --epochs 1 --device cpu",
    )
    assert card.labels == recipes.RECIPES[recipe].labels
    assert card.temperature > 0
    assert card.limits
    assert card.not_for
    for metrics in card.metrics:
        protocol = metrics["protocol"]
        assert metrics["command"].endswith(f"--split validation --protocol {protocol}")
        again = measure(Model(out / f"{recipe}.onnx"), tmp_path, "validation", protocol)
        assert {key: again[key] for key in ("n", "accuracy", "uar", "ece")} == pytest.approx(
            {key: metrics[key] for key in ("n", "accuracy", "uar", "ece")}
        )

    monkeypatch.setattr(registry, "WEIGHTS", out)
    command = ["evaluate", recipe, "--data", str(tmp_path), "--split", "validation", "--json"]
    shown = CliRunner().invoke(main, command)
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["accuracy"] == pytest.approx(card.metrics[0]["accuracy"])


def test_an_interrupted_run_goes_on_and_ends_with_the_same_model(tmp_path: Path) -> None:
    write_data("folders", tmp_path)
    assert train("face-ferplus", tmp_path, tmp_path / "whole", "--epochs", "2").exit_code == 0
    with pytest.MonkeyPatch.context() as patch:
        from emoscope.training.loop import Trainer

        step, calls = Trainer._step, []

        def stops(self: Trainer, index: np.ndarray) -> float:
            calls.append(index)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return step(self, index)

        patch.setattr(Trainer, "_step", stops)
        result = train("face-ferplus", tmp_path, tmp_path / "cut", "--epochs", "2")
        assert result.exit_code == 1
    assert train("face-ferplus", tmp_path, tmp_path / "cut", "--epochs", "2", "--resume").exit_code == 0
    assert read(tmp_path / "cut" / "history.json") == read(tmp_path / "whole" / "history.json")
    first, second = (Model(tmp_path / name / "face-ferplus.onnx") for name in ("cut", "whole"))
    inputs = np.random.default_rng(0).random((4, 1, 48, 48))
    np.testing.assert_array_equal(first.logits(inputs), second.logits(inputs))
    assert first.card == second.card


def test_the_seed_is_the_recipes_unless_another_is_given(tmp_path: Path) -> None:
    write_data("folders", tmp_path)
    losses = []
    for out, options in (("a", ()), ("b", ()), ("c", ("--seed", "3"))):
        assert train("face-ferplus", tmp_path, tmp_path / out, "--epochs", "1", *options).exit_code == 0
        losses.append(read(tmp_path / out / "history.json")[0]["train_loss"])
    assert losses[0] == losses[1] != losses[2]
    assert read(tmp_path / "c" / "configuration.json")["settings"]["seed"] == 3


def test_a_training_goes_on_from_an_earlier_ones_weights(tmp_path: Path) -> None:
    write_data("folders", tmp_path)
    assert train("face-ferplus", tmp_path, tmp_path / "first", "--epochs", "1").exit_code == 0
    start = str(tmp_path / "first")
    again = ("--epochs", "1", "--start", start, "--seed", "5")
    assert train("face-ferplus", tmp_path, tmp_path / "second", *again).exit_code == 0
    assert read(tmp_path / "second" / "configuration.json")["start"] == "first"
    made_by = [Card.read(tmp_path / out / "face-ferplus.json").recipe for out in ("first", "second")]
    command = "emoscope train face-ferplus --data DATA --out OUT"
    assert made_by == [
        f"{command} --epochs 1 --device cpu",
        f"{command} --start RUNS/first --seed 5 --epochs 1 --device cpu",
    ]
    losses = [read(tmp_path / out / "history.json")[0]["validation_loss"] for out in ("first", "second")]
    assert losses[0] != losses[1]
    refused = train("face-ferplus", tmp_path, tmp_path / "third", "--epochs", "1", "--start", str(tmp_path))
    assert refused.exit_code == 2
    assert "no such trained network" in refused.output


def test_a_face_network_learns_from_a_teacher(tmp_path: Path) -> None:
    write_data("folders", tmp_path)
    assert train("face-ferplus", tmp_path, tmp_path / "first", "--epochs", "1").exit_code == 0
    teacher = str(tmp_path / "first" / "face-ferplus.onnx")
    assert train("face-ferplus", tmp_path, tmp_path / "second", "--epochs", "1", "--teacher", teacher).exit_code == 0
    assert read(tmp_path / "second" / "configuration.json")["teachers"] == ["first/face-ferplus.onnx"]
    losses = [read(tmp_path / out / "history.json")[0]["train_loss"] for out in ("first", "second")]
    assert losses[0] != losses[1]


@pytest.mark.parametrize("name", recipes.RECIPES)
@pytest.mark.parametrize("epochs", [1, 3, 4, 16, 100])
def test_another_number_of_epochs_is_that_of_all(name: str, epochs: int) -> None:
    usual = recipes.RECIPES[name].settings
    found = _with(recipes.RECIPES[name], epochs, None).settings
    assert found.passes == epochs
    assert found.epochs >= 1
    assert found.finish / epochs == pytest.approx(usual.finish / usual.passes, abs=1 / epochs)
    assert _with(recipes.RECIPES[name], None, None).settings == usual
    assert _with(recipes.RECIPES[name], usual.passes, None).settings == usual


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("face-other", "no recipe is named 'face-other'; there are face-ferplus, "),
        ("face-ferplus", "no FER+ labels at"),
        ("voice-cremad", "no CREMA-D in"),
    ],
)
def test_what_cannot_be_trained_is_said_in_one_line(recipe: str, message: str, tmp_path: Path) -> None:
    result = train(recipe, tmp_path, tmp_path / "out")
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_resuming_with_the_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    write_data("folders", tmp_path)
    write_data("packed", tmp_path)
    assert train("face-ferplus", tmp_path, tmp_path / "out", "--epochs", "1").exit_code == 0
    result = train("voice-cremad", tmp_path, tmp_path / "out", "--epochs", "1", "--resume")
    assert result.exit_code == 2
    assert "is no checkpoint of this run" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_fingerprint_changes_with_the_data() -> None:
    samples = recipes.Samples(np.zeros((2, 3), np.uint8), np.eye(2, dtype=np.float32), np.arange(2))
    other = replace(samples, inputs=samples.inputs + np.uint8(1))
    assert recipes.fingerprint(samples) == recipes.fingerprint(replace(samples))
    assert len({recipes.fingerprint(s) for s in (samples, other, replace(samples, labels=samples.labels[::-1]))}) == 3


def test_the_face_recipe_learns_vote_distributions_and_is_judged_by_majority(tmp_path: Path) -> None:
    rows = faces(16, "train")
    unclear = [5, 0, 0, 0, 0, 5, 0, 0, 0, 0]
    unseen = [0, 0, 0, 0, 0, 0, 0, 0, 10, 0]
    rows[2] = (*rows[2][:3], unclear)
    rows[3] = (*rows[3][:3], unseen)
    write_ferplus(tmp_path, [*rows, *faces(8, "validation")])
    samples, validation = recipes.RECIPES["face-ferplus"].load(tmp_path)
    assert len(samples.inputs) == 15
    np.testing.assert_allclose(samples.targets[2], [0.5, 0, 0, 0, 0, 0.5, 0, 0])
    assert samples.labels[2] == -1
    np.testing.assert_allclose(samples.targets[0], [0.8, 0.2, 0, 0, 0, 0, 0, 0])
    assert validation.labels.tolist() == list(range(8))


def untrained(folder: Path) -> Model:
    recipe = recipes.RECIPES["face-ferplus"]
    card = Card("tiny", "face", "", recipe.labels, recipe.input, 0, 1.0, {}, (), "Apache-2.0", (), (), "none")
    export(recipe.network(), torch.rand(2, 1, 48, 48), card, folder / "tiny.onnx")
    return Model(folder / "tiny.onnx")


def test_measure_refuses_what_there_is_not(tmp_path: Path) -> None:
    write_data("folders", tmp_path)
    model = untrained(tmp_path)
    for split, protocol, message in (
        ("validation", "tfds", "no protocol 'tfds' for face models; there are majority, plurality"),
        ("dev", "majority", "no split 'dev'; there are train, validation and test"),
        ("test", "majority", "no FER\\+ faces for the test split"),
    ):
        with pytest.raises(recipes.EmoscopeError, match=message):
            measure(model, tmp_path, split, protocol)


def test_a_split_of_which_the_protocol_keeps_nothing_is_refused(tmp_path: Path) -> None:
    nobody = [(usage, name, image, [0] * 9 + [10]) for usage, name, image, _ in faces(3, "test")]
    write_ferplus(tmp_path, nobody)
    with pytest.raises(recipes.EmoscopeError, match="the test split holds nothing that counts under majority"):
        measure(untrained(tmp_path), tmp_path, "test", "majority")


def test_each_shipped_recipe_is_measured_as_it_was_trained() -> None:
    from emoscope.models.registry import DEFAULTS
    from emoscope.training.evaluate import READERS

    for modality, name in DEFAULTS.items():
        assert next(iter(READERS[modality])) == recipes.RECIPES[name].protocol
    assert set(READERS["face"]) == {*ferplus.PROTOCOLS, "five", "seven", "folders"}
    assert set(cremad.SPLITS) == set(ferplus.USAGE)
