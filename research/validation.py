"""The metrics of registered models on validation, under each protocol of their cards."""

from collections.abc import Iterator

from emoscope.training.evaluate import evaluate

from .rows import Row, Where
from .runner import Context
from .scores import confused, scored

SETS = {"face": "FER+", "voice": "CREMA-D", "sequence": "CREMA-D"}
"""Of each modality the data that its models are validated on."""


def validation(context: Context) -> Iterator[Row]:
    """Accuracy and what else there is, and the confusion, of each model under each protocol."""
    for model in context.models:
        card = model.card
        for protocol in (metrics["protocol"] for metrics in card.metrics):
            metrics = evaluate(card.name, context.data, "validation", protocol)
            where: Where = {
                "model": card.name,
                "protocol": protocol,
                "split": f"{SETS[card.modality]} validation",
            }
            yield from scored(metrics, metrics["labels"], **where)
            yield from confused(metrics["confusion"], metrics["labels"], **where)
