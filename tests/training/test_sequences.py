import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from click.testing import CliRunner  # noqa: E402
from make_media import steps, write_video  # noqa: E402
from training_samples import face, faces, write_ferplus, write_packed  # noqa: E402

from emoscope import Session  # noqa: E402
from emoscope.cli import main  # noqa: E402
from emoscope.data.clips import FaceClip  # noqa: E402
from emoscope.emotions import CREMAD, EMOTIONS  # noqa: E402
from emoscope.models import Card, Model, load, registry  # noqa: E402
from emoscope.training import recipes, sequences  # noqa: E402
from emoscope.training.evaluate import clip_logits  # noqa: E402
from emoscope.training.features import SlotDrop, encode  # noqa: E402
from emoscope.training.loop import Settings  # noqa: E402
from emoscope.training.pretrained import face_network  # noqa: E402
from emoscope.training.sequence_networks import FEATURES, HEADS, Streaming, TimeDistributed, known  # noqa: E402

ACTORS = {"train": (1001, 1002, 1003), "validation": (1015, 1020)}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipes as they are, on fewer windows."""
    for name, value in {"VARIANTS": 2, "WINDOWS": 4, "MOVING": 40, "VALIDATION": 24}.items():
        monkeypatch.setattr(sequences, name, value)


def write_clip(folder: Path, name: str, person: str, label: str) -> None:
    """A second of a face whose bright stripe tells its emotion."""
    folder.mkdir(parents=True, exist_ok=True)
    times = np.arange(15) / 15
    seen = np.stack([face(i, EMOTIONS.index(label)) for i in range(len(times))])
    points, sound = np.zeros((len(times), 5, 2), np.float32), np.full((60, 128), 100, np.uint8)
    FaceClip(name, label, person, np.maximum(seen, 1), times, points, sound, 0, 0).write(folder / f"{name}.npz")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Made-up FER+, and made-up CREMA-D clips of all six emotions."""
    write_ferplus(tmp_path, [*faces(32, "train"), *faces(24, "validation")])
    for actors in ACTORS.values():
        for actor in actors:
            for code, emotion in CREMAD.items():
                write_clip(tmp_path / "cremad" / "sequences", f"{actor}_IEO_{code}_HI", str(actor), emotion)
    write_packed(tmp_path, "train", ["1001_DFA_ANG_XX"])  # what makes the folder CREMA-D's
    return tmp_path


