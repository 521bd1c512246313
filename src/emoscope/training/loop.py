"""The training loop: any network on any arrays, with averaged weights, checkpoints that resume, and curves."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from ..data.sampler import balanced_order
from ..errors import EmoscopeError
from . import parallel
from .board import Board
from .losses import Loss, cross_entropy
from .metrics import score

Augment = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Maps a batch of inputs and of target distributions `(n, classes)` to an augmented batch."""


@dataclass(frozen=True)
class Samples:
    """What a recipe trains or validates on.

    Attributes:
        inputs: uint8 `(n, ...)`, of which the network is given `inputs / 255`, or floats, given as they are.
        targets: float32 `(n, classes)`: the distribution to learn.
        labels: int64 `(n,)`: the class that counts as right, -1 where the protocol drops the sample.
        drawn: `(n,)`, sums to 1: the chance of each where an epoch draws its samples; `None` where it takes each once.
        taught: float32 `(n,)`: the share of each target that is the teachers', where there are any; `distil.SHARE` by
            default.
    """

    inputs: np.ndarray
    targets: np.ndarray
    labels: np.ndarray
    drawn: np.ndarray | None = None
    taught: np.ndarray | None = None


@dataclass(frozen=True)
class Settings:
    """The hyperparameters of one run.

    Attributes:
        epochs: passes over the training samples.
        finish: further passes with the gentle augmentation and `FINISH_RATE` of the rate, which again falls to 0:
            the network ends on samples as they are (Touvron et al. 2019, arXiv:1906.06423, section 3).
        batch: samples a step.
        rate: peak learning rate of AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101); a linear rise over
            `warmup` of the steps is followed by half a cosine down to 0.
        warmup: share of all steps.
        decay: weight decay.
        average: decay a step of the exponential moving average of the weights, which is what is validated and kept.
        smoothing: share of each target distribution that is spread evenly.
        seed: of the weights' start, the order of samples and the augmentation.
        balanced: whether the classes come in turn, so that each batch holds as many of each.
    """

    epochs: int
    batch: int = 128
    rate: float = 3e-3
    warmup: float = 0.1
    decay: float = 0.05
    average: float = 0.998
    smoothing: float = 0.0
    seed: int = 0
    finish: int = 0
    balanced: bool = False

    @property
    def passes(self) -> int:
        """All epochs, the finishing ones included."""
        return self.epochs + self.finish


FINISH_RATE = 0.3
"""Peak rate of the finishing epochs, as a share of the rate."""


Prepare = Callable[[Tensor], Tensor]
"""Maps a batch of inputs, uint8 / 255 as float32 or floats as they are, to what the network takes."""


def batch_of(inputs: np.ndarray, prepare: Prepare, device: str = "cpu") -> Tensor:
    """What a network is given for some samples' inputs."""
    scale = 255 if inputs.dtype == np.uint8 else 1
    return prepare(torch.from_numpy(inputs).to(device).float() / scale)


def logits_of(network: nn.Module, inputs: np.ndarray, prepare: Prepare, device: str = "cpu") -> np.ndarray:
    """Put a network in evaluation mode and run it over samples' inputs; returns `(n, classes)`."""
    network.eval()
    with torch.inference_mode():
        starts = range(0, len(inputs), 512)
        parts = [network(batch_of(inputs[i : i + 512], prepare, device)).float().cpu().numpy() for i in starts]
    return np.concatenate(parts)


