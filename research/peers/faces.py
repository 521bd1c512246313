"""Face models beside the packages that users can install with their weights, on the same faces in the same run.

FER+ validation (PublicTest) faces, under `majority` and `plurality`. Each peer gets a virtual environment of its own in
`CACHE/envs`, made at the first run (16 GB, some minutes) and used again; so is what each said of each face. Speed is
measured anew, each reader in a process of its own on one core, in turns; medians over the rounds: quote the ratios, on
a machine that does nothing else. About 4 minutes on two cores.
"""

import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emoscope.data import ferplus
from emoscope.emotions import EMOTIONS
from emoscope.errors import EmoscopeError
from emoscope.models.registry import paths
from emoscope.training.metrics import score, unweighted_recall

from ..rows import Row, Where
from ..runner import Context
from ..scores import scored
from ..speed.machine import machine

CHILD = Path(__file__).with_name("child.py")
TIMED = 300
"""Faces that are timed one by one."""
LONGEST_S = 3600
COMMON = 7
"""The first so many emotions are those that every peer can say."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1",
              "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}  # fmt: skip

WORDS: dict[str, str] = {
    **{name: name for name in EMOTIONS},
    "angry": "anger",
    "happy": "happiness",
    "sad": "sadness",
    "surprised": "surprise",
}
"""What the peers call the emotions."""


@dataclass(frozen=True)
class Contender:
    """Somebody who reads faces.

    Attributes:
        key: a key of `child.READERS`, or the name of one of our models.
        title: in the table.
        package: what pip installs for it; nothing for our own.
    """

    key: str
    title: str
    package: str = ""


PEERS = (
    Contender("fer", "fer, as it comes (TFLite, offsets 10)", "fer==25.10.3"),
    Contender("fer-0", "fer, offsets 0", "fer==25.10.3"),
    Contender("fer-keras", "fer, its Keras network, offsets 10", "fer==25.10.3"),
    Contender("facial-emotion-recognition", "facial-emotion-recognition", "facial-emotion-recognition==0.3.4"),
    Contender("facex", "facex", "facex==1.1.0"),
)


class Failed(Exception):
    """A peer could not be installed or run; the message says why."""


def peers(context: Context) -> Iterator[Row]:
    """Our models and every peer; the plan's option `rounds` says how often they are timed."""
    envs = context.cache / "envs"
    envs.mkdir(parents=True, exist_ok=True)
    images, votes = faces(context.data)
    contenders = (*(Contender(name, f"emoscope {name}") for name in context.run.models), *PEERS)
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(envs.resolve(), Path(folder), images)
        found = [row(contender, stage, votes) for contender in contenders]
        running = [c for c, one in zip(contenders, found, strict=True) if "failed" not in one]
        times = stage.times(running, context.option("rounds"))
    yield machine()
    for one in found:
        yield from rows(one | times.get(one["key"], {}))


def rows(of: dict[str, Any]) -> Iterator[Row]:
    """Accuracies, recalls, sizes and times of one contender; of one that could not be run, why."""
    name = of["title"].removeprefix("emoscope ") if not of["package"] else of["title"]
    if "failed" in of:
        yield Row(metric="could not be run", note=of["failed"], model=name)
        return
    for protocol in ferplus.PROTOCOLS:
        where: Where = {"model": name, "protocol": protocol, "split": "FER+ validation"}
        for one in scored({**of[protocol], "uar": None}, EMOTIONS, **where):
            if one.metric == "recall" and one.group in of["cannot_say"]:
                yield one.of(value=None, note="cannot say")
            else:
                yield one
        yield Row(metric="recall of seven", value=of[protocol]["uar"], n=of[protocol]["n"], **where)
    figures = {"parameters": of["parameters"] or None, "weights, MB": of["weights_mb"], "ms a face": of.get("ms"),
               "faces a second, batched": of.get("batched"), "cold start, s": of.get("start_s"),
               "installed, MB": of["installed_mb"]}  # fmt: skip
    for metric, value in figures.items():
        if value is not None:
            yield Row(metric=metric, value=value, model=name)
    versions = ", ".join(f"{package} {release}" for package, release in of["packages"].items())
    yield Row(metric="versions", note=versions, model=name)


