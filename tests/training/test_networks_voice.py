from itertools import pairwise
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from emoscope.errors import ModelError  # noqa: E402
from emoscope.training.export import to_onnx  # noqa: E402
from emoscope.training.networks_voice import (  # noqa: E402
    BANDS,
    Cepstra,
    Mels,
    ReferenceCNN,
    VoiceResNet,
    levelled,
    pooled,
)
from emoscope.training.pretrained import unfolded  # noqa: E402


def trained(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def running(network: nn.Module) -> int:
    """Means and variances of the normalisations, which Keras counts among the parameters."""
    return sum(buffer.numel() for name, buffer in network.named_buffers() if "running_" in name)


def test_the_reference_network_has_66150_parameters_of_which_65766_are_trained() -> None:
    network = ReferenceCNN(Cepstra())
    assert trained(network) == 65_766
    assert trained(network) + running(network) == 66_150
    counts = [
        trained(layer) + running(layer)
        for layer in [*network.features, network.head]
        if isinstance(layer, nn.Conv2d | nn.BatchNorm2d | nn.Linear)
    ]
    assert counts == [320, 128, 9_248, 128, 18_496, 256, 36_928, 256, 390]


def test_the_reference_networks_layers_have_the_published_shapes() -> None:
    network = ReferenceCNN(nn.Identity()).eval()
    x = torch.rand(2, 1, 40, 216)
    shapes = []
    for layer in network.features:
        x = layer(x)
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            shapes.append(tuple(x.shape[1:]))
    assert shapes == [(32, 38, 214), (32, 36, 212), (32, 18, 106), (64, 16, 104), (64, 14, 102)]
    assert network(torch.rand(2, 1, 40, 216)).shape == (2, 6)


def test_each_convolution_is_followed_by_leaky_relu_normalisation_and_spatial_dropout() -> None:
    layers = list(ReferenceCNN(Cepstra()).features)
    after = {type(second) for first, second in pairwise(layers) if isinstance(first, nn.Conv2d)}
    assert after == {nn.LeakyReLU}
    assert sum(isinstance(layer, nn.Dropout2d) for layer in layers) == 4


@pytest.mark.parametrize(
    ("front", "shape"), [(Cepstra(), (40, 188)), (Mels(42), (42, 188)), (Mels(64, frames=2, scaled=True), (64, 94))]
)
def test_fronts_make_pictures_and_have_no_parameters(front: nn.Module, shape: tuple[int, int]) -> None:
    assert front(torch.rand(3, 188, 128)).shape == (3, 1, *shape)
    assert trained(front) == 0
    assert trained(ReferenceCNN(front)) == 65_766


def test_the_front_gives_liftered_mfcc() -> None:
    from emoscope.data.spectra import cepstra

    window = torch.rand(1, 188, 128)
    found = Cepstra()(window)[0, 0].numpy()
    expected = cepstra(window[0].numpy())
    for k in (1, 7, 39):  # a lifter and a scale leave each coefficient's course as it is
        ratio = found[k] / expected[k]
        assert abs(ratio).std() < 1e-3 * abs(ratio).mean()


def test_the_voice_network_is_small_and_takes_averaged_bands() -> None:
    network = VoiceResNet().eval()
    assert trained(network) < 1_000_000
    windows = torch.rand(3, 188, 128)
    halved = pooled(windows).squeeze(1)
    assert halved.shape == (3, 188, BANDS)
    torch.testing.assert_close(network(windows), network(halved))


def test_the_voice_network_does_not_mind_where_a_window_begins() -> None:
    torch.manual_seed(0)
    network = VoiceResNet(normalise=levelled).eval()
    voice = torch.rand(2, 100, BANDS)

    def later(frames: int) -> torch.Tensor:
        return network(functional.pad(voice, (0, 0, 44 + frames, 44 - frames)))

    with torch.inference_mode():
        change = [float((later(frames) - later(0)).abs().max()) for frames in (2, 4)]
    assert change[1] < 0.2 * change[0]


def test_a_network_is_made_anew_from_its_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    made = VoiceResNet(stem=4, widths=(6, 8, 8), normalise=levelled)
    windows = torch.rand(6, 188, 128)
    made(windows)  # running means and deviations that are not those of the start
    to_onnx(made.eval(), windows, tmp_path / "voice.onnx")
    again = unfolded(tmp_path / "voice.onnx", VoiceResNet(stem=4, widths=(6, 8, 8), normalise=levelled), windows)
    with torch.inference_mode():
        torch.testing.assert_close(again(windows), made(windows), atol=1e-4, rtol=1e-4)
    statistics = {name: value for name, value in again.state_dict().items() if "running" in name}
    assert all(
        not torch.allclose(value, torch.full_like(value, round(float(value[0])))) for value in statistics.values()
    )
    with pytest.raises(ModelError, match="another network"):
        unfolded(tmp_path / "voice.onnx", VoiceResNet(), windows)


def test_the_voice_network_does_not_mind_contrast() -> None:
    """A window of half the range is the same to it, apart from what keeps silence from being divided by nothing."""
    network = VoiceResNet().eval()
    windows = 0.2 + 0.8 * torch.rand(3, 188, 128)
    difference = (network(windows) - network(0.5 * windows)).abs().max()
    assert difference < 0.35 * (network(windows) - network(windows.flip(1, 2))).abs().max() + 0.05


def test_silence_has_finite_scores_and_gradients() -> None:
    for network in (VoiceResNet(), ReferenceCNN(Cepstra()), ReferenceCNN(Mels(64, 2, True))):
        out = network(torch.zeros(4, 188, 128))
        out.sum().backward()
        assert torch.isfinite(out).all()
        assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)
