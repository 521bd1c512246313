"""Other settings than a recipe's."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

from emoscope.errors import EmoscopeError
from emoscope.training.changes import changed, read
from emoscope.training.loop import Settings


def test_a_file_and_then_the_command_line(tmp_path: Path) -> None:
    config = tmp_path / "slow.yaml"
    config.write_text("rate: 0.001\nbatch: 64\nbalanced: true\n")
    settings = changed(Settings(epochs=10, seed=7), read(config, ["batch=32", "average=1"]))
    assert settings == Settings(epochs=10, seed=7, rate=0.001, batch=32, balanced=True, average=1.0)
    assert isinstance(settings.average, float)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("batch", "--set batch: expected key=value"),
        ("batch=", "--set batch=: expected key=value"),
        ("batch=[", r"--set batch=\[: expected key=value"),
        ("speed=3", "no setting is named 'speed'; there are epochs, batch, rate"),
        ("batch=0", "batch: expected a whole number"),
        ("batch=1.5", "batch: expected a whole number"),
        ("batch=true", "batch: expected a whole number"),
        ("rate=fast", "rate: expected a number"),
        ("rate=.inf", "rate: expected a number"),
        ("smoothing=1.5", "smoothing: expected a number from 0 to 1"),
        ("balanced=1", "balanced: expected true or false"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(pair: str, said: str) -> None:
    with pytest.raises(EmoscopeError, match=said) as raised:
        changed(Settings(epochs=10), read(None, [pair]))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [", "", "just words"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(text)
    with pytest.raises(EmoscopeError, match=r"expected a yaml of lines such as `batch: 64`"):
        read(config, [])
