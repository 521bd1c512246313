"""The direction of imports that CONTRIBUTING.md promises, and what is not loaded until it is needed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import emoscope

ROOT = Path(emoscope.__file__).parent

FLOORS = {
    "errors": 0, "emotions": 0, "calibration": 0, "columns": 0, "packing": 0, "usertable": 0,
    "evidence": 1, "timeline": 1, "media": 1, "models": 1,
    "face": 2, "voice": 2, "reading": 2, "report": 2, "export": 2,
    "observer": 3, "data": 3, "persons": 3, "people": 3,
    "session": 4, "training": 4,
    "observing": 5, "given": 5, "capture": 5,
    "analysis": 6,
    "outputs": 7,
    "live": 8, "study": 8, "options": 8,
    "cli": 9,
    "__init__": 10, "__main__": 10,
}  # fmt: skip
"""Each room's floor: it may import from floors below its own, and from itself."""

TORCH = {"torch", "torchvision", "torchaudio", "kornia"}


@dataclass(frozen=True)
class Import:
    """One import statement: the module it stands in, what it asks for, and whether it runs with the module."""

    module: str
    wanted: str
    at_once: bool

    @property
    def rooms(self) -> tuple[str, str]:
        return _room(self.module), _room(self.wanted)


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def _modules() -> dict[str, Path]:
    names = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        names[".".join(("emoscope", *(parts[:-1] if parts[-1] == "__init__" else parts)))] = path
    return names


MODULES = _modules()


def _imports(module: str) -> Iterator[Import]:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    for node, at_once in _statements(tree, True):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, at_once)
            continue
        base = node.module or ""
        if node.level:
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, base] if base else above)
        for alias in node.names:
            full = f"{base}.{alias.name}"
            yield Import(module, full if full in MODULES else base, at_once)


def _statements(node: ast.AST, at_once: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, at_once
        else:
            deferred = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
            yield from _statements(child, at_once and not deferred and not typing_only)


EVERY = [found for module in MODULES for found in _imports(module)]
OWN = [found for found in EVERY if found.wanted in MODULES]


def test_imports_are_found() -> None:
    assert Import("emoscope.observer", "emoscope.media", True) in EVERY
    assert Import("emoscope.cli", "emoscope.training.run", False) in EVERY
    assert Import("emoscope.face.detect", "emoscope.face.mtcnn", True) in EVERY
    assert Import("emoscope.__init__", "emoscope.session", False) not in EVERY  # the package's name has no __init__
    assert Import("emoscope", "emoscope.session", False) in EVERY


def test_every_room_has_a_floor() -> None:
    assert {_room(module) for module in MODULES} <= set(FLOORS)


def test_imports_run_one_way() -> None:
    wrong = []
    for found in OWN:
        here, there = found.rooms
        if here != there and FLOORS[there] >= FLOORS[here]:
            wrong.append(f"{found.module} imports {found.wanted}")
    assert not wrong


def test_media_models_and_report_know_nothing_of_session() -> None:
    rooms = {"media", "models", "report"}
    assert not [
        f for f in OWN if f.rooms[0] in rooms and f.rooms[1] in ("session", "analysis", "outputs", "live", "cli")
    ]


def test_reading_sees_no_pixel_no_sample_and_no_network() -> None:
    known = {"errors", "emotions", "calibration", "columns", "evidence", "timeline", "reading"}
    reading = [f for f in EVERY if f.rooms[0] == "reading"]
    assert {f.rooms[1] for f in reading if f.wanted in MODULES} <= known
    assert not {f.wanted.split(".")[0] for f in reading} & {"cv2", "av", "onnxruntime", "PIL"}


def test_nothing_at_run_time_imports_data_or_training() -> None:
    apart = {"data", "training"}
    found = [f for f in OWN if f.rooms[1] in apart and f.rooms[0] not in apart]
    assert not [f for f in found if f.rooms[0] != "cli" or f.at_once]


def test_only_training_and_augmentation_import_torch() -> None:
    users = {f.module for f in EVERY if f.wanted.split(".")[0] in TORCH}
    allowed = {"emoscope.data.augment", "emoscope.data.twins"}
    assert not {u for u in users if _room(u) != "training"} - allowed


def test_no_circles() -> None:
    needs: dict[str, set[str]] = {module: set() for module in MODULES}
    for found in OWN:
        if found.at_once and not found.module.startswith(f"{found.wanted}."):
            needs[found.module].add(found.wanted)
    done: set[str] = set()

    def walk(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " > ".join((*path, module))
        if module not in done:
            for other in sorted(needs[module]):
                walk(other, (*path, module))
            done.add(module)

    for module in MODULES:
        walk(module, ())


def _loaded(code: str) -> set[str]:
    """The top-level modules that are loaded after some code has run in a fresh interpreter."""
    code += "\nimport sys\nprint('\\n' + ' '.join({name.split('.')[0] for name in sys.modules}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.splitlines()[-1].split())


HELP = "from emoscope.cli import main; main(['--help'], standalone_mode=False)"


@pytest.mark.parametrize("code", ["import emoscope", HELP, HELP.replace("'--help'", "'analyze', '--help'")])
def test_import_and_help_load_nothing_heavy(code: str) -> None:
    heavy = {"av", "cv2", "jinja2", "matplotlib", "numpy", "onnxruntime", "PIL", "pyarrow", "rich", "tensorflow"}
    assert not _loaded(code) & (heavy | TORCH)


@pytest.mark.parametrize(
    "code",
    ["import emoscope.analysis, emoscope.outputs", "import emoscope.live.serve", "import emoscope.training.evaluate"],
)
def test_the_run_time_and_evaluation_need_no_torch(code: str) -> None:
    assert not _loaded(code) & (TORCH | {"matplotlib", "onnx", "tensorflow"})
