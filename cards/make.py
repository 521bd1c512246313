"""Write `cards/NAME.md`, a page a model: what the card says that it is shipped with, and what `results/` says it can.

python cards/make.py
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emoscope import models

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))  # for research

from research import plan  # noqa: E402
from research.rows import Row, read, select  # noqa: E402
from research.tables import Layout, table  # noqa: E402

STUDIES = {"face": "faces", "voice": "voices", "sequence": "sequences"}
"""Of each modality the study that measures its models."""


def main() -> None:
    """Write all pages; those of models that are no longer shipped are deleted."""
    for old in HERE.glob("*.md"):
        old.unlink()
    for name in models.names():
        page = HERE / f"{name}.md"
        page.write_text(render(models.card(name), measured(name)), encoding="utf-8")
        print(page)


def measured(name: str) -> list[Row]:
    """What the model's study says of its weights as they are shipped, on validation."""
    study = plan.load(STUDIES[models.card(name).modality])
    return select(read(study.table, Row), run="validation", model=name, weights=plan.weights(name))


def render(card: models.Card, rows: Sequence[Row]) -> str:
    """The page of one model."""
    facts = {
        "modality": card.modality,
        "emotions": ", ".join(card.labels),
        **{f"input: {key}": _words(value) for key, value in card.input.items()},
        "parameters": f"{card.parameters:,}",
        "temperature": f"{card.temperature:.3f}",
        "made by": f"`{_command(card.recipe)}`",
        "licence of the weights": card.licence,
    }
    parts = [
        _header(card, rows),
        f"# {card.name}",
        f"{card.description}.",
        _table(("", ""), facts.items()),
        "## Data",
        _table(("", ""), ((key.replace("_", " "), _words(value)) for key, value in card.data.items())),
        "## How good it is",
        *(_metrics(rows, protocol) for protocol in dict.fromkeys(row.protocol for row in rows)),
        "## Limits",
        _list(card.limits),
        "## What it must not be used for",
        _list(card.not_for),
        "*This page is made from the model's card and the tables in `results/` by `python cards/make.py`.*",
    ]
    return "\n\n".join(parts) + "\n"


def _header(card: models.Card, rows: Sequence[Row]) -> str:
    """YAML that Hugging Face's model pages are listed by: https://huggingface.co/docs/hub/model-cards."""
    kind = {"face": "image-classification", "voice": "audio-classification", "sequence": "video-classification"}
    task = kind[card.modality]
    lines = [
        "---",
        f"license: {card.licence.lower()}",
        "library_name: emoscope",
        f"pipeline_tag: {task}",
        "tags: [emotion-recognition, onnx]",
        "model-index:",
        f"  - name: {card.name}",
        "    results:",
    ]
    for row in select(rows, metric="accuracy"):
        name = json.dumps(f"{row.split}, protocol {row.protocol}, n {row.n}")
        lines += [
            f"      - task: {{type: {task}}}",
            f"        dataset: {{name: {name}, type: {row.protocol}, split: validation}}",
            "        metrics:",
            f"          - {{type: accuracy, value: {row.value:.4f}}}",
        ]
    return "\n".join([*lines, "---"])


def _command(recipe: str) -> str:
    """A model that no single training makes names its command instead of a recipe."""
    return recipe if " " in recipe else f"emoscope train {recipe} --data DATA --out OUT"


def _metrics(rows: Sequence[Row], protocol: str) -> str:
    own = select(rows, protocol=protocol)
    layout = Layout(metrics=("accuracy", "uar", "macro_f1", "ece"), rows=())
    lines = [
        f"### {own[0].split}, protocol `{protocol}`",
        table(select(own, metric=layout.metrics), layout),
        "Recall of each emotion that the data have:",
        table(select(own, metric="recall"), Layout(columns="group", rows=())),
        f"Measured by `{own[0].command}`.",
    ]
    return "\n\n".join(lines)


def _table(heads: tuple[str, ...], rows: Any) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', '/') for cell in line)} |" for line in lines)


def _list(sentences: tuple[str, ...]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


if __name__ == "__main__":
    main()