class Trainer:
    """Trains a network and leaves `last.pt`, `best.pt` and `history.json` in `out`.

    Args:
        network: maps `(n, ...)` float32 in [0, 1] to logits `(n, classes)`.
        train: samples to learn from.
        validation: samples that choose the epoch: the one with the highest accuracy is kept.
        prepare: applied to every batch of inputs (uint8 / 255 as float32), for instance to add a channel.
        augment: applied to training batches after `prepare`.
        gentle: applied instead in the finishing epochs.
        device: `cpu` or `cuda`.
        loss: what is minimised.
    """

    def __init__(
        self,
        network: nn.Module,
        train: Samples,
        validation: Samples,
        settings: Settings,
        prepare: Prepare,
        augment: Augment,
        gentle: Augment,
        out: Path,
        device: str = "cpu",
        loss: Loss = cross_entropy,
    ) -> None:
        placed = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network = parallel.whole_batches(placed)
        self._shared = parallel.together(self.network)
        self._board = Board(out)
        self.averaged = torch.optim.swa_utils.AveragedModel(
            self.network, avg_fn=_average(settings.average), use_buffers=True
        )
        self.train_samples, self.validation = train, validation
        self.settings, self.prepare, self.out, self.device = settings, prepare, out, device
        self.augment, self.gentle, self.loss = augment, gentle, loss
        self.steps = math.ceil(len(train.inputs) / settings.batch)
        self.optimizer = torch.optim.AdamW(_groups(self.network, settings.decay), lr=settings.rate)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self._rate)
        self.history: list[dict[str, float]] = []

    def _rate(self, step: int) -> float:
        total = self.steps * self.settings.epochs
        if step >= total and self.settings.finish:
            return FINISH_RATE * _cosine((step - total) / max(1, self.steps * self.settings.finish))
        rise = max(1, round(total * self.settings.warmup))
        if step < rise:
            return (step + 1) / rise
        return _cosine((step - rise) / max(1, total - rise))

    def run(self, resume: bool = False) -> list[dict[str, float]]:
        """Train to the last epoch and return the history, one entry an epoch.

        With `resume`, go on from `last.pt` where there is one. Epoch `e` draws its order and augmentation from
        `seed + e`, so an interrupted run ends as an uninterrupted one.

        Raises:
            EmoscopeError: `last.pt` is damaged or of another network.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        if resume and (self.out / "last.pt").exists():
            self._restore()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
        )
        with Progress(*columns, disable=not parallel.first()) as progress:
            task = progress.add_task("training", total=self.steps * self.settings.passes)
            progress.update(task, completed=len(self.history) * self.steps)
            while len(self.history) < self.settings.passes:
                entry = self._epoch(lambda: progress.advance(task))
                if parallel.first():
                    progress.console.print(_line(entry, self.settings.passes))
                progress.update(task, description=f"training, validation {entry['validation_accuracy']:.1%}")
        return self.history

    def best(self) -> nn.Module:
        """The averaged network of the epoch with the highest validation accuracy, in evaluation mode."""
        state = torch.load(self.out / "best.pt", map_location=self.device, weights_only=True)
        self.averaged.load_state_dict(state)
        return self.averaged.module.eval()

    def last(self) -> nn.Module:
        """The averaged network of the last epoch, in evaluation mode."""
        module: nn.Module = self.averaged.module
        return module.eval()

    def logits(self, network: nn.Module, inputs: np.ndarray) -> np.ndarray:
        """What a network in evaluation mode says of samples' inputs: `(n, classes)`."""
        return logits_of(network, inputs, self.prepare, self.device)

    def batch(self, inputs: np.ndarray) -> Tensor:
        """What the network is given for some samples' inputs, on the device."""
        return batch_of(inputs, self.prepare, self.device)

    def _epoch(self, advance: Callable[[], None]) -> dict[str, float]:
        epoch, s = len(self.history), self.settings
        torch.manual_seed(s.seed + epoch)
        random = np.random.default_rng(s.seed + epoch)
        order = self._order(random)
        self.network.train()
        total = 0.0
        for i in range(0, len(order), s.batch):
            total += self._step(order[i : i + s.batch])
            advance()
        logits = self.logits(self.averaged.module, self.validation.inputs)
        kept = self.validation.labels >= 0
        metrics = score(logits[kept], self.validation.labels[kept])
        entry = {
            "epoch": epoch + 1,
            "train_loss": parallel.mean(total, self.device) / len(order),
            "validation_loss": cross_entropy(
                torch.from_numpy(logits), torch.from_numpy(self.validation.targets)
            ).item(),
            "validation_accuracy": metrics["accuracy"],
            "validation_uar": metrics["uar"],
        }
        self.history.append(entry)
        if parallel.first():
            self._save(entry)
            self._board.add(entry)
        return entry

    def _order(self, random: np.random.Generator) -> np.ndarray:
        samples, count = self.train_samples, len(self.train_samples.inputs)
        if samples.drawn is not None:
            return random.choice(count, count, p=samples.drawn)
        return balanced_order(samples.labels, count, random) if self.settings.balanced else random.permutation(count)

    def _step(self, index: np.ndarray) -> float:
        inputs = self.batch(self.train_samples.inputs[index])
        targets = torch.from_numpy(self.train_samples.targets[index]).to(self.device)
        finishing = len(self.history) >= self.settings.epochs
        inputs, targets = (self.gentle if finishing else self.augment)(inputs, targets)
        targets = targets * (1 - self.settings.smoothing) + self.settings.smoothing / targets.shape[1]
        inputs, targets, weight = parallel.share(inputs, targets)
        with torch.autocast(self.device, torch.bfloat16, enabled=fast_bfloat16(self.device)):
            logits = self._shared(inputs)
        loss = weight * self.loss(logits.float(), targets)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.schedule.step()
        self.averaged.update_parameters(self.network)
        return loss.item() * len(index)

    def _save(self, entry: dict[str, float]) -> None:
        if entry["validation_accuracy"] >= max(e["validation_accuracy"] for e in self.history):
            _write(self.averaged.state_dict(), self.out / "best.pt")
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "history": self.history,
        }
        _write(state, self.out / "last.pt")
        (self.out / "history.json").write_text(json.dumps(self.history, indent=1) + "\n")

    def _restore(self) -> None:
        path = self.out / "last.pt"
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.averaged.load_state_dict(state["averaged"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
            self.history = state["history"]
        except (RuntimeError, UnpicklingError, EOFError, LookupError, TypeError, ValueError) as error:
            raise EmoscopeError(
                f"{path} is no checkpoint of this run ({str(error).splitlines()[0]}); begin anew without --resume"
            ) from error


def _average(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """An exponential mean that forgets the weights' start at once: its decay rises from 0.1 to the given one."""

    def mean(averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        if not current.is_floating_point():
            return current
        n = int(count)
        return torch.lerp(current, averaged, min(decay, (1 + n) / (10 + n)))

    return mean


def fast_bfloat16(device: str) -> bool:
    """Whether bfloat16 is computed in hardware: emulated, it is ten times slower than float32."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(torch.cpu._is_avx512_bf16_supported())


def _cosine(done: float) -> float:
    """From 1 to 0 as `done` goes from 0 to 1."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weights decay; biases and normalisation do not."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    rest = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": weights, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]


def _write(state: dict[str, Any], path: Path) -> None:
    """Write beside, then rename: an interruption leaves the old checkpoint whole."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def _line(entry: dict[str, float], epochs: int) -> str:
    return (
        f"epoch {entry['epoch']:3.0f}/{epochs}  loss {entry['train_loss']:.3f}  "
        f"validation loss {entry['validation_loss']:.3f}  accuracy {entry['validation_accuracy']:.2%}  "
        f"recall {entry['validation_uar']:.3f}"
    )
