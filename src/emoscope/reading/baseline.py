"""Everyone against their own baseline: what a person's resting face and voice, and the recording, do to the logits.

The model. For a moment of person p that shows emotion z, a network's logits (centred: a constant added to all of them
says nothing) are

    l = mu_z + b + noise,    b ~ N(0, B),    noise ~ N(0, S),

mu_z the mean of the emotion over many people, b the offset of this person in this recording: their face at rest, their
voice, the camera, the microphone. B is how such offsets vary, S how moments of one person and emotion vary. This is
linear discriminant analysis with a random effect for the class of persons, as in within-class covariance normalisation
and probabilistic LDA (Hatch et al. 2006; Ioffe 2006, doi:10.1007/11744085_41), with the emotions in the place of what
is there to be told, and the person in the place of what is in the way.

What is known of b, each as a Gaussian observation of it:

- nothing: the prior N(0, B);
- a neutral reference: the mean of n independent moments that are known to be neutral is mu_neutral + b, with
  covariance S / n;
- the recording itself, unlabelled: the mean of n independent moments is E[mu] + b, with covariance S / n + Q, where
  E[mu] = sum pi_z mu_z over the mix of emotions pi that is expected, and Q is how far the mix that there really was may
  lie from it. Were the mix Dirichlet with concentration a, Q would be Cov_pi[mu] / (a + 1), and Cov_pi[mu], that of a
  recording of one emotion only, as a -> 0. `Population.caution` says how much of Cov_pi[mu] is taken;
- a profile: what was known of b in another recording.

Gaussian observations of one quantity add up in their precisions: N(m, R) observed of b ~ N(0, B) leaves
V = (B^-1 + R^-1)^-1 and V R^-1 m, whatever the order. Everything works in the k - 1 dimensions of centred logits.

The scores integrate over what remains unknown of b ~ N(m, V): p(z | l) is proportional to pi_z N(l; mu_z + m, S + V).
So an unknown baseline makes flatter scores, instead of sure and wrong ones. An expected mix other than the one that the
scores are wanted for is the correction of Saerens et al. 2002 (doi:10.1162/089976602753284446).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from ..errors import ModelError

NEUTRAL = "neutral"


@dataclass(frozen=True, eq=False)
class Population:
    """How logits of a model vary over emotions, moments and people: the `population` of its card.

    Attributes:
        labels: what the `k` logits stand for.
        means: `(k, k)`, a row the mean logits of an emotion.
        noise: `(k, k)`, covariance of independent moments of one person and emotion.
        offsets: `(k, k)`, covariance of the offsets of persons in their recordings about 0.
        moment_s: seconds after which another moment is independent.
        caution: how far the mix of a recording may lie from the expected one, in units of the covariance between the
            emotions.
        made_by: the data and the command that made them.
    """

    labels: tuple[str, ...]
    means: np.ndarray
    noise: np.ndarray
    offsets: np.ndarray
    moment_s: float
    caution: float
    made_by: str

    @classmethod
    def from_json(cls, facts: Mapping[str, Any], labels: Sequence[str]) -> Self:
        """The population that a card describes.

        Raises:
            ModelError: a field is missing, or the numbers cannot be what they are said to be.
        """
        try:
            arrays = {name: np.array(facts[name], np.float64) for name in ("means", "noise", "offsets")}
            moment_s, caution, made_by = float(facts["moment_s"]), float(facts["caution"]), str(facts["made_by"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the population statistics of a card lack or misstate {error}") from None
        k = len(labels)
        if any(array.shape != (k, k) or not np.isfinite(array).all() for array in arrays.values()):
            raise ModelError(f"expected population statistics of {k} x {k} numbers for the labels {', '.join(labels)}")
        if moment_s <= 0 or caution < 0:
            raise ModelError("expected population statistics with moment_s above 0 and caution not below 0")
        return cls(tuple(labels), **arrays, moment_s=moment_s, caution=caution, made_by=made_by)

    def to_json(self) -> dict[str, Any]:
        """As a card has it."""
        arrays = {
            name: np.round(getattr(self, name).astype(np.float64), 4).tolist() for name in ("means", "noise", "offsets")
        }
        return {**arrays, "moment_s": self.moment_s, "caution": self.caution, "made_by": self.made_by}

    @cached_property
    def basis(self) -> np.ndarray:
        """`(k, k - 1)`: an orthonormal basis of centred logits."""
        k = len(self.labels)
        return np.linalg.svd(np.eye(k) - 1 / k)[0][:, : k - 1]

    @cached_property
    def inner(self) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
        """Means `(k, k - 1)`, noise and offsets `(k - 1, k - 1)` in the basis."""
        u = self.basis
        return self.means @ u, u.T @ self.noise @ u, u.T @ self.offsets @ u

    def mix(self, shares: Mapping[str, float] | None = None) -> np.ndarray:
        """A mix of emotions `(k,)` that sums to 1: even, or by shares.

        Raises:
            ValueError: no share is of one of the labels, or one is below 0.
        """
        if shares is None:
            return np.full(len(self.labels), 1 / len(self.labels))
        wanted = np.array([float(shares.get(label, 0.0)) for label in self.labels])
        if wanted.sum() <= 0 or (wanted < 0).any():
            raise ValueError(f"expected shares of {', '.join(self.labels)}, none below 0, got {dict(shares)}")
        wanted = np.maximum(wanted / wanted.sum(), 1e-3)  # nothing is impossible
        return np.asarray(wanted / wanted.sum())


@dataclass(frozen=True, eq=False)
class Offset:
    """What is known of the offset of a person in a recording: Gaussian, in the population's basis.

    Attributes:
        mean: `(k - 1,)`.
        covariance: `(k - 1, k - 1)`.
        seconds: of what was seen or heard of them, neutral or not.
        how: where it is from, a sentence's part: `nothing`, `the recording`, `a neutral reference` ...
    """

    mean: np.ndarray
    covariance: np.ndarray
    seconds: float
    how: str


class Baseline:
    """Learns the offset of one person, as seen or as heard; in which order makes no difference.

    Args:
        population: of the model.
        mix: the emotions that are expected, `(k,)`; even by default.
        profile: what is known from another recording.
    """

    def __init__(self, population: Population, mix: np.ndarray | None = None, profile: Offset | None = None) -> None:
        self.population = population
        self.expected = population.mix() if mix is None else mix
        self.profile = profile
        k = len(population.labels) - 1
        self._seconds = {False: 0.0, True: 0.0}
        self._sums = {False: np.zeros(k), True: np.zeros(k)}

    def add(self, logits: np.ndarray, seconds: np.ndarray, neutral: bool = False) -> None:
        """Take moments.

        Args:
            logits: `(n, k)` as the network gave them.
            seconds: `(n,)` that each lasts.
            neutral: whether they are known to be neutral.
        """
        self._sums[neutral] += seconds @ (logits.astype(np.float64) @ self.population.basis)
        self._seconds[neutral] += float(seconds.sum())

    @property
    def offset(self) -> Offset:
        """What is known by now."""
        means, noise, offsets = self.population.inner
        precision = np.linalg.inv(offsets + _TINY * np.eye(len(offsets)))
        pull = np.zeros(len(offsets))
        how = []
        if self.profile:
            precision = np.linalg.inv(self.profile.covariance + _TINY * np.eye(len(offsets)))
            pull = precision @ self.profile.mean
            how.append(self.profile.how)
        for neutral, words in ((True, "a neutral reference"), (False, "the recording")):
            if (seconds := self._seconds[neutral]) > 0:
                moments = max(1.0, seconds / self.population.moment_s)
                spread = noise / moments
                if neutral:
                    centre = means[self.population.labels.index(NEUTRAL)]
                else:
                    centre = self.expected @ means
                    spread = spread + self.population.caution * _between(means, self.expected)
                inverse = np.linalg.inv(spread + _TINY * np.eye(len(spread)))
                precision = precision + inverse
                pull = pull + inverse @ (self._sums[neutral] / seconds - centre)
                how.append(words)
        covariance = np.linalg.inv(precision)
        total = sum(self._seconds.values()) + (self.profile.seconds if self.profile else 0.0)
        return Offset(covariance @ pull, covariance, total, " and ".join(how) or "nothing")


_TINY = 1e-6


def nothing(population: Population) -> Offset:
    """What is known of a person who was never seen before."""
    return Baseline(population).offset


def scores(logits: np.ndarray, offset: Offset, population: Population, mix: np.ndarray) -> np.ndarray:
    """Calibrated probabilities of the labels, given what is known of the person.

    Args:
        logits: `(n, k)` as the network gave them.
        offset: of the person in this recording.
        population: of the model.
        mix: how often each label is expected, `(k,)`.

    Returns:
        `(n, k)` float64; each row sums to 1.
    """
    means, noise, _ = population.inner
    inverse = np.linalg.inv(noise + offset.covariance + _TINY * np.eye(len(noise)))
    weights = means @ inverse
    # not by a matrix product: its rounding depends on how many rows there are
    inner = np.einsum("nk,kj->nj", logits.astype(np.float64), population.basis) - offset.mean
    log = np.einsum("nj,zj->nz", inner, weights) - 0.5 * (weights * means).sum(1) + np.log(mix)
    raised = np.exp(log - log.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True))


def resting(offset: Offset, population: Population, temperature: float) -> dict[str, float]:
    """What the model by itself would say of the person's neutral face or voice: label to probability."""
    means = population.inner[0]
    logits = (means[population.labels.index(NEUTRAL)] + offset.mean) @ population.basis.T / temperature
    raised = np.exp(logits - logits.max())
    return dict(zip(population.labels, (raised / raised.sum()).tolist(), strict=True))


