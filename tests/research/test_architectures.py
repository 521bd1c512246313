from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from emoscope.errors import ModelError  # noqa: E402
from emoscope.training.export import check, to_onnx  # noqa: E402
from emoscope.training.metrics import prior_shift, score  # noqa: E402
from emoscope.training.networks import FaceResNet  # noqa: E402
from emoscope.training.networks_face import FaceVGG  # noqa: E402
from emoscope.training.pretrained import averaged  # noqa: E402
from emoscope.training.recipes_face import compact, wide  # noqa: E402
from research.reference.architectures import Ensemble, FaceHybrid, ReferenceFaceCNN  # noqa: E402

NETWORKS = {
    "reference": ReferenceFaceCNN,
    "vgg": FaceVGG,
    "hybrid": FaceHybrid,
    "resnet": FaceResNet,
    "compact": compact,
    "wide": wide,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_maps_faces_to_classes(name: str) -> None:
    network = NETWORKS[name](classes=7).eval()
    with torch.inference_mode():
        logits = network(torch.rand(3, 1, 48, 48))
    assert logits.shape == (3, 7)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", ["vgg", "hybrid", "compact"])
def test_exposure_and_contrast_hardly_matter(name: str) -> None:
    torch.manual_seed(0)
    network, faces = NETWORKS[name]().eval(), torch.rand(2, 1, 48, 48)
    with torch.inference_mode():
        torch.testing.assert_close(network(0.5 * faces + 0.3), network(faces), atol=0.05, rtol=0.2)


def test_the_reference_network_is_as_described() -> None:
    network = ReferenceFaceCNN()
    kernels = [m.kernel_size for m in network if isinstance(m, torch.nn.Conv2d)]
    maps = [m.out_channels for m in network if isinstance(m, torch.nn.Conv2d)]
    dense = [m.out_features for m in network if isinstance(m, torch.nn.Linear)]
    assert (kernels, maps, dense) == ([(5, 5), (5, 5), (4, 4)], [64, 64, 128], [3072, 8])


def test_the_compact_network_is_under_a_megabyte(tmp_path: Path) -> None:
    to_onnx(compact().eval(), torch.rand(2, 1, 48, 48), tmp_path / "compact.onnx")
    assert (tmp_path / "compact.onnx").stat().st_size < 1_000_000


def ensemble(shift: np.ndarray) -> Ensemble:
    torch.manual_seed(0)
    networks = [FaceResNet((4, 6, 8), (1, 1, 1)), FaceVGG((4, 4, 6, 8))]
    return Ensemble(networks, torch.from_numpy(shift).float()).eval()


def test_an_ensemble_sees_mirror_images_alike() -> None:
    faces = torch.rand(2, 1, 48, 48)
    with torch.inference_mode():
        model = ensemble(np.zeros(8))
        torch.testing.assert_close(model(faces.flip(3)), model(faces))
        alone = [torch.log_softmax(network(faces), 1) for network in model.networks]
        assert not torch.allclose(alone[0], alone[1])


def test_an_ensemble_is_shifted() -> None:
    faces, shift = torch.rand(2, 1, 48, 48), np.arange(8) / 10
    with torch.inference_mode():
        difference = ensemble(shift)(faces) - ensemble(np.zeros(8))(faces)
    np.testing.assert_allclose(difference.numpy(), np.tile(shift, (2, 1)), atol=1e-5)


def test_an_ensemble_is_exported_whole(tmp_path: Path) -> None:
    from emoscope.emotions import EMOTIONS
    from emoscope.models import Card

    model, path = ensemble(np.zeros(8)), tmp_path / "both.onnx"
    Card("both", "face", "", EMOTIONS, {}, 0, 1.0, {}, (), "", (), (), "none").write(path.with_suffix(".json"))
    to_onnx(model, torch.rand(2, 1, 48, 48), path)
    assert check(model, torch.rand(3, 1, 48, 48), path) < 1e-4


def test_a_shift_makes_rare_classes_likelier() -> None:
    counts = np.array([900.0, 100.0])
    np.testing.assert_allclose(prior_shift(counts, 1.0), -np.log([0.9, 0.1]))
    assert not prior_shift(counts, 0.0).any()
    random = np.random.default_rng(0)
    labels = random.choice(2, 4000, p=[0.9, 0.1])
    evidence = np.where(labels, 1.0, -1.0) + random.normal(size=4000)
    logits = np.stack([-evidence, evidence], 1) + np.log([0.9, 0.1])
    plain, even = (score(logits + prior_shift(counts, share), labels) for share in (0.0, 1.0))
    assert even["uar"] > plain["uar"]
    assert even["accuracy"] < plain["accuracy"]


def test_trained_weights_are_found_in_a_run(tmp_path: Path) -> None:
    network = compact()
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    torch.save({**state, "n_averaged": torch.tensor(3)}, tmp_path / "best.pt")
    found = averaged(tmp_path, compact())
    for name, value in found.state_dict().items():
        torch.testing.assert_close(value, network.state_dict()[name])
    with pytest.raises(ModelError, match="no such trained network"):
        averaged(tmp_path, wide())
    with pytest.raises(ModelError, match="no such trained network"):
        averaged(tmp_path, compact(), "last")
