"""The comparison with other packages: what they say is mapped and marked, and one that fails does not stop the rest."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_samples import face, votes

from emoscope.data.ferplus import PROTOCOLS
from emoscope.emotions import EMOTIONS
from emoscope.errors import EmoscopeError
from research.peers import child as peer_child
from research.peers import faces as peers

OURS = peers.Contender("face-ferplus", "ours")


@pytest.fixture
def stage(tmp_path: Path) -> peers.Stage:
    (tmp_path / "envs").mkdir()
    return peers.Stage(tmp_path / "envs", tmp_path, np.array([face(i, i % 8) for i in range(16)]))


def test_every_peer_has_a_reader() -> None:
    assert {peer.key for peer in peers.PEERS} == set(peer_child.READERS)


def test_words_become_emotions() -> None:
    words = ["Angry", "happy", "sad", "surprised", "Neutral", "contempt"]
    assert [EMOTIONS[c] for c in peers.columns(words)] == [
        "anger", "happiness", "sadness", "surprise", "neutral", "contempt"
    ]  # fmt: skip
    with pytest.raises(EmoscopeError, match="bored"):
        peers.columns(["bored"])


def test_metrics_leave_out_what_the_protocol_drops() -> None:
    metrics = peers.metrics(np.array([0, 1, 0, 3]), np.array([0, 1, 7, -1]))
    assert metrics["n"] == 3
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    assert metrics["recall"][7] == 0
    assert metrics["uar"] == 1  # contempt is none of the seven


def test_ours_reads_and_is_timed_in_a_process_of_its_own(stage: peers.Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    row = peers.row(OURS, stage, np.array([votes(i % 8) for i in range(16)]))
    assert {p: row[p]["n"] for p in PROTOCOLS} == {"majority": 16, "plurality": 16}
    assert row["cannot_say"] == []
    (times,) = stage.times([OURS], 1).values()
    assert 0 < times["ms"] < 1000 * times["start_s"]
    assert times["batched"] > 0
    monkeypatch.setattr(stage, "child", None)
    assert len(stage.said(OURS)["said"]) == 16  # said before, so nobody is asked again


def test_other_faces_are_asked_anew(stage: peers.Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(stage, "child", lambda *_: asked.append("once") or {"said": []})
    stage.said(OURS)
    stage.said(OURS)
    stage.images = stage.images[:8]
    stage.said(OURS)
    assert len(asked) == 2


def test_a_batch_of_our_own_is_what_single_faces_are() -> None:
    reader = peer_child.read_emoscope("face")
    faces = np.array([face(i, i % 8) for i in range(8)])
    assert reader.many is not None
    assert reader.many(faces) == [reader.one(one) for one in faces]


def test_the_last_line_says_why(stage: peers.Stage) -> None:
    with pytest.raises(peers.Failed, match="no model is named 'nobody'"):
        stage.child(peers.Contender("nobody", "nobody"), "read", "all.npy")
    with pytest.raises(peers.Failed, match="it ended with 3"):
        peers.finish(subprocess.CompletedProcess([], 3, "", ""))


def test_a_peer_that_cannot_be_installed_is_in_the_table(stage: peers.Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(contender: peers.Contender) -> float | None:
        if contender.package:
            raise peers.Failed("no such package")
        return None

    monkeypatch.setattr(stage, "installed_mb", refuse)
    found: list[dict[str, Any]] = [
        peers.row(contender, stage, np.array([votes(i % 8) for i in range(16)])) for contender in (OURS, peers.PEERS[0])
    ]
    (failed,) = peers.rows(found[1])
    assert (failed.metric, failed.note) == ("could not be run", "no such package")
    rows = {(row.metric, row.protocol): row for row in peers.rows({**found[0], "ms": 1.5, "batched": None})}
    assert {row.model for row in rows.values()} == {"ours"}
    assert rows["accuracy", "majority"].n == 16
    assert rows["ms a face", ""].value == 1.5
    assert ("faces a second, batched", "") not in rows


def test_a_peer_that_fails_while_timed_stops_nobody(stage: peers.Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def child(contender: peers.Contender, *_: str) -> dict[str, float]:
        if contender.package:
            raise peers.Failed("out of memory")
        return {"ms": 1.0, "batched": 2.0, "start_s": 3.0}

    monkeypatch.setattr(stage, "child", child)
    assert stage.times([peers.PEERS[0], OURS], 2) == {OURS.key: {"ms": 1.0, "batched": 2.0, "start_s": 3.0}}
