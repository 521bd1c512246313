"""The evidence, its file, and what an interruption costs."""

import os
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import EXAMPLE

import emoscope
from emoscope.errors import EmoscopeError
from emoscope.evidence import Evidence, EvidenceFile, Faces, Looks, Speakers, Voices, pack, unpack


def faces(n: int, labels: int = 8, tracks: int = 1) -> Faces:
    random = np.random.default_rng(0)
    quality = [random.random(n).astype(np.float32) for _ in range(5)]
    quality[3][: n // 2] = np.nan
    return Faces(
        np.arange(n) / 30,
        np.full(n, 1 / 30),
        np.arange(n, dtype=np.int32) % tracks + 1,
        random.uniform(0, 500, (n, 4)).astype(np.float32).astype(np.float64),
        *quality,
        random.normal(0, 4, (n, labels)).astype(np.float16),
    )


def voices(n: int, labels: int = 6) -> Voices:
    random = np.random.default_rng(1)
    start = np.arange(n) / 2
    return Voices(start, start + 0.5, np.ones(n, np.int32), random.normal(0, 4, (n, labels)).astype(np.float16))


def equal(first: Evidence, second: Evidence) -> None:
    for name in ("faces", "voices", "looks", "speakers"):
        one, other = getattr(first, name), getattr(second, name)
        for column in fields(one):
            a, b = getattr(one, column.name), getattr(other, column.name)
            assert a.dtype == b.dtype, (name, column.name)
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(first.shots, second.shots)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    embedding = np.eye(3, 4, dtype=np.float16)
    numbers = np.arange(3, dtype=np.int32)
    times = np.arange(3) / 7
    whole = Evidence(
        faces(50),
        voices(9),
        Looks(numbers, times, times.astype(np.float32), embedding),
        Speakers(numbers, times, times + 1, embedding),
        np.array([0.5, 2.25]),
    )
    with EvidenceFile.create(tmp_path / EvidenceFile.NAME) as file:
        file.append(Evidence(whole.faces.take(slice(20)), whole.voices.take(slice(0))))
        rest = Evidence(whole.faces.take(slice(20, None)), whole.voices, whole.looks, whole.speakers, whole.shots)
        file.append(rest, {"items": 3}, worked_s=1.5)
        assert (file.checkpoint(), file.about("worked_s")) == ({"items": 3}, 1.5)
        file.end(info={"kind": "video"}, done=True)
        assert file.checkpoint() is None
    again = Evidence.load(tmp_path)
    equal(again, whole)
    assert again.info == {"kind": "video"}
    assert repr(again) == "<Evidence: 50 faces in 1 tracks, 9 windows of speech>"


def test_evidence_of_nobody_keeps_its_widths(tmp_path: Path) -> None:
    with EvidenceFile.create(tmp_path / EvidenceFile.NAME) as file:
        file.tell(widths={"faces": 8, "voices": 6})
        file.end(info={})
    equal(Evidence.load(tmp_path), Evidence(Faces.empty(8), Voices.empty(6)))


def test_ten_minutes_of_a_face_take_under_5_mb(tmp_path: Path) -> None:
    with EvidenceFile.create(tmp_path / EvidenceFile.NAME) as file:
        file.append(Evidence(faces(18_000), voices(1200)))
        file.end(info={})
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 5e6


def test_what_is_no_evidence_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(EmoscopeError, match="there is no evidence; make it with: emoscope analyze"):
        Evidence.load(tmp_path)
    path = tmp_path / EvidenceFile.NAME
    path.write_bytes(b"nothing of the kind" * 100)
    for use in (EvidenceFile.create, Evidence.load):
        with pytest.raises(EmoscopeError, match="not an evidence file"):
            use(path)
    path.unlink()
    with EvidenceFile.create(path) as file:
        file.tell(format=99)
        with pytest.raises(EmoscopeError, match="evidence of format 99, expected 2"):
            file.read()
        with pytest.raises(EmoscopeError, match="another emoscope writes it"):
            EvidenceFile.create(path)


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with EvidenceFile.create(tmp_path / EvidenceFile.NAME) as file:
        with pytest.raises(TypeError, match="a state holds numbers, texts and arrays"):
            file.append(Evidence(faces(5), voices(2)), {"bad": object()})
        assert len(file.read().faces) == 0


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), values, max_size=4))
def test_a_state_is_unpacked_as_it_was_packed(state: dict[str, object]) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    again = unpack(pack({"state": state, "arrays": [array, {"deep": array[:0]}]}))
    assert again["state"] == state
    np.testing.assert_array_equal(again["arrays"][0], array)
    assert again["arrays"][1]["deep"].shape == (0, 3)


