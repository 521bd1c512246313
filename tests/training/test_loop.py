import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from emoscope.errors import EmoscopeError  # noqa: E402
from emoscope.training import loop  # noqa: E402
from emoscope.training.loop import FINISH_RATE, Augment, Samples, Settings, Trainer  # noqa: E402

SETTINGS = Settings(epochs=4, finish=2, batch=16, rate=1e-2, average=0.9)


def samples(count: int, seed: int) -> Samples:
    """4x4 pictures of three classes: the row that is bright; one in ten has no label."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    inputs = random.integers(0, 100, (count, 4, 4)).astype(np.uint8)
    inputs[np.arange(count), labels] += 120
    return Samples(inputs, np.eye(3, dtype=np.float32)[labels], np.where(np.arange(count) % 10 == 9, -1, labels))


TRAIN, VALIDATION = samples(100, 0), samples(60, 1)


def noisy(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    return inputs + 0.1 * torch.randn_like(inputs), targets


def trainer(
    out: Path,
    settings: Settings = SETTINGS,
    validation: Samples = VALIDATION,
    augment: Augment = noisy,
    gentle: Augment = noisy,
) -> Trainer:
    torch.manual_seed(settings.seed)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, 3)
    )
    return Trainer(network, TRAIN, validation, settings, lambda batch: batch.unsqueeze(1), augment, gentle, out)


def weights(run: Trainer) -> dict[str, Tensor]:
    return {**run.best().state_dict(), **{f"last {k}": v for k, v in run.network.state_dict().items()}}


class Interruption(Exception):
    pass


class StopsAfter:
    """An augmentation that is interrupted at one of its calls."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        self.left -= 1
        if self.left < 0:
            raise Interruption
        return noisy(inputs, targets)


