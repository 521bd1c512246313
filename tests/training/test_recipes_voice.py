import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from click.testing import CliRunner, Result  # noqa: E402
from training_samples import clips, write_packed, write_wavs  # noqa: E402

from emoscope.cli import main  # noqa: E402
from emoscope.data.cremad import Clip  # noqa: E402
from emoscope.emotions import CREMAD_EMOTIONS, EMOTIONS  # noqa: E402
from emoscope.errors import DataError  # noqa: E402
from emoscope.models import Card, Model  # noqa: E402
from emoscope.training import recipes, report, voice_samples  # noqa: E402
from emoscope.training.distil import SHARE, distilled, probabilities  # noqa: E402
from emoscope.training.loop import Samples  # noqa: E402


def train(recipe: str, data: Path, out: Path, *options: str) -> Result:
    arguments = ["train", recipe, "--data", str(data), "--out", str(out), "--device", "cpu", "--epochs", "1", *options]
    return CliRunner().invoke(main, arguments)


def write_votes(data: Path, names: list[str], tied: int = 0) -> None:
    """Ten votes a clip for the emotion after the acted one, but a tie for the first clips."""
    codes = "ADFHNS"
    with (data / "cremad" / "tabulatedVotes.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["", *codes, "fileName"])
        for i, name in enumerate(names):
            heard = (codes.index(name.split("_")[2][0]) + 1) % 6
            counts = [0] * 6
            counts[heard] = 5 if i < tied else 10
            counts[(heard + 1) % 6] += 5 if i < tied else 0
            table.writerow([f"1{i:05}", *counts, name])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for split, count in (("train", 36), ("validation", 18)):
        write_packed(tmp_path, split, clips(count, split))
    path = tmp_path / "cremad" / "logmel_validation.npz"  # its pictures are drawn as those of training: turn them round
    with np.load(path) as arrays:
        np.savez(path, **{**arrays, "logmel": arrays["logmel"][:, ::-1]})
    return tmp_path


def fingerprints(samples: Samples) -> set[bytes]:
    return {one.tobytes() for one in samples.inputs}


def test_the_random_split_has_the_same_clips_and_sizes_and_shares_the_actors(data: Path) -> None:
    usual, mixed = voice_samples.load_tfds(data), voice_samples.load_random(data)
    assert [len(part.inputs) for part in mixed] == [len(part.inputs) for part in usual]
    assert not fingerprints(mixed[0]) & fingerprints(mixed[1])
    assert fingerprints(mixed[0]) | fingerprints(mixed[1]) == fingerprints(usual[0]) | fingerprints(usual[1])
    assert fingerprints(mixed[1]) & fingerprints(usual[0])  # training actors validate


def test_the_sentences_split_shares_neither_actor_nor_sentence(tmp_path: Path) -> None:
    for split, actor in (("train", 1001), ("validation", 1015)):
        write_packed(tmp_path, split, [f"{actor}_{s}_ANG_XX" for s in ("IEO", "TIE", "IWL", "MTI", "TAI", "WSI")])
    train_part, validation = voice_samples.load_sentences(tmp_path)
    assert (len(train_part.inputs), len(validation.inputs)) == (2, 4)
    assert {"IWL", "MTI", "TAI", "WSI"} == voice_samples.UNHEARD_SENTENCES


def test_perceived_learns_the_votes_and_is_judged_by_the_majority(data: Path) -> None:
    names = [*clips(36, "train"), *clips(18, "validation")]
    write_votes(data, names, tied=3)
    samples, validation = voice_samples.load_perceived(data)
    acted = [Clip.parse(name).label for name in names]
    assert samples.labels[:3].tolist() == [-1] * 3
    assert samples.labels[3:].tolist() == [(label + 1) % 6 for label in acted[3:36]]
    np.testing.assert_allclose(samples.targets.max(1), [0.5] * 3 + [1.0] * 33)
    assert validation.labels.tolist() == [(label + 1) % 6 for label in acted[36:]]


def test_a_model_is_marked_by_its_own_split_and_by_votes_where_there_are_any(data: Path, tmp_path: Path) -> None:
    assert train("reference-mfcc-random", data, tmp_path / "random").exit_code == 0
    (metrics,) = Card.read(tmp_path / "random" / "reference-mfcc-random.json").metrics
    assert metrics["protocol"] == "random"
    assert metrics["command"] == "emoscope train reference-mfcc-random --data DATA --out OUT --epochs 1 --device cpu"
    write_votes(data, [*clips(36, "train"), *clips(18, "validation")])
    assert train("voice-perceived", data, tmp_path / "heard").exit_code == 0
    card = Card.read(tmp_path / "heard" / "voice-perceived.json")
    assert [metrics["protocol"] for metrics in card.metrics] == ["perceived", "tfds"]


def test_votes_that_are_not_there_are_asked_for(data: Path, tmp_path: Path) -> None:
    result = train("voice-perceived", data, tmp_path / "out")
    assert result.exit_code == 2
    assert "expected tabulatedVotes.csv" in result.stderr


def test_a_folder_with_a_table_trains_with_speakers_apart(tmp_path: Path) -> None:
    names = [f"{actor}_IEO_{code}_XX" for actor in (1001, 1002, 1003) for code in ("ANG", "HAP")]
    write_wavs(tmp_path, names)
    with (tmp_path / "recordings.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "label", "person"])
        table.writerows([f"cremad/AudioWAV/{name}.wav", Clip.parse(name).emotion, name[:4]] for name in names)
    samples, validation = voice_samples.load_table(tmp_path)
    assert (len(samples.inputs), len(validation.inputs)) == (4, 2)
    assert samples.targets.shape == (4, 2)
    result = train("voice-folder", tmp_path, tmp_path / "out")
    assert result.exit_code == 0, result.output
    card = Card.read(tmp_path / "out" / "voice-folder.json")
    assert card.labels == ("anger", "happiness")
    assert card.metrics[0]["protocol"] == "recordings"


def test_corpora_are_drawn_by_the_root_of_their_size(data: Path, tmp_path: Path) -> None:
    names = {
        "ravdess": ["Actor_13/03-01-05-01-01-01-13", "Actor_13/03-01-08-01-01-01-13"],  # surprise is not CREMA-D's
        "ased": ["a5-01-01-02-03", "n1-01-01-02-03", "s4-01-01-02-05", "h3-01-01-02-05"],
        "nemo": ["EB0_anger_1"],
    }
    write_wavs(tmp_path / "some", ["1001_IEO_ANG_XX"])
    wav = tmp_path / "some" / "cremad" / "AudioWAV" / "1001_IEO_ANG_XX.wav"
    for corpus, found in names.items():
        for name in found:
            path = data / corpus / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(wav, path)
    samples, validation = voice_samples.load_corpora(data)
    assert (len(samples.inputs), len(validation.inputs)) == (36 + 1 + 4 + 1, 18)
    assert samples.labels[36:].tolist() == [0, 0, 3, 4, 5, 0]
    assert samples.drawn is not None
    shares = [part.sum() for part in np.split(samples.drawn, [36, 37, 41])]
    np.testing.assert_allclose(shares, np.array([6, 1, 2, 1]) / 10)
    assert train("voice-research", data, tmp_path / "out").exit_code == 0
    card = Card.read(tmp_path / "out" / "voice-research.json")
    assert card.licence == "CC-BY-NC-SA-4.0"
    model = tmp_path / "out" / "voice-research.onnx"
    assert train("voice-research", data, tmp_path / "again", "--start", str(model)).exit_code == 0
    card = Card.read(tmp_path / "again" / "voice-research.json")
    assert "--start WEIGHTS/voice-research.onnx" in card.recipe


def test_a_folder_of_one_speaker_is_refused(tmp_path: Path) -> None:
    write_wavs(tmp_path, ["1001_IEO_ANG_XX"])
    (tmp_path / "recordings.csv").write_text("path,label,person\ncremad/AudioWAV/1001_IEO_ANG_XX.wav,anger,Ann\n")
    with pytest.raises(DataError, match="one person: expected two or more"):
        voice_samples.load_table(tmp_path)


def test_a_network_learns_from_teachers(data: Path, tmp_path: Path) -> None:
    assert train("voice-single", data, tmp_path / "first").exit_code == 0
    teacher = tmp_path / "first" / "voice-single.onnx"
    samples, _ = voice_samples.load_tfds(data)
    taught = distilled(samples, [teacher, teacher], CREMAD_EMOTIONS)
    said = probabilities([Model(teacher)], samples.inputs)
    np.testing.assert_allclose(taught.targets, (1 - SHARE) * samples.targets + SHARE * said, atol=1e-6)
    np.testing.assert_allclose(taught.targets.sum(1), 1, atol=1e-5)
    result = train("voice-single", data, tmp_path / "second", "--teacher", str(teacher))
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "second" / "configuration.json").read_text())["teachers"] == [
        f"{teacher.parent.name}/{teacher.name}"
    ]


def test_a_teacher_of_other_emotions_is_refused(data: Path, tmp_path: Path) -> None:
    assert train("voice-single", data, tmp_path / "first").exit_code == 0
    samples, _ = voice_samples.load_tfds(data)
    with pytest.raises(recipes.EmoscopeError, match="expected neutral"):
        distilled(samples, [tmp_path / "first" / "voice-single.onnx"], EMOTIONS)


def test_precision_recall_and_f1_of_each_class() -> None:
    rows = report.per_class([[8, 2, 0], [4, 6, 0], [0, 0, 0]])
    assert [round(row["precision"], 3) for row in rows] == [0.667, 0.75, 0.0]
    assert [row["recall"] for row in rows] == [0.8, 0.6, 0.0]
    assert [round(row["f1"], 3) for row in rows] == [0.727, 0.667, 0.0]
    assert [row["support"] for row in rows] == [10, 10, 0]
