"""Several processes that train one network, as torchrun starts them: each computes a share of every batch.

Each process draws and augments the whole batch alike, from the same seed, and takes every n-th sample of it, so that
what is learned from does not depend on their number. One of them, the first, writes.
"""

import os
from typing import cast

import torch
from torch import Tensor, distributed, nn


def join(device: str) -> str:
    """Meet the processes that torchrun has started; returns the device of this one. Alone, nothing happens."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or distributed.is_initialized():
        return device
    distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    if device != "cuda":
        return device
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))  # which is what "cuda" means from here on
    return device


def leave() -> None:
    """Part again, when all have come here."""
    if _many():
        distributed.barrier()
        distributed.destroy_process_group()


def first() -> bool:
    """Whether this process is the one that writes."""
    return not _many() or distributed.get_rank() == 0


def whole_batches(network: nn.Module) -> nn.Module:
    """The network with batch normalisation over all processes' samples, which only GPUs can."""
    on_gpu = any(p.is_cuda for p in network.parameters())
    if not (_many() and on_gpu):
        return network
    return cast(nn.Module, nn.SyncBatchNorm.convert_sync_batchnorm(network))  # type: ignore[no-untyped-call]


def together(network: nn.Module) -> nn.Module:
    """The network as it is called in training: its gradients are the mean over all processes."""
    return nn.parallel.DistributedDataParallel(network) if _many() else network


def share(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, float]:
    """This process's part of a batch, and the weight of its mean loss, so that the mean over processes is the batch's.

    A batch that is smaller than the number of processes leaves some with one sample of weight 0.
    """
    if not _many():
        return inputs, targets, 1.0
    rank, processes = distributed.get_rank(), distributed.get_world_size()
    mine = inputs[rank::processes]
    if not len(mine):
        return inputs[:1], targets[:1], 0.0
    return mine, targets[rank::processes], len(mine) * processes / len(inputs)


def mean(value: float, device: str) -> float:
    """The mean of a number over the processes."""
    if not _many():
        return value
    held = torch.tensor(value, dtype=torch.float32, device=device)
    distributed.all_reduce(held)
    return held.item() / distributed.get_world_size()


def _many() -> bool:
    return distributed.is_available() and distributed.is_initialized()