KILLED = """
import os, random, signal, sys
import emoscope, emoscope.observing
emoscope.observing.COMMIT_S = 0.0
left = [int(sys.argv[3])]

def progress(done, total):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)

emoscope.observe(sys.argv[1], out=sys.argv[2], progress=progress, face_model=sys.argv[4])
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process as POSIX does")
@pytest.mark.parametrize("model", ["face", "sequence"])
def test_who_is_killed_goes_on_and_ends_with_the_same(model: str, tmp_path: Path) -> None:
    whole = emoscope.read(emoscope.observe(EXAMPLE, face_model=model))
    kills = 20 if model == "face" else 3
    random = np.random.default_rng(3)
    for number in range(kills):
        steps = int(random.integers(5, 25))
        command = [sys.executable, "-c", KILLED, str(EXAMPLE), str(tmp_path), str(steps), model]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == -signal.SIGKILL, (number, run.stderr)
    with EvidenceFile.create(tmp_path / EvidenceFile.NAME) as file:
        assert len(file.read().faces) >= kills  # nothing is begun anew
    again = emoscope.read(emoscope.observe(EXAMPLE, out=tmp_path, face_model=model))
    assert list(again) == list(whole)
    same = {key: value for key, value in whole.info.items() if key != "observed_s"}
    assert {key: again.info[key] for key in same} == same


def test_complete_evidence_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = emoscope.observe(EXAMPLE, out=tmp_path)
    monkeypatch.setattr("emoscope.observing.open_media", None)
    equal(emoscope.observe(EXAMPLE, out=tmp_path), first)


def test_another_recording_is_never_mixed_in(portrait: np.ndarray, tmp_path: Path) -> None:
    from PIL import Image

    one, two, out = tmp_path / "one.png", tmp_path / "two.png", tmp_path / "out"
    out.mkdir()
    Image.fromarray(portrait).save(one)
    Image.fromarray(portrait[:, ::-1]).save(two)
    emoscope.observe(one, out=out)
    with pytest.raises(EmoscopeError, match=r"holds the results of another recording, one\.png; name another folder"):
        emoscope.observe(two, out=out)
    assert len(emoscope.observe(two, out=out, force=True).faces) == 1
    emoscope.observe(two, out=out)


def test_another_model_or_version_begins_anew_and_says_so(portrait: np.ndarray, tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "one.png"
    Image.fromarray(portrait).save(path)
    first = emoscope.observe(path, out=tmp_path)
    second = emoscope.observe(path, out=tmp_path, face_model="face-ferplus")
    assert (len(first.faces), len(second.faces)) == (1, 1)
    assert second.info["models"]["face"]["name"] == "face-ferplus"
    assert second.info["notes"] == [
        "one.png: observed anew, as the evidence was made by another version or model, or with other options"
    ]


def test_reading_needs_the_evidence_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = emoscope.analyze(EXAMPLE, out=tmp_path)
    monkeypatch.setattr("emoscope.models.registry.load", None)
    assert list(emoscope.read(tmp_path)) == list(whole)
    assert list(emoscope.read(tmp_path / EvidenceFile.NAME)) == list(whole)
    assert emoscope.read(tmp_path, smoothing="none").info["smoothing"] == "none"


@pytest.mark.skipif(os.name != "posix", reason="kills a process as POSIX does")
def test_a_folder_too_goes_on_where_it_was(portrait: np.ndarray, tmp_path: Path) -> None:
    from PIL import Image

    folder, out = tmp_path / "folder", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    for name in "abcdef":
        Image.fromarray(portrait[ord(name) - 97 :]).save(folder / f"{name}.png")
    whole = emoscope.read(emoscope.observe(folder))
    for _ in range(3):
        command = [sys.executable, "-c", KILLED, str(folder), str(out), "2", "face"]
        assert subprocess.run(command, capture_output=True).returncode == -signal.SIGKILL
    again = emoscope.read(emoscope.observe(folder, out=out))
    assert list(again) == list(whole)
    assert again.persons == [1]  # one woman in six pictures
    assert again.info["parts"] == whole.info["parts"]
