"""A study on Ray: two workers on this machine, one of which is killed."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emoscope.errors import EmoscopeError

ray = pytest.importorskip("ray", reason="the extra `cluster` is not installed")

from emoscope.study.cluster import RETRIES, run_on_ray  # noqa: E402


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    try:
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=80_000_000)
    except Exception as error:  # a machine that is too busy to start Ray in its 30 s
        pytest.skip(f"Ray does not start here: {error}")
    yield
    ray.shutdown()


def worker(item: tuple[Path, int, int]) -> int:
    """Count that an item was begun; kill this worker as often as the item says."""
    folder, number, deaths = item
    with (folder / str(number)).open("a") as file:
        file.write("x")
    if (folder / str(number)).stat().st_size <= deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def outcome(folder: Path, deaths: dict[int, int]) -> tuple[dict[int, Any], dict[int, int]]:
    """What came of six items, and how often each was begun."""
    items = [(folder, number, deaths.get(number, 0)) for number in range(6)]
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import a test
    found = {item[1]: result for item, result in run_on_ray(worker, items, "auto", 2)}
    return found, {number: (folder / str(number)).stat().st_size for number in range(6)}


def test_a_lost_workers_task_is_done_again_and_no_other_twice(cluster: None, tmp_path: Path) -> None:
    found, begun = outcome(tmp_path, {3: 1})
    assert found == {number: number * number for number in range(6)}
    assert begun == {number: 2 if number == 3 else 1 for number in range(6)}


def test_a_task_that_kills_every_worker_is_given_up(cluster: None, tmp_path: Path) -> None:
    found, begun = outcome(tmp_path, {2: 99})
    assert found == {number: None if number == 2 else number * number for number in range(6)}
    assert begun[2] == RETRIES + 1


def test_no_cluster_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)

    def refuse(**_: Any) -> None:
        raise ConnectionError("nobody listens")

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(EmoscopeError, match="--ray there:1: there is no Ray cluster: nobody listens"):
        list(run_on_ray(worker, [], "there:1"))
