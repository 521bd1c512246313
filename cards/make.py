"""Write `cards/NAME.md`, a page a model, from the cards that the models are shipped with.

python cards/make.py
"""

import json
from pathlib import Path
from typing import Any

from emoscope import models

HERE = Path(__file__).parent


def main() -> None:
    """Write all pages; those of models that are no longer shipped are deleted."""
    for old in HERE.glob("*.md"):
        old.unlink()
    for name in models.names():
        page = HERE / f"{name}.md"
        page.write_text(render(models.card(name)), encoding="utf-8")
        print(page)


def render(card: models.Card) -> str:
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
        _header(card),
        f"# {card.name}",
        f"{card.description}.",
        _table(("", ""), facts.items()),
        "## Data",
        _table(("", ""), ((key.replace("_", " "), _words(value)) for key, value in card.data.items())),
        "## How good it is",
        *(_metrics(metrics, card.labels) for metrics in card.metrics),
        "## Limits",
        _list(card.limits),
        "## What it must not be used for",
        _list(card.not_for),
        "*This page is made from the model's card by `python cards/make.py`.*",
    ]
    return "\n\n".join(parts) + "\n"


def _header(card: models.Card) -> str:
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
    for metrics in card.metrics:
        name = json.dumps(f"{metrics['split']}, protocol {metrics['protocol']}, n {metrics['n']}")
        lines += [
            f"      - task: {{type: {task}}}",
            f"        dataset: {{name: {name}, type: {metrics['protocol']}, split: {metrics['split']}}}",
            "        metrics:",
            f"          - {{type: accuracy, value: {metrics['accuracy']:.4f}}}",
        ]
    return "\n".join([*lines, "---"])


def _command(recipe: str) -> str:
    """A model that no single training makes names its command instead of a recipe."""
    return recipe if " " in recipe else f"emoscope train {recipe} --data DATA --out OUT"


def _metrics(metrics: dict[str, Any], labels: tuple[str, ...]) -> str:
    low, high = metrics["interval"]
    lines = [
        f"### {metrics['split']}, protocol `{metrics['protocol']}`",
        _table(
            ("n", "accuracy", "95 % interval", "unweighted recall", "macro F1", "calibration error"),
            [
                (
                    f"{metrics['n']:,}",
                    _percent(metrics["accuracy"]),
                    f"{_percent(low)} to {_percent(high)}",
                    _percent(metrics["uar"]),
                    f"{metrics['macro_f1']:.3f}",
                    f"{metrics['ece']:.3f}",
                )
            ],
        ),
        "Recall of each emotion:",
        _table(labels, [tuple("none in the data" if r is None else _percent(r) for r in metrics["recall"])]),
        f"Measured by `{metrics['command']}`.",
    ]
    return "\n\n".join(lines)


def _table(heads: tuple[str, ...], rows: Any) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', '/') for cell in line)} |" for line in lines)


def _list(sentences: tuple[str, ...]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


if __name__ == "__main__":
    main()
