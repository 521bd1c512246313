"""Runs of the published system's parts, on a few made-up faces and for one epoch."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

from training_samples import faces, write_ferplus

from research import plan
from research.reference import augmentation, common, networks
from research.rows import Point, Row
from research.runner import Context


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_ferplus(tmp_path, [*faces(96, "train"), *faces(32, "validation")])
    return tmp_path


def context(run: str, data: Path) -> Context:
    planned = plan.load("reference").find((run,))[0]
    return Context(replace(planned, overrides={"epochs": 1}), data, data / "cache", "")


def test_a_part_is_measured_against_none_and_trained_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augmentation, "PLANS", {"none": (), "flip": ("flip",)})
    rows = list(augmentation.augmentation(context("augmentation", data)))
    accuracy = {row.condition: row.value for row in rows if row.metric == "accuracy"}
    (change,) = [row for row in rows if row.metric == "change"]
    assert change.condition == "flip"
    assert change.value == pytest.approx(accuracy["flip"] - accuracy["none"])
    assert {row.n for row in rows if row.metric == "accuracy"} == {32}

    def trainer(*_: object, **__: object) -> None:
        raise AssertionError("it was trained again")

    monkeypatch.setattr(common, "Trainer", trainer)
    assert list(augmentation.augmentation(context("augmentation", data))) == rows


def test_networks_stand_beside_the_published_figure_with_their_curves(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "NETWORKS", {"compact": networks.NETWORKS["compact"]})
    found = list(networks.networks(context("networks", data)))
    rows = [one for one in found if isinstance(one, Row)]
    reported = [(row.protocol, row.value) for row in rows if row.model == networks.REPORT]
    assert reported == [("five", 0.74), ("seven", 0.69)]
    ours = [row for row in rows if row.model == "compact ResNet"]
    assert {row.group for row in ours if row.metric == "recall" and row.protocol == "five"} == set(networks.FIVE)
    assert next(row.value for row in ours if row.metric == "parameters") == pytest.approx(205_848, rel=0.01)
    points = [one for one in found if isinstance(one, Point)]
    assert {point.curve for point in points} == {"compact ResNet, five", "compact ResNet, seven"}
    assert {point.metric for point in points} >= {"validation accuracy", "train loss"}