def test_it_learns_and_writes_what_it_did(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    history = run.run()
    assert [entry["epoch"] for entry in history] == [1, 2, 3, 4, 5, 6]
    assert history[-1]["train_loss"] < 0.5 * history[0]["train_loss"]
    assert history[-1]["validation_accuracy"] > 0.9
    assert json.loads((tmp_path / "history.json").read_text()) == history
    left = {path.name for path in tmp_path.iterdir()}
    assert left - {"tensorboard"} == {"best.pt", "history.json", "last.pt"}


def test_the_best_epoch_is_the_one_that_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trainer(tmp_path)
    accuracies = iter([0.5, 0.9, 0.7, 0.9, 0.3, 0.2])
    weights: list[dict[str, Tensor]] = []

    def metrics(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        weights.append(deepcopy(run.averaged.module.state_dict()))
        return {"accuracy": next(accuracies), "uar": 0.5}

    monkeypatch.setattr(loop, "score", metrics)
    run.run()
    best = run.best().state_dict()
    assert all(torch.equal(best[name], weights[3][name]) for name in best)


def test_the_kept_network_is_as_accurate_as_the_history_says(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    history = run.run()
    kept = VALIDATION.labels >= 0
    predicted = run.logits(run.best(), VALIDATION.inputs[kept]).argmax(1)
    assert (predicted == VALIDATION.labels[kept]).mean() == max(entry["validation_accuracy"] for entry in history)


def test_faces_without_a_label_do_not_count(tmp_path: Path) -> None:
    wrong = np.where(VALIDATION.labels >= 0, VALIDATION.labels, 0)
    dropped = trainer(tmp_path / "a").run()
    counted = trainer(tmp_path / "b", validation=Samples(VALIDATION.inputs, VALIDATION.targets, wrong)).run()
    assert dropped[-1]["validation_accuracy"] > counted[-1]["validation_accuracy"]
    assert dropped[-1]["train_loss"] == counted[-1]["train_loss"]


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tmp_path: Path) -> None:
    first, second = trainer(tmp_path / "a"), trainer(tmp_path / "b")
    assert first.run() == second.run()
    other = trainer(tmp_path / "c", Settings(**{**vars(SETTINGS), "seed": 7}))
    assert other.run() != first.history


@pytest.mark.parametrize("steps", [3, 7, 20, 41])
def test_an_interrupted_run_goes_on_to_the_same_end(steps: int, tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole")
    whole.run()
    stops = StopsAfter(steps)
    with pytest.raises(Interruption):
        trainer(tmp_path / "cut", augment=stops, gentle=stops).run()
    assert not list((tmp_path / "cut").glob("*.partial"))
    again = trainer(tmp_path / "cut")
    again.run(resume=True)
    assert again.history == whole.history
    expected, found = weights(whole), weights(again)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_an_interruption_while_saving_leaves_the_checkpoints_whole(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trainer(tmp_path / "whole")
    whole.run()
    save, calls = torch.save, []

    def half(state: object, path: Path) -> None:
        calls.append(path)
        save(state, path)
        if len(calls) == at:
            Path(path).write_bytes(Path(path).read_bytes()[:100])
            raise Interruption

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(Interruption):
        trainer(tmp_path / "cut").run()
    monkeypatch.undo()
    for path in (tmp_path / "cut").glob("*.pt"):
        assert torch.load(path)
    again = trainer(tmp_path / "cut")
    assert again.run(resume=True) == whole.history


def test_resuming_a_finished_run_does_nothing_more(tmp_path: Path) -> None:
    history = trainer(tmp_path).run()
    before = (tmp_path / "last.pt").stat().st_mtime_ns
    assert trainer(tmp_path).run(resume=True) == history
    assert (tmp_path / "last.pt").stat().st_mtime_ns == before


def test_resuming_without_a_checkpoint_begins(tmp_path: Path) -> None:
    assert len(trainer(tmp_path).run(resume=True)) == SETTINGS.passes


@pytest.mark.parametrize("damage", ["text", "cut", "other network"])
def test_a_checkpoint_that_is_none_of_this_run_is_refused(damage: str, tmp_path: Path) -> None:
    trainer(tmp_path, Settings(epochs=1)).run()
    path = tmp_path / "last.pt"
    if damage == "text":
        path.write_text("version https://git-lfs\n")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:500])
    else:
        state = torch.load(path)
        state["network"] = nn.Linear(3, 3).state_dict()
        torch.save(state, path)
    with pytest.raises(EmoscopeError, match=r"last\.pt is no checkpoint of this run") as error:
        trainer(tmp_path).run(resume=True)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("finish", [0, 2])
def test_the_rate_rises_and_falls_and_once_more_in_the_finishing_epochs(finish: int, tmp_path: Path) -> None:
    settings = Settings(epochs=4, finish=finish, batch=5)
    run = trainer(tmp_path, settings)
    total = run.steps * settings.epochs
    rates = [run._rate(step) for step in range(run.steps * settings.passes)]
    main, last = rates[:total], rates[total:]
    top = main.index(1.0)
    assert main[0] > 0
    assert main[:top] == sorted(main[:top])
    assert main[top:] == sorted(main[top:], reverse=True)
    assert main[-1] < 0.01
    assert top / total == pytest.approx(settings.warmup, abs=0.05)
    assert len(last) == run.steps * finish
    if finish:
        assert last[0] == FINISH_RATE
        assert last == sorted(last, reverse=True)
        assert last[-1] < 0.01


def test_the_finishing_epochs_are_augmented_gently(tmp_path: Path) -> None:
    calls: list[str] = []

    def noted(name: str) -> Augment:
        def augment(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
            calls.append(name)
            return inputs, targets

        return augment

    run = trainer(tmp_path, augment=noted("usual"), gentle=noted("gentle"))
    run.run()
    assert calls == ["usual"] * 4 * run.steps + ["gentle"] * 2 * run.steps


def test_smoothing_makes_a_model_less_sure(tmp_path: Path) -> None:
    def confidence(run: Trainer) -> float:
        run.run()
        logits = run.logits(run.averaged.module, VALIDATION.inputs)
        return float(torch.softmax(torch.from_numpy(logits), 1).max(1).values.mean())

    plain = confidence(trainer(tmp_path / "a"))
    assert confidence(trainer(tmp_path / "b", Settings(**{**vars(SETTINGS), "smoothing": 0.6}))) < plain - 0.1


def test_samples_are_drawn_by_their_chances(tmp_path: Path) -> None:
    seen: list[Tensor] = []

    def look(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        seen.append(targets)
        return inputs, targets

    run = trainer(tmp_path, Settings(epochs=1, batch=16), augment=look)
    chances = np.where(TRAIN.targets.argmax(1) == 2, 0.0, 1.0)
    run.train_samples = replace(TRAIN, drawn=chances / chances.sum())
    run.run()
    drawn = torch.cat(seen).sum(0)
    assert drawn.sum() == len(TRAIN.inputs)
    assert drawn[2] == 0
    assert min(drawn[:2]) > 25
