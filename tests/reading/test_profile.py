"""Baselines that go from one recording to another, and from one person to the others of a recording."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import emoscope
from emoscope.cli import main
from emoscope.errors import EmoscopeError
from emoscope.evidence import Evidence, EvidenceFile, Faces, Voices
from emoscope.reading.baseline import Baseline, Offset, Population
from emoscope.reading.offsets import Sample, recording_offsets
from emoscope.reading.profile import Profile, shared
from emoscope.reading.source import Source

LABELS = ("neutral", "happiness", "sadness", "anger")
K = len(LABELS)
CENTRE = np.eye(K) - 1 / K
POPULATION = Population(LABELS, 4 * CENTRE, CENTRE, CENTRE, 9 * CENTRE, 0.5, 0.0, "made up")
SOURCE = Source("made-up", "face", LABELS, 1.0, 1.0, POPULATION)


def faces(offset: list[float], labels: np.ndarray, track: int = 1, seed: int = 0) -> Faces:
    n = len(labels)
    plain = np.full(n, 0.5, np.float32)
    logits = POPULATION.means[labels] + np.array(offset) + np.random.default_rng(seed).normal(0, 1, (n, K))
    return Faces(
        np.arange(n) / 10, np.full(n, 0.1), np.full(n, track, np.int32), np.ones((n, 4)),
        plain, plain, plain, plain * np.nan, plain * np.nan, logits.astype(np.float16),
    )  # fmt: skip


def evidence(*parts: Faces) -> Evidence:
    models = {"face": SOURCE.to_json() | {"digest": "0"}}
    joined = Faces.join(list(parts))
    return Evidence(joined.take(np.argsort(joined.time, kind="stable")), Voices.empty(0),
                    info={"kind": "video", "models": models})  # fmt: skip


ALL = np.arange(300) // 15 % K
GRIM = [-2.0, -2.0, 0.0, 4.0]


def away(offset: Offset, truth: list[float]) -> float:
    return float(np.linalg.norm(offset.mean - (np.array(truth) - np.mean(truth)) @ POPULATION.basis))


def test_what_persons_share_is_learned_from_the_others() -> None:
    several = [faces(GRIM, ALL, track, track) for track in (1, 2, 3, 4)]
    short = faces(GRIM, np.zeros(4, int), 5, 5)
    alone = recording_offsets(evidence(short), {"face": SOURCE})["face", 5]
    beside = recording_offsets(evidence(*several, short), {"face": SOURCE})["face", 5]
    assert away(beside, GRIM) < 0.7 * away(alone, GRIM)
    assert np.trace(beside.covariance) < np.trace(alone.covariance)
    assert beside.how == "the others in it and the recording"


def test_sharing_is_what_conditioning_on_everybody_gives() -> None:
    persons, recordings = POPULATION.parts
    d, noise = K - 1, 0.5 * np.eye(K - 1)
    seen = np.random.default_rng(0).normal(0, 2, (3, d))
    gain = (persons + recordings) @ np.linalg.inv(persons + recordings + noise)
    single = [Offset(gain @ one, (np.eye(d) - gain) @ (persons + recordings), 1.0, "") for one in seen]
    expected = shared(single, POPULATION)[0]
    covariance = np.kron(np.ones((3, 3)), recordings) + np.kron(np.eye(3), persons)
    observed = covariance[d:, d:] + np.kron(np.eye(2), noise)
    weights = covariance[:d, d:] @ np.linalg.inv(observed)
    np.testing.assert_allclose(expected.mean, weights @ seen[1:].ravel(), atol=1e-6)
    np.testing.assert_allclose(expected.covariance, covariance[:d, :d] - weights @ covariance[d:, :d], atol=1e-6)


def test_a_profile_keeps_the_person_and_leaves_the_recording(tmp_path: Path) -> None:
    offset = Baseline(POPULATION)
    offset.add(np.tile(POPULATION.means[0] + np.array(GRIM), (50, 1)), np.full(50, 0.5), neutral=True)
    Profile.of({"face": offset.offset}, {"face": SOURCE}).write(tmp_path / "anna.json")
    profile = Profile.load(tmp_path / "anna.json")
    carried = profile.elsewhere("face", SOURCE)
    assert carried and carried.seconds == 25
    np.testing.assert_allclose(carried.mean, 0.1 * offset.offset.mean, atol=1e-3)  # B is a tenth of B + C
    assert np.trace(carried.covariance) < np.trace(POPULATION.nothing.covariance)
    assert profile.elsewhere("voice", SOURCE) is None


def test_a_sample_that_is_known_to_be_neutral_is_a_reference() -> None:
    logits = np.tile(POPULATION.means[0] + np.array(GRIM), (3, 1))
    part = faces(GRIM, np.full(20, 1))
    told = recording_offsets(evidence(part), {"face": SOURCE}, neutral=[Sample({"face": logits})])["face", 1]
    another = recording_offsets(evidence(part), {"face": SOURCE}, neutral=[Sample({"face": logits}, 2)])["face", 1]
    assert told.how == "a neutral reference and the recording"
    assert another.how == "the recording"
    assert away(told, GRIM) < away(another, GRIM)


def kept(folder: Path, what: Evidence) -> Path:
    folder.mkdir()
    with EvidenceFile.create(folder / EvidenceFile.NAME) as file:
        file.append(what, {}, worked_s=0.0)
        file.end(info=what.info, done=True)
    return folder


def test_profiles_on_the_command_line(tmp_path: Path) -> None:
    run = CliRunner().invoke
    monday = kept(tmp_path / "monday", evidence(faces(GRIM, ALL), faces([0.0] * K, ALL, 2)))
    tuesday = kept(tmp_path / "tuesday", evidence(faces(GRIM, ALL[:40])))
    anna = tmp_path / "anna.json"
    which = run(main, ["profile", str(monday), "--out", str(anna)])
    assert which.exit_code == 2 and "--person; there are: 1, 2" in which.output
    assert run(main, ["profile", str(monday), "--person", "1", "--out", str(anna)]).output.startswith(
        "face: from 30.0 s"
    )
    read = emoscope.read(tuesday, baseline=anna)
    assert read.info["baseline"] == "profile"
    assert read.info["baselines"][0]["how"] == "a profile and the recording"
    with pytest.raises(EmoscopeError, match="2 persons; say whose profile"):
        emoscope.read(monday, baseline=anna)
    rows = emoscope.read(monday, baseline=f"{anna}@2").info["baselines"]
    assert [row["how"] for row in rows] == ["the recording", "a profile and the recording"]
    missing = run(main, ["read", str(tuesday), "--baseline", "nobody.json"])
    assert missing.exit_code == 2 and "or a file that emoscope profile made" in missing.output
    (tmp_path / "none.json").write_text("{}")
    wrong = run(main, ["read", str(tuesday), "--baseline", str(tmp_path / "none.json")])
    assert wrong.exit_code == 2 and "is no profile" in wrong.output
