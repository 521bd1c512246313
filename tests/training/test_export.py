from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from emoscope.emotions import CREMAD_EMOTIONS, EMOTIONS  # noqa: E402
from emoscope.errors import ModelError  # noqa: E402
from emoscope.models import Card, Model  # noqa: E402
from emoscope.training.export import check, export  # noqa: E402
from emoscope.training.networks import FaceResNet  # noqa: E402
from emoscope.training.networks_voice import VoiceResNet  # noqa: E402


def card(labels: tuple[str, ...]) -> Card:
    return Card("tiny", "face", "", labels, {}, 0, 1.5, {}, (), "Apache-2.0", (), (), "none")


def network() -> nn.Module:
    """As trained: its normalisation has seen something."""
    torch.manual_seed(0)
    net = FaceResNet(widths=(4, 6, 8), blocks=(1, 1, 1))
    for _ in range(3):
        net(torch.rand(8, 1, 48, 48))
    return net.eval()


@pytest.mark.parametrize("count", [1, 2, 7])
def test_onnx_gives_what_torch_gives(count: int, tmp_path: Path) -> None:
    net = network()
    assert export(net, torch.rand(4, 1, 48, 48), card(EMOTIONS), tmp_path / "tiny.onnx") < 1e-4
    inputs = torch.rand(count, 1, 48, 48, generator=torch.Generator().manual_seed(count))
    with torch.inference_mode():
        expected = net(inputs).numpy()
    model = Model(tmp_path / "tiny.onnx")
    np.testing.assert_allclose(model.logits(inputs.numpy()), expected, atol=1e-4)
    np.testing.assert_allclose(
        model.scores(inputs.numpy()), torch.softmax(torch.from_numpy(expected) / 1.5, 1), atol=1e-5
    )


def test_the_voice_network_is_exported_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = VoiceResNet(stem=4, widths=(6, 8))
    example = torch.rand(3, 188, 128)
    assert export(net, example, card(CREMAD_EMOTIONS), tmp_path / "tiny.onnx") < 1e-4
    assert Model(tmp_path / "tiny.onnx").logits(np.zeros((5, 188, 128))).shape == (5, 6)


def test_a_file_of_half_the_size_says_nearly_the_same(tmp_path: Path) -> None:
    net, example = FaceResNet(widths=(16, 32, 48)).eval(), torch.rand(4, 1, 48, 48)
    whole, half = tmp_path / "whole.onnx", tmp_path / "half.onnx"
    export(net, example, card(EMOTIONS), whole)
    assert 0 < export(net, example, card(EMOTIONS), half, half=True) < 1e-2
    assert half.stat().st_size < 0.55 * whole.stat().st_size
    assert np.ptp(Model(half).logits(example.numpy()) - Model(whole).logits(example.numpy())) > 0


def test_a_network_in_training_is_exported_as_it_is_used(tmp_path: Path) -> None:
    net = network().train()
    export(net, torch.rand(4, 1, 48, 48), card(EMOTIONS), tmp_path / "tiny.onnx")
    model = Model(tmp_path / "tiny.onnx")
    ones = np.ones((2, 1, 48, 48), np.float32)
    np.testing.assert_array_equal(model.logits(ones), model.logits(ones))  # no dropout
    assert not net.training


def test_a_changed_weight_is_found_out(tmp_path: Path) -> None:
    net, path, example = network(), tmp_path / "tiny.onnx", torch.rand(4, 1, 48, 48)
    export(net, example, card(EMOTIONS), path)
    with torch.no_grad():
        net.head[1].bias[0] += 0.01
    with pytest.raises(ModelError, match=r"ONNX and torch differ by 0\.01, more than 0\.001"):
        check(net, example, path)


def test_logits_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    net, path, example = network(), tmp_path / "tiny.onnx", torch.rand(4, 1, 48, 48)
    with torch.no_grad():
        net.head[1].bias[0] = float("nan")
    with pytest.raises(ModelError, match="differ by nan"):
        export(net, example, card(EMOTIONS), path)


def test_an_export_that_mixes_the_inputs_of_a_batch_is_refused(tmp_path: Path) -> None:
    class Mixing(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            flat = inputs.flatten(1)[:, :8]
            return flat - flat.mean(0, keepdim=True)

    with pytest.raises(ModelError, match="ONNX and torch differ"):
        export(Mixing(), torch.rand(4, 1, 48, 48), card(EMOTIONS), tmp_path / "tiny.onnx")


def test_the_file_needs_no_other_and_takes_any_number_of_inputs(tmp_path: Path) -> None:
    export(network(), torch.rand(4, 1, 48, 48), card(EMOTIONS), tmp_path / "tiny.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.json", "tiny.onnx"]
    graph = onnx.load(tmp_path / "tiny.onnx").graph
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "n"
    assert [d.dim_value for d in graph.output[0].type.tensor_type.shape.dim][1:] == [8]