def faces(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """The validation faces `(n, 48, 48)` that count under either protocol, and their votes `(n, 10)`."""
    read = ferplus.load(data, "validation")
    counts = np.any([label(read.votes) >= 0 for label in ferplus.PROTOCOLS.values()], axis=0)
    kept = read.take(np.flatnonzero(counts))
    return kept.images, kept.votes


class Stage:
    """Where the contenders perform.

    Args:
        envs: their environments, and what they said before.
        folder: for what is passed on between processes.
        images: uint8 `(n, 48, 48)`.
    """

    def __init__(self, envs: Path, folder: Path, images: np.ndarray) -> None:
        self.envs, self.folder, self.images = envs, folder, images
        np.save(folder / "all.npy", images)
        np.save(folder / "some.npy", images[:TIMED])

    def home(self, contender: Contender) -> Path:
        """The folder of a peer's environment."""
        return self.envs / contender.package.replace("==", "-")

    def installed_mb(self, contender: Contender) -> float | None:
        """Make a peer's environment, unless it is there; returns the size of all that is in it.

        Raises:
            Failed: pip cannot install it.
        """
        if not contender.package:
            return None
        home, note = self.home(contender), self.home(contender) / "installed.json"
        if not note.exists():
            print(f"installing {contender.package}", flush=True)
            venv.create(home, with_pip=True)
            pip = [str(python(home)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                   contender.package]  # fmt: skip
            finish(subprocess.run(pip, capture_output=True, text=True))
            size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file() and not path.is_symlink())
            note.write_text(json.dumps({"mb": size / 1e6}))
        return float(json.loads(note.read_text())["mb"])

    def said(self, contender: Contender) -> dict[str, Any]:
        """What a contender says of all faces, now or before.

        Raises:
            Failed: it cannot be run.
        """
        digest = hashlib.sha256(f"{contender.key} {contender.package}".encode() + CHILD.read_bytes())
        digest.update(self.images.tobytes())
        if not contender.package:
            digest.update(paths()[contender.key].read_bytes())
        kept = self.envs / "said" / f"{contender.key}-{digest.hexdigest()[:16]}.json"
        if not kept.exists():
            print(f"{contender.title} reads {len(self.images):,} faces", flush=True)
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(json.dumps(self.child(contender, "read", "all.npy")))
        answer: dict[str, Any] = json.loads(kept.read_text())
        return answer

    def child(self, contender: Contender, task: str, source: str) -> dict[str, Any]:
        """Run `child.py` in the contender's own environment.

        Raises:
            Failed: it ended with an error, or took too long.
        """
        executable = python(self.home(contender)) if contender.package else Path(sys.executable)
        out = self.folder / "answer.json"
        out.unlink(missing_ok=True)
        variables = {k: v for k, v in os.environ.items() if k != "PYTHONPATH" or not contender.package} | ONE_THREAD
        line = [str(executable), str(CHILD), contender.key, task, str(self.folder / source), str(out), str(time.time())]
        try:
            finish(subprocess.run(line, capture_output=True, text=True, env=variables, timeout=LONGEST_S))
            answer: dict[str, Any] = json.loads(out.read_text())
        except (subprocess.TimeoutExpired, OSError, ValueError) as error:
            raise Failed(str(error)) from None
        return answer

    def times(self, contenders: Sequence[Contender], rounds: int) -> dict[str, dict[str, Any]]:
        """Medians over rounds in which each contender has its turn; one that fails is left out, and said so."""
        runs: dict[str, list[dict[str, Any]]] = {contender.key: [] for contender in contenders}
        for turn in range(rounds):
            print(f"timing, round {turn + 1} of {rounds}", flush=True)
            for contender in contenders:
                try:
                    runs[contender.key].append(self.child(contender, "time", "some.npy"))
                except Failed as reason:
                    print(f"{contender.title} was not timed: {reason}", flush=True)
        return {key: {k: middle([run[k] for run in some]) for k in ("ms", "batched", "start_s")}
                for key, some in runs.items() if some}  # fmt: skip


def middle(values: Sequence[float | None]) -> float | None:
    """The median; nothing if there are no values."""
    some = [value for value in values if value is not None]
    return statistics.median(some) if some else None


def python(home: Path) -> Path:
    """The interpreter of an environment."""
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def finish(run: "subprocess.CompletedProcess[str]") -> None:
    """Raises `Failed` with the last line of a process that went wrong."""
    if run.returncode:
        lines = [line for line in run.stderr.splitlines() if line.strip()]
        raise Failed(lines[-1].strip() if lines else f"it ended with {run.returncode}")


def row(contender: Contender, stage: Stage, votes: np.ndarray) -> dict[str, Any]:
    """All of a contender but its speed."""
    known = {"key": contender.key, "title": contender.title, "package": contender.package}
    try:
        installed = stage.installed_mb(contender)
        answer = stage.said(contender)
    except Failed as reason:
        return {**known, "failed": str(reason)}
    said = columns(answer["said"])
    facts = {key: answer[key] for key in ("parameters", "weights_mb", "packages")}
    sayable = sorted(set(columns(answer["words"]).tolist()))
    return {
        **known, **facts, "installed_mb": installed,
        "cannot_say": [name for column, name in enumerate(EMOTIONS) if column not in sayable],
        **{protocol: metrics(said, label(votes)) for protocol, label in ferplus.PROTOCOLS.items()},
    }  # fmt: skip


def columns(words: Sequence[str]) -> np.ndarray:
    """The index in `EMOTIONS` of each of a peer's words.

    Raises:
        EmoscopeError: a word is not known.
    """
    if strange := {word for word in words if word.lower() not in WORDS}:
        raise EmoscopeError(f"unknown names of emotions: {', '.join(sorted(strange))}; add them to WORDS")
    return np.array([EMOTIONS.index(WORDS[word.lower()]) for word in words])


def metrics(said: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Accuracy, interval and recalls of what was said `(n,)` against labels `(n,)`, those below 0 left out."""
    kept = labels >= 0
    scored = score(np.eye(len(EMOTIONS))[said[kept]], labels[kept])
    return {
        **{key: scored[key] for key in ("n", "accuracy", "interval", "recall", "confusion")},
        "uar": unweighted_recall(scored["recall"][:COMMON]),
    }