def train(recipe: str, data: Path, out: Path) -> Path:
    arguments = ["train", recipe, "--data", str(data), "--out", str(out), "--device", "cpu", "--epochs", "2"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return out / f"{recipe}.onnx"


def write_video_clips(data: Path, portrait: np.ndarray) -> None:
    """Clips of the validation actors as the data set has them, but for the codec."""
    folder = data / "cremad" / "VideoFlash"
    folder.mkdir()
    for actor in ACTORS["validation"]:
        for code in CREMAD:
            path = write_video(folder / "one.mkv", steps(4, 10), lambda _: portrait)
            path.rename(folder / f"{actor}_IEO_{code}_HI.flv")


def test_the_recipe_runs_on_all_six_emotions_and_its_model_in_the_pipeline(
    data: Path, portrait: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video_clips(data, portrait)
    path = train("sequence-cremad", data, tmp_path / "out")
    card = Card.read(path.with_suffix(".json"))
    assert (card.modality, card.labels) == ("sequence", EMOTIONS)
    assert [(m["protocol"], m["n"]) for m in card.metrics] == [("tfds", 12), ("tfds-three", 6)]
    assert card.parameters > load("face").card.parameters * 0.9

    (tmp_path / "shipped").mkdir()
    for file in (*registry.WEIGHTS.iterdir(), path, path.with_suffix(".json")):
        (tmp_path / "shipped" / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path / "shipped")
    command = ["evaluate", "sequence-cremad", "--data", str(data), "--split", "validation", "--json"]
    for protocol, among in (("tfds", EMOTIONS), ("tfds-three", ("anger", "happiness", "sadness"))):
        shown = CliRunner().invoke(main, [*command, "--protocol", protocol])
        assert shown.exit_code == 0, shown.output
        metrics = json.loads(shown.stdout)
        assert metrics["labels"] == list(EMOTIONS)
        said = np.array(metrics["confusion"]).sum(0)
        assert {EMOTIONS[i] for i in np.flatnonzero(said)} <= set(among)
        assert np.array(metrics["confusion"]).sum() == metrics["n"]
        assert metrics["accuracy"] == pytest.approx(
            next(m for m in card.metrics if m["protocol"] == protocol)["accuracy"]
        )

    session = Session(voice=False, face_model="sequence-cremad")
    rows = [o for i in range(8) for o in session.add_frame(portrait, i / 10, 0.1)] + session.close()
    seen = [o for o in rows if o.source == "face"]
    assert len(seen) == 8
    assert all(sum(o.scores) == pytest.approx(1, abs=1e-6) for o in seen)


def test_a_clip_without_a_face_is_wrong_whatever_it_was() -> None:
    labels = np.arange(8)
    logits = clip_logits(load("face"), [None] * 8, labels)
    assert not (logits.argmax(1) == labels).any()


def test_own_clips_are_trained_on_too(data: Path, tmp_path: Path) -> None:
    for person in range(6):
        for label in ("contempt", "neutral"):
            write_clip(data / "sequences", f"{person}-{label}", f"p{person}", label)
    path = train("sequence-clips", data, tmp_path / "own")
    (metrics,) = Card.read(path.with_suffix(".json")).metrics
    assert (metrics["protocol"], metrics["split"], metrics["n"]) == ("clips", "validation", 4)


def test_clips_of_test_actors_are_never_used(data: Path) -> None:
    before = sequences.cremad_splits(data)
    write_clip(data / "cremad" / "sequences", "1010_IEO_ANG_HI", "1010", "anger")
    after = sequences.cremad_splits(data)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.inputs, other.inputs)


def test_an_emotion_that_hardly_anybody_shows_is_left_to_the_stills(data: Path) -> None:
    write_clip(data / "cremad" / "sequences", "1002_DFA_NEU_XX", "1002", "surprise")
    write_clip(data / "cremad" / "sequences", "1003_DFA_NEU_XX", "1003", "surprise")
    clips = sequences.load(data / "cremad" / "sequences")
    assert {clip.label for clip in clips} - {clip.label for clip in sequences.shown_by_many(clips)} == {"surprise"}


def test_what_raters_saw_is_a_share_of_the_target(data: Path) -> None:
    clip = sequences.load(data / "cremad" / "sequences")[0]
    votes = {clip.name: np.array([0, 0, 0, 0, 9, 0])}
    target = sequences.clip_target(clip, votes)
    assert target[EMOTIONS.index("neutral")] == sequences.VOTES
    assert target[EMOTIONS.index(clip.label)] == 1 - sequences.VOTES
    assert sequences.clip_target(clip, {})[EMOTIONS.index(clip.label)] == 1


def test_the_network_that_sequences_start_from_is_a_shipped_one() -> None:
    network = face_network().eval()
    inputs = np.random.default_rng(0).random((3, 1, 48, 48)).astype(np.float32)
    with torch.inference_mode():
        found = network(torch.from_numpy(inputs)).numpy()
    np.testing.assert_allclose(found, load("face-ferplus").logits(inputs), atol=1e-4)
    with pytest.raises(recipes.EmoscopeError, match="holds another network"):
        face_network(registry.WEIGHTS / f"{registry.DEFAULTS['voice']}.onnx")


@pytest.mark.parametrize("name", HEADS)
def test_empty_slots_count_for_nothing(name: str) -> None:
    torch.manual_seed(0)
    head = HEADS[name](classes=3).eval()
    frames = torch.rand(2, 16, FEATURES)
    frames[:, :9] = 0
    assert known(frames).sum(1).tolist() == [7, 7]
    with torch.inference_mode():
        logits = head(frames)
        assert logits.shape == (2, 3)
        assert torch.isfinite(logits).all()
        if name in ("mean", "attention"):
            torch.testing.assert_close(head(frames[:, 9:]), logits)
        changed = frames.clone()
        changed[:, 12] += 1
        assert not torch.allclose(head(changed), logits)
        torch.testing.assert_close(head(frames[:1]), logits[:1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", HEADS)
def test_frame_by_frame_is_what_the_window_gives(name: str) -> None:
    torch.manual_seed(0)
    encoder, head = face_network().eval(), HEADS[name]().eval()
    window = torch.rand(1, 16, 48, 48)
    window[:, :4] = 0
    with torch.inference_mode():
        whole = TimeDistributed(encoder, head).eval()(window)
        streaming, past = Streaming(encoder, head).eval(), torch.zeros(1, 15, FEATURES)
        for t in range(4, 16):
            logits, features = streaming(window[:, t : t + 1], past)
            past = torch.cat([past[:, 1:], features.unsqueeze(1)], 1)
    torch.testing.assert_close(logits, whole, atol=1e-4, rtol=1e-4)


def test_the_streaming_network_is_exported_whole(tmp_path: Path) -> None:
    head = HEADS["attention"]().eval()
    network, example = sequences.deploy(head, torch.rand(3, 16, FEATURES))
    card = Card("tiny", "sequence", "", EMOTIONS, sequences.INPUT, 0, 1.0, {}, (), "Apache-2.0", (), (), "none")
    from emoscope.training.export import export

    assert export(network, example, card, tmp_path / "tiny.onnx") < 1e-4
    logits, features = Model(tmp_path / "tiny.onnx").run(np.ones((2, 1, 48, 48)), np.zeros((2, 15, FEATURES)))
    assert (logits.shape, features.shape) == ((2, 8), (2, FEATURES))


def test_encoding_gives_the_features_of_each_face() -> None:
    network = face_network()
    crops = np.random.default_rng(0).integers(1, 256, (5, 48, 48)).astype(np.uint8)
    found = encode(network, crops)
    assert found.shape == (5, FEATURES)
    assert found.min() >= 0
    np.testing.assert_allclose(encode(network, crops[2:3])[0], found[2], atol=0.05)


def test_dropped_slots_are_empty_and_the_last_is_kept() -> None:
    torch.manual_seed(0)
    windows, targets = torch.rand(50, 16, 4) + 0.1, torch.eye(50)
    dropped, same = SlotDrop(0.5)(windows, targets)
    assert same is targets
    kept = known(dropped)
    assert kept[:, -1].all()
    assert 0.4 < kept[:, :-1].float().mean() < 0.6
    torch.testing.assert_close(dropped[kept], windows[kept])


def test_balanced_settings_balance_every_batch(tmp_path: Path) -> None:
    from emoscope.training.loop import Samples, Trainer

    labels = np.array([0] * 30 + [1] * 6)
    samples = Samples(np.zeros((36, 2), np.float32), np.eye(2, dtype=np.float32)[labels], labels)
    batches: list[torch.Tensor] = []

    def watch(inputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        batches.append(targets)
        return inputs, targets

    settings = Settings(epochs=1, batch=4, balanced=True)
    Trainer(torch.nn.Linear(2, 2), samples, samples, settings, lambda x: x, watch, watch, tmp_path).run()
    assert len(batches) == 9
    assert all(batch.sum(0).tolist() == [2, 2] for batch in batches)
