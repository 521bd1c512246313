"""The queue of analyses: they wait, are worked at, and are kept for a while, also over a restart of the server."""

import logging
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from ..errors import EmoscopeError
from .ledger import Ledger, Record
from .order import INPUT, PEOPLE, Order
from .working import JobError, Progress, work

_log = logging.getLogger(__name__)

MOST_TRIES = 3
"""Times that a job is begun before it counts as failed: one that takes its server down is not tried for ever."""
FOLDER = "analyses"
"""Where the jobs' own folders are, beside the book: whatever else is in there is removed."""
SWEEP_S = 1.0
"""Seconds between two looks for what has been kept long enough."""


class Full(EmoscopeError):
    """There is no place left in the queue, or on the disk."""


@dataclass(eq=False)
class Job:
    """A job that the server knows.

    Attributes:
        record: what the book has of it.
        folder: where its files are.
        progress: how far it is, while it runs.
        changed: set when anything of it changes; then there is a new one.
        gone: whether it was removed.
        scope: ends it, while it runs.
        stages: seconds that each step took.
    """

    record: Record
    folder: Path
    progress: Progress | None = None
    changed: anyio.Event = field(default_factory=anyio.Event)
    gone: bool = False
    scope: anyio.CancelScope | None = None
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self.gone or self.record.state in ("done", "failed")

    def tell(self) -> None:
        """Wake who watches it."""
        self.changed.set()
        self.changed = anyio.Event()


