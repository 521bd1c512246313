"""What a reading needs to know of the model that made the logits of one source."""

from dataclasses import dataclass, fields
from typing import Any

from .baseline import Population


@dataclass(frozen=True, eq=False)
class Source:
    """A model, as a reading knows it.

    Attributes:
        name: of the model.
        modality: `face`, `voice` or `sequence`.
        labels: what its logits stand for.
        temperature: they are divided by it before the softmax.
        fusion_weight: exponent of its scores where face and voice are read together.
        population: how its logits vary over people, or `None` where that is not known: then there are no baselines.
    """

    name: str
    modality: str
    labels: tuple[str, ...]
    temperature: float
    fusion_weight: float
    population: Population | None = None

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> "Source":
        """The source that `evidence.info["models"]` describes."""
        known = {f.name: facts[f.name] for f in fields(cls)}
        labels = tuple(facts["labels"])
        population = Population.from_json(facts["population"], labels) if facts["population"] else None
        return cls(**{**known, "labels": labels, "population": population})

    def to_json(self) -> dict[str, Any]:
        """As `evidence.info["models"]` has it."""
        facts = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**facts, "population": self.population.to_json() if self.population else None}
