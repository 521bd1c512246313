"""Two processes under torchrun learn what one learns."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

SCRIPT = """
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from emoscope.training import loop, parallel
from emoscope.training.loop import Samples, Settings, Trainer

loop.fast_bfloat16 = lambda device: False  # whose rounding is a thousand times coarser


def noisy(inputs, targets):
    return inputs + 0.1 * torch.randn_like(inputs), targets


random = np.random.default_rng(0)
labels = random.integers(0, 3, 49)  # the last batch has one sample: less than there are processes
inputs = random.integers(0, 100, (49, 4, 4)).astype(np.uint8)
inputs[np.arange(49), labels] += 120
samples = Samples(inputs, np.eye(3, dtype=np.float32)[labels], labels)
torch.set_num_threads(1)
torch.manual_seed(0)
network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
device = parallel.join("cpu")
settings = Settings(epochs=3, batch=16, rate=1e-2, average=0.9)
out = Path(sys.argv[1])
trainer = Trainer(network, samples, samples, settings, lambda batch: batch.unsqueeze(1), noisy, noisy, out, device)
trainer.run()
parallel.leave()
"""


def trained(tmp_path: Path, name: str, *launcher: str) -> Path:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, *launcher, str(script), str(tmp_path / name)]
    alone = {k: v for k, v in os.environ.items() if k not in ("WORLD_SIZE", "RANK", "LOCAL_RANK")}
    run = subprocess.run(command, capture_output=True, text=True, env={**alone, "OMP_NUM_THREADS": "1"}, timeout=300)
    assert run.returncode == 0, run.stderr
    return tmp_path / name


def test_two_processes_give_the_weights_of_one(tmp_path: Path) -> None:
    one = trained(tmp_path, "one")
    two = trained(tmp_path, "two", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    states = [torch.load(folder / "last.pt", weights_only=True) for folder in (one, two)]
    for part in ("network", "averaged"):
        assert states[0][part].keys() == states[1][part].keys()
        for key, value in states[0][part].items():
            np.testing.assert_allclose(states[1][part][key], value, rtol=1e-3, atol=1e-5, err_msg=key)
    for first, second in zip(states[0]["history"], states[1]["history"], strict=True):
        assert first == pytest.approx(second, rel=1e-4)