class Jobs:
    """All jobs of a server.

    Args:
        places: of analyses at once, shared with who else analyses.
        longest_s: seconds that one may take.
        waiting: jobs that may wait.
        keep_s: seconds that a job is kept after it ended.
        room: bytes that must be free on the disk for another one.

    Attributes:
        ended: told each job that was done or failed.
    """

    def __init__(self, places: anyio.Semaphore, longest_s: float, waiting: int, keep_s: float, room: int) -> None:
        self.places, self.longest_s, self.waiting, self.keep_s, self.room = places, longest_s, waiting, keep_s, room
        self._jobs: dict[str, Job] = {}
        self._receiving = 0
        self._ledger: Ledger
        self._folder: Path
        self._come = anyio.Event()
        self.ended: Callable[[Job], None] = lambda job: None

    @property
    def has_room(self) -> bool:
        """Whether the disk has room for another one."""
        return shutil.disk_usage(self._folder).free >= self.room

    @contextmanager
    def open(self, folder: Path) -> Iterator[None]:
        """Have the jobs of a folder: those that were under way are at the head of the queue again.

        Raises:
            EmoscopeError: another server has them, or the folder cannot be used.
        """
        with Ledger(folder) as self._ledger:
            self._folder = folder / FOLDER
            self._folder.mkdir(exist_ok=True, mode=0o700)
            for record in self._ledger.all():
                if record.state == "running":
                    record.state = "queued"
                self._jobs[record.id] = Job(record, self._folder / record.id)
            for left in self._folder.iterdir():  # of uploads that broke off
                if left.name not in self._jobs:
                    shutil.rmtree(left, ignore_errors=True)
            try:
                yield
            finally:
                self._jobs.clear()

    async def run(self) -> None:
        """Work until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._forget)
            while True:
                await self._next(tasks)

    @property
    def queued(self) -> list[Job]:
        """Those that wait, the next one first."""
        return [job for job in self._jobs.values() if job.record.state == "queued"]

    @property
    def running(self) -> int:
        """Jobs under way."""
        return sum(job.record.state == "running" for job in self._jobs.values())

    def unfinished(self, owner: str) -> int:
        """How many of an owner's jobs wait or run."""
        return sum(job.record.owner == owner and not job.over for job in self._jobs.values())

    @contextmanager
    def arriving(self, owner: str | None) -> Iterator["Arrival"]:
        """A place in the queue while a recording comes; its folder is removed unless it is `submit`ted.

        Raises:
            Full: there is none left.
        """
        if len(self.queued) + self._receiving >= self.waiting:
            raise Full(f"{self.waiting} analyses are waiting; try again later")
        if not self.has_room:
            raise Full("the server's disk is full; try again later")
        self._receiving += 1
        id = secrets.token_urlsafe(16)
        folder = self._folder / id
        try:
            folder.mkdir(mode=0o700)
            yield Arrival(self, id, folder, owner)
        finally:
            self._receiving -= 1
            if id not in self._jobs:
                shutil.rmtree(folder, ignore_errors=True)

    def get(self, id: str, owner: str | None) -> Job:
        """One of the owner's jobs.

        Raises:
            KeyError: the owner has no such job, or it was kept long enough.
        """
        job = self._jobs[id]
        if job.record.owner != owner:
            raise KeyError(id)
        return job

    def before(self, job: Job) -> int | None:
        """How many jobs wait before one; `None` if it does not wait."""
        queued = self.queued
        return queued.index(job) if job in queued else None

    def expires(self, job: Job) -> float | None:
        """Seconds since 1970 at which a job is forgotten; `None` while that is not known."""
        return None if job.record.ended is None else job.record.ended + self.keep_s

    async def watch(self, job: Job) -> AsyncIterator[Job]:
        """The job now and whenever something of it changes, until nothing will."""
        while True:
            changed = job.changed
            yield job
            if job.over:
                return
            await changed.wait()

    def remove(self, job: Job) -> None:
        """End a job, and remove it with all its files."""
        if self._jobs.pop(job.record.id, None) is None:
            return
        self._ledger.remove(job.record.id)
        job.gone = True
        if job.scope:
            job.scope.cancel()  # its files go when its process has ended
        else:
            shutil.rmtree(job.folder, ignore_errors=True)
        self._moved(job)

    def submit(self, record: Record, folder: Path) -> Job:
        """Take a job whose recording has come."""
        self._ledger.put(record)
        job = self._jobs[record.id] = Job(record, folder)
        self._come.set()
        return job

    async def _next(self, tasks: TaskGroup) -> None:
        """Begin the next job as soon as there is one, and a place for it."""
        while not self.queued:
            self._come = anyio.Event()
            await self._come.wait()
        await self.places.acquire()
        if not (queued := self.queued):  # it was removed meanwhile
            self.places.release()
            return
        job = queued[0]
        job.scope = anyio.CancelScope()
        job.record.state, job.record.began = "running", time.time()
        job.record.tries += 1
        self._ledger.put(job.record)
        self._moved(job)
        tasks.start_soon(self._work, job, job.scope)

    async def _work(self, job: Job, scope: anyio.CancelScope) -> None:
        record = job.record
        try:
            with scope:
                if record.tries > MOST_TRIES:
                    raise JobError(f"{record.order.name}: was interrupted {MOST_TRIES} times; it is not tried again")
                async with aclosing(work(job.folder, record.order, self.longest_s)) as events:
                    begun = time.monotonic()
                    async for job.progress in events:
                        step = job.progress.step
                        if step not in job.stages:
                            begun = time.monotonic()
                        job.stages[step] = time.monotonic() - begun
                        job.tell()
                record.state = "done"
        except JobError as error:
            record.state, record.error = "failed", str(error)
        except anyio.get_cancelled_exc_class():  # the server ends in order: that is no fault of the job's
            record.tries -= 1
            self._ledger.put(record)
            raise
        except Exception:  # one job must not end the others
            _log.exception("job %s", record.id)
            record.state, record.error = "failed", f"{record.order.name}: the server could not analyse it"
        finally:
            job.scope = None
            self.places.release()
        if job.gone:
            shutil.rmtree(job.folder, ignore_errors=True)
            return
        record.ended = time.time()
        self._ledger.put(record)
        self.ended(job)
        _forget_recording(job.folder)
        self._moved(job)

    async def _forget(self) -> None:
        """Remove what has been kept long enough."""
        while True:
            for job in list(self._jobs.values()):
                if (expires := self.expires(job)) is not None and time.time() >= expires:
                    self.remove(job)
            await anyio.sleep(SWEEP_S)

    def _moved(self, job: Job) -> None:
        """Tell a job, and those that wait: their place may be another now."""
        for told in {job, *self.queued}:
            told.tell()


@dataclass(frozen=True)
class Arrival:
    """A recording that comes.

    Attributes:
        jobs: where it comes to.
        id: of the job to be.
        folder: where it is laid.
        owner: whose it is.
    """

    jobs: Jobs
    id: str
    folder: Path
    owner: str | None

    def submit(self, order: Order) -> Job:
        """It has come: it is a job now."""
        record = Record(id=self.id, order=order, owner=self.owner, created=time.time())
        return self.jobs.submit(record, self.folder)


def _forget_recording(folder: Path) -> None:
    """Remove the recording, and who was to be recognised: the results are what is kept."""
    for path in (folder / INPUT, folder / PEOPLE):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
