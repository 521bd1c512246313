"""The work of a study on a Ray cluster: each recording is a task."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from ..errors import EmoscopeError, missing_extra

Item = TypeVar("Item")
Result = TypeVar("Result")
RETRIES = 3
"""How often a task is done again whose worker was lost; it goes on from its evidence."""
LOCAL = "local"
"""The address of a cluster that is started on this machine, and ends with the study."""


def run_on_ray(
    work: Callable[[Item], Result], items: Sequence[Item], address: str, workers: int | None = None
) -> Iterator[tuple[Item, Result | None]]:
    """Do each item as a task on a cluster; see `pool.run_here`. One that loses `RETRIES` + 1 workers is given up.

    All machines of the cluster must see the recordings and the study's folder under the same paths, and have the same
    emoscope installed.

    Args:
        work: what to do.
        items: any number.
        address: of a started cluster, as `auto` or `ray://head:10001`; `local` starts one on this machine.
        workers: the most tasks at once; for `local`, its cores.

    Raises:
        EmoscopeError: Ray is not installed, or there is no cluster at the address.
    """
    try:
        import ray
    except ModuleNotFoundError:
        raise missing_extra("a study on a cluster", "ray", "cluster") from None
    started = not ray.is_initialized()
    if started:
        _connect(ray, address, workers)
    try:
        yield from _tasks(ray, work, items, workers)
    finally:
        if started:
            ray.shutdown()


def _connect(ray: Any, address: str, workers: int | None) -> None:
    try:
        if address == LOCAL:
            ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
        else:
            ray.init(address=address, log_to_driver=False)
    except Exception as error:  # Ray raises plain ones where a node does not start
        raise EmoscopeError(f"--ray {address}: there is no Ray cluster: {error}") from None


def _tasks(
    ray: Any, work: Callable[[Item], Result], items: Sequence[Item], workers: int | None
) -> Iterator[tuple[Item, Result | None]]:
    def do(item: Item) -> Result:
        return work(item)

    task = ray.remote(num_cpus=1, max_retries=RETRIES)(do)
    most = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    left, running = list(items)[::-1], dict[Any, Item]()
    try:
        while left or running:
            while left and len(running) < most:
                item = left.pop()
                running[task.remote(item)] = item
            (reference,), _ = ray.wait(list(running), num_returns=1)
            item = running.pop(reference)
            try:
                yield item, ray.get(reference)
            except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.OutOfMemoryError):
                yield item, None
    finally:
        for reference in running:
            ray.cancel(reference, force=True)