def _between(means: np.ndarray, mix: np.ndarray) -> np.ndarray:
    """The covariance between the emotions under a mix, `(k - 1, k - 1)`."""
    centred = means - mix @ means
    return np.asarray(centred.T @ (mix[:, None] * centred))


def measure(
    logits: np.ndarray,
    labels: np.ndarray,
    persons: np.ndarray,
    names: Sequence[str],
    moment_s: float,
    caution: float,
    made_by: str,
    known: np.ndarray | None = None,
    wider: float = 1.0,
) -> Population:
    """Population statistics from labelled moments of many persons.

    The means of emotions that the moments show are those over persons, each person's offset taken away; where `known`
    means are given, half-way to them. The others are those that are known.

    Args:
        logits: `(n, k)`, of independent moments.
        labels: `(n,)` columns.
        persons: `(n,)`, whose each is.
        names: the `k` labels.
        moment_s: seconds after which another moment is independent.
        caution: see `Population`.
        made_by: the data and the command.
        known: `(k, k)` means of all emotions on other data, such as the model's own validation set.
        wider: how many times as much offsets vary elsewhere as in these recordings.

    Raises:
        ValueError: an emotion has neither moments nor a known mean, or there are fewer than two persons.
    """
    k, people = len(names), np.unique(persons)
    if len(people) < 2:
        raise ValueError(f"expected moments of two persons or more, got {len(people)}")
    centred = (logits - logits.mean(1, keepdims=True)).astype(np.float64)
    shown = np.unique(labels)
    if known is None and len(shown) < k:
        missing = ", ".join(name for column, name in enumerate(names) if column not in shown)
        raise ValueError(f"expected moments of every label, none of {missing}")
    base = np.zeros((k, k)) if known is None else (known - known.mean(1, keepdims=True)).astype(np.float64)
    cells = {(p, z): centred[(persons == p) & (labels == z)] for p in people for z in shown}
    own = np.array([centred[labels == z].mean(0) for z in shown])
    means = base.copy()
    if known is None:
        means[shown] = own
    else:  # what all persons share is the offset's, not the emotions'
        means[shown] = 0.5 * base[shown] + 0.5 * (own - own.mean(0) + base[shown].mean(0))
    offsets = np.array(
        [np.mean([cells[p, z].mean(0) - means[z] for z in shown if len(cells[p, z])], 0) for p in people]
    )
    rest = [cells[p, z] - means[z] - offsets[place] for place, p in enumerate(people) for z in shown]
    noise = np.concatenate(rest)
    spread = wider * offsets.T @ offsets / len(offsets)
    return Population(tuple(names), means, noise.T @ noise / len(noise), spread, moment_s, caution, made_by)
