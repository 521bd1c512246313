"""What is known of a person from other recordings, kept in a file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import EmoscopeError
from .baseline import Offset, Population
from .source import Source


@dataclass(frozen=True, eq=False)
class Known:
    """What one model knows of a person.

    Attributes:
        model: its name.
        mean: `(k,)`, of the person's offset in the recording.
        covariance: `(k, k)`.
        seconds: of what was seen or heard.
    """

    model: str
    mean: np.ndarray
    covariance: np.ndarray
    seconds: float


@dataclass(frozen=True, eq=False)
class Profile:
    """A person's baseline: by source, `face` or `voice`.

    It is biometric data: of whom it was made can be told from it, roughly, and surely where it holds the identity.

    Attributes:
        known: of the baseline.
        identity: embeddings of unit length by which the person is known again, by source; none unless they were kept.
    """

    known: Mapping[str, Known]
    identity: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        offsets: Mapping[str, Offset],
        sources: Mapping[str, Source],
        identity: Mapping[str, np.ndarray] | None = None,
    ) -> "Profile":
        """The profile of a person of whom these offsets are known, and what they look and sound like."""
        known = {}
        for name, offset in offsets.items():
            population = sources[name].population
            assert population
            basis = population.basis
            covariance = basis @ offset.covariance @ basis.T
            known[name] = Known(sources[name].name, basis @ offset.mean, covariance, offset.seconds)
        return cls(known, identity or {})

    @classmethod
    def load(cls, path: str | Path) -> "Profile":
        """Read a profile.

        Raises:
            EmoscopeError: the file is missing, or is no profile.
        """
        try:
            whole = json.loads(Path(path).read_text(encoding="utf-8"))
            facts, told = whole["emoscope_profile"], whole.get("identity", {})
            identity = {str(name): _direction(told[name]) for name in told}
            known = {
                str(name): Known(
                    str(one["model"]),
                    np.array(one["mean"], np.float64),
                    np.array(one["covariance"], np.float64),
                    float(one["seconds"]),
                )
                for name, one in facts.items()
            }
        except OSError as error:
            raise EmoscopeError(f"{path}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise EmoscopeError(f"{path} is no profile; make one with: emoscope profile FOLDER --out {path}") from None
        return cls(known, identity)

    def write(self, path: str | Path) -> None:
        """Write it as JSON."""
        facts: dict[str, Any] = {
            name: {
                "model": one.model,
                "mean": np.round(one.mean, 4).tolist(),
                "covariance": np.round(one.covariance, 5).tolist(),
                "seconds": round(one.seconds, 1),
            }
            for name, one in self.known.items()
        }
        whole: dict[str, Any] = {"emoscope_profile": facts}
        if self.identity:
            whole["identity"] = {name: np.round(row, 4).tolist() for name, row in self.identity.items()}
        Path(path).write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")

    def elsewhere(self, name: str, source: Source) -> Offset | None:
        """What it says of the person's offset in another recording; `None` where it is not of this model.

        Of an offset N(m, V) the person's own part is N(G m, G V G' + B - G B), G = B (B + C)^-1; the rest was that
        recording's, and the other recording adds one of its own, N(0, C).

        Raises:
            EmoscopeError: the profile does not fit the model.
        """
        one, population = self.known.get(name), source.population
        if one is None or population is None or one.model != source.name:
            return None
        k = len(population.labels)
        if one.mean.shape != (k,) or one.covariance.shape != (k, k) or not np.isfinite(one.covariance).all():
            raise EmoscopeError(f"a profile of {one.model} has other labels than the model")
        basis = population.basis
        persons, recordings = population.parts
        gain = persons @ np.linalg.inv(persons + recordings)
        covariance = gain @ (basis.T @ one.covariance @ basis) @ gain.T + persons - gain @ persons + recordings
        return Offset(gain @ (basis.T @ one.mean), covariance, one.seconds, "a profile")


def _direction(values: Any) -> np.ndarray:
    """Numbers as a vector of unit length.

    Raises:
        ValueError: they are none.
    """
    row = np.array(values, np.float64)
    if row.ndim != 1 or not 16 <= len(row) <= 4096 or not np.isfinite(row).all() or not row.any():
        raise ValueError("no embedding")
    return np.asarray(row / np.linalg.norm(row))


def shared(offsets: list[Offset], population: Population) -> list[Offset]:
    """What each person's offset is expected to be, given those of the others in the same recording.

    The others say of what all share, c ~ N(0, C), what is left of their offsets b_j = p_j + c, p_j ~ N(0, B). The
    evidence of person j alone is the posterior without the prior: precision L = V^-1 - (B + C)^-1, pull V^-1 m.

    Args:
        offsets: of the persons, each learned by itself from `population.nothing`.
        population: of the model.
    """
    persons, recordings = population.parts
    eye = np.eye(len(persons))
    prior = np.linalg.inv(persons + recordings)
    precisions, pulls = [], []
    for offset in offsets:
        own = np.linalg.inv(offset.covariance)
        values, vectors = np.linalg.eigh(own - prior)
        evidence = (vectors * np.maximum(values, 0.0)) @ vectors.T
        away = np.linalg.inv(eye + evidence @ persons)
        precisions.append(away @ evidence)
        pulls.append(away @ own @ offset.mean)
    apart = np.linalg.inv(recordings)
    expected = []
    for place in range(len(offsets)):
        rest = [j for j in range(len(offsets)) if j != place]
        covariance = np.linalg.inv(apart + sum(precisions[j] for j in rest))
        mean = covariance @ sum((pulls[j] for j in rest), np.zeros(len(persons)))
        expected.append(Offset(mean, covariance + persons, 0.0, "the others in it"))
    return expected
