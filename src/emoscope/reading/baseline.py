"""Everyone against their own baseline: what a person's resting face and voice, and the recording, do to the logits.

The model. For a moment of person p that shows emotion z, a network's logits (centred: a constant added to all of them
says nothing) are

    l = mu_z + b + noise,    b ~ N(0, B + C),    noise ~ N(0, S),

mu_z the mean of the emotion over many people, b the offset of this person in this recording: their face at rest and
their voice (B), the camera, the microphone, the language (C). S is how moments of one person and emotion vary. This is
the random effect of probabilistic LDA (Ioffe 2006, doi:10.1007/11744085_41), with the emotions in the place of what is
there to be told, and the person in the place of what is in the way.

What is known of b, each as a Gaussian observation of it:

- nothing: the prior N(0, B + C);
- a neutral reference: the mean of n independent moments that are known to be neutral is mu_neutral + b, with
  covariance S / n;
- the recording itself, unlabelled: the mean of n independent moments is sum pi_z mu_z + b, with covariance S / n, where
  pi is the mix of emotions that the recording holds;
- a profile: what was known of b in another recording.

Which mix that is, is not known: one emotion only, or all of them alike? Each set of emotions in equal parts is a
hypothesis h, every number of them as probable as another. So is that emotions here are weaker than where the statistics
were measured: mu, S and the covariance between the emotions times s, s^1/2 (`STRENGTHS`). The evidence for each is how
well it explains the mean of the moments, N(sum pi_z mu_z; C + B + S / n), and how they spread about it: a Wishart
density of covariance S + Cov_pi[mu]. Little spread along the directions of the emotions says that there is one emotion
only, so that the mean may be that emotion's and not the person's. The posterior of b is a mixture of Gaussians over the
hypotheses; it is kept as the Gaussian of the same mean and covariance. (The whole mixture did no better.)

The scores integrate over what remains unknown of b ~ N(m, V), by the 2 d points of the unscented transform (Julier and
Uhlmann 1997, doi:10.1117/12.280797): an unknown baseline makes flatter scores, instead of sure and wrong ones. At
each b two rules may read l - b: the network's own softmax with its temperature, or the densities N(mu_z, S + V). A
network that was trained on such recordings knows better than densities what its logits say; one that was trained on
other material does not. `Population.density`, found by cross-validation, is the second's share in their product.
An expected mix other than the even one is the correction of Saerens et al. 2002 (doi:10.1162/089976602753284446).

Everything works in the k - 1 dimensions of centred logits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations
from typing import Any, Self

import numpy as np

from ..errors import ModelError

NEUTRAL = "neutral"
STRENGTHS = (0.5, 1.0)
"""How strong the emotions of a recording may be, beside those of the population."""
SPREAD = 4.0
"""As how many independent moments the spread of a recording counts at most, when mixes are told apart: the noise of
other recordings is not quite S."""


@dataclass(frozen=True, eq=False)
class Population:
    """How logits of a model vary over emotions, moments and people: the `population` of its card.

    Attributes:
        labels: what the `k` logits stand for.
        means: `(k, k)`, a row the mean logits of an emotion.
        noise: `(k, k)`, covariance of independent moments of one person and emotion.
        persons: `(k, k)`, covariance of the offsets of persons.
        recordings: `(k, k)`, covariance about 0 of what all persons of a recording share.
        moment_s: seconds after which another moment is independent.
        density: share of the emotions' densities in the reading, 0 to 1; the rest is the network's own softmax.
        made_by: the data and the command that made them.
    """

    labels: tuple[str, ...]
    means: np.ndarray
    noise: np.ndarray
    persons: np.ndarray
    recordings: np.ndarray
    moment_s: float
    density: float
    made_by: str

    @classmethod
    def from_json(cls, facts: Mapping[str, Any], labels: Sequence[str]) -> Self:
        """The population that a card describes.

        Raises:
            ModelError: a field is missing, or the numbers cannot be what they are said to be.
        """
        try:
            arrays = {name: np.array(facts[name], np.float64) for name in _ARRAYS}
            moment_s, density, made_by = float(facts["moment_s"]), float(facts["density"]), str(facts["made_by"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the population statistics of a card lack or misstate {error}") from None
        k = len(labels)
        if any(array.shape != (k, k) or not np.isfinite(array).all() for array in arrays.values()):
            raise ModelError(f"expected population statistics of {k} x {k} numbers for the labels {', '.join(labels)}")
        if moment_s <= 0 or not 0 <= density <= 1:
            raise ModelError("expected population statistics with moment_s above 0 and density from 0 to 1")
        return cls(tuple(labels), **arrays, moment_s=moment_s, density=density, made_by=made_by)

    def to_json(self) -> dict[str, Any]:
        """As a card has it."""
        arrays = {name: np.round(getattr(self, name).astype(np.float64), 4).tolist() for name in _ARRAYS}
        return {**arrays, "moment_s": self.moment_s, "density": self.density, "made_by": self.made_by}

    @cached_property
    def basis(self) -> np.ndarray:
        """`(k, k - 1)`: an orthonormal basis of centred logits."""
        k = len(self.labels)
        return np.linalg.svd(np.eye(k) - 1 / k)[0][:, : k - 1]

    @cached_property
    def inner(self) -> tuple[np.ndarray, np.ndarray]:
        """Means `(k, k - 1)` and noise `(k - 1, k - 1)` in the basis."""
        return self.means @ self.basis, self._covariance(self.noise)

    @cached_property
    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """Covariances of persons and of recordings `(k - 1, k - 1)` in the basis."""
        return self._covariance(self.persons), self._covariance(self.recordings)

    @cached_property
    def nothing(self) -> "Offset":
        """What is known of a person who was never seen before."""
        persons, recordings = self.parts
        return Offset(np.zeros(len(persons)), persons + recordings, 0.0, "nothing")

    def _covariance(self, full: np.ndarray) -> np.ndarray:
        return np.asarray(self.basis.T @ full @ self.basis + _TINY * np.eye(len(full) - 1))

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
        before: what is known already: from another recording, or from the others in this one.
    """

    def __init__(self, population: Population, mix: np.ndarray | None = None, before: Offset | None = None) -> None:
        self.population = population
        self.before = before
        self._hypotheses = _hypotheses(population, tuple((population.mix() if mix is None else mix).tolist()))
        self._told, self._seen = _Sums.of(population), _Sums.of(population)

    def add(self, logits: np.ndarray, seconds: np.ndarray, neutral: bool = False) -> None:
        """Take moments.

        Args:
            logits: `(n, k)` as the network gave them, or steadied over less than a moment.
            seconds: `(n,)` that each lasts.
            neutral: whether they are known to be neutral.

        Raises:
            ValueError: moments are neutral of a model that has no such label.
        """
        if neutral and NEUTRAL not in self.population.labels:
            raise ValueError(f"expected a model that can say {NEUTRAL}, got {', '.join(self.population.labels)}")
        (self._told if neutral else self._seen).add(logits.astype(np.float64) @ self.population.basis, seconds)

    @property
    def offset(self) -> Offset:
        """What is known by now."""
        known = self.before or self.population.nothing
        how = [self.before.how] if self.before else []
        moment_s, cases = self.population.moment_s, self._hypotheses
        log = cases.log_prior
        mean, covariance = known.mean, known.covariance
        for sums, words in ((self._told, "a neutral reference"), (self._seen, "the recording")):
            if sums.seconds > _TINY:
                how.append(words)
                n = max(1.0, sums.seconds / moment_s)
                centre = cases.neutral if sums is self._told else cases.centre
                fit, mean, covariance = _observe(mean, covariance, sums.mean - centre, cases.noise / n)
                log = log + fit
        if (n := self._seen.seconds / moment_s) > 1:
            log = log + cases.spread(self._seen.covariance * n / (n - 1), n)
        weights = np.exp(log - log.max())
        weights /= weights.sum()
        mean, covariance = _one(weights, np.broadcast_to(mean, cases.centre.shape), covariance)
        return Offset(mean, covariance, known.seconds + self._told.seconds + self._seen.seconds,
                      " and ".join(how) or "nothing")  # fmt: skip


@dataclass(eq=False)
class _Sums:
    """Of moments, by their seconds."""

    seconds: float
    first: np.ndarray
    second: np.ndarray

    @classmethod
    def of(cls, population: Population) -> Self:
        d = len(population.labels) - 1
        return cls(0.0, np.zeros(d), np.zeros((d, d)))

    def add(self, inner: np.ndarray, seconds: np.ndarray) -> None:
        self.seconds += float(seconds.sum())
        self.first += seconds @ inner
        self.second += (inner * seconds[:, None]).T @ inner

    @property
    def mean(self) -> np.ndarray:
        return np.asarray(self.first / self.seconds)

    @property
    def covariance(self) -> np.ndarray:
        return np.asarray(self.second / self.seconds - np.outer(self.mean, self.mean))


class _Hypotheses:
    """What a recording may hold: which emotions, and how strong they are.

    Attributes:
        log_prior: `(h,)`.
        centre: `(h, k - 1)`, mean logits of somebody without an offset.
        neutral: `(h, k - 1)`, of their neutral moments.
        noise: `(h, k - 1, k - 1)`.
    """

    def __init__(self, population: Population, expected: Sequence[float]) -> None:
        means, noise = population.inner
        mixes, prior = _mixes(np.array(expected))
        strength = np.repeat(STRENGTHS, len(mixes))[:, None]
        centre = mixes @ means
        away = means - centre[:, None]
        between = np.tile(np.einsum("hz,hzi,hzj->hij", mixes, away, away), (len(STRENGTHS), 1, 1))
        self.log_prior = np.log(np.tile(prior, len(STRENGTHS)))
        self.centre = strength * np.tile(centre, (len(STRENGTHS), 1))
        neutral = population.labels.index(NEUTRAL) if NEUTRAL in population.labels else None
        self.neutral = strength * (0 if neutral is None else means[neutral])
        self.noise = strength[:, :, None] ** 2 * noise
        self._precision = np.linalg.inv(self.noise + strength[:, :, None] ** 2 * between)

    def spread(self, covariance: np.ndarray, n: float) -> np.ndarray:
        """Log-likelihood `(h,)` of the covariance of n moments, up to a constant."""
        weight = (n - 1) / (1 + (n - 1) / SPREAD)
        fit = np.einsum("hij,ji->h", self._precision, covariance) - np.linalg.slogdet(self._precision)[1]
        return np.asarray(-0.5 * weight * fit)


@lru_cache(32)
def _hypotheses(population: Population, expected: tuple[float, ...]) -> _Hypotheses:
    return _Hypotheses(population, expected)


def _mixes(expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mixes of emotions `(h, k)` and how probable each is: every set of them, in the expected proportions.

    Of more than eight emotions, sets of one, of two and of all.
    """
    k = len(expected)
    sizes = range(1, k + 1) if k <= 8 else (1, 2, k)
    mixes, prior = [], []
    for size in sizes:
        sets = [list(chosen) for chosen in combinations(range(k), size)]
        rows = np.zeros((len(sets), k))
        for row, chosen in zip(rows, sets, strict=True):
            row[chosen] = expected[chosen]
        share = rows.sum(1)
        mixes.append(0.97 * rows / share[:, None] + 0.03 * expected)  # nothing is quite pure
        prior.append(share / share.sum() / len(sizes))
    return np.concatenate(mixes), np.concatenate(prior)


def _observe(
    mean: np.ndarray, covariance: np.ndarray, seen: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Condition Gaussians on observations of them: log-likelihoods `(h,)`, means and covariances."""
    total = np.linalg.inv(covariance + noise)
    away = seen - mean
    fit = 0.5 * (np.linalg.slogdet(total)[1] - np.einsum("hi,hij,hj->h", away, total, away))
    gain = covariance @ total
    return fit, mean + np.einsum("hij,hj->hi", gain, away), covariance - gain @ covariance


def _one(weights: np.ndarray, means: np.ndarray, covariances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The Gaussian with the mean and the covariance of a mixture of Gaussians."""
    mean = weights @ means
    away = means - mean
    within = np.einsum("h,hij->ij", weights, np.broadcast_to(covariances, (len(weights), *covariances.shape[-2:])))
    return mean, within + (weights[:, None] * away).T @ away


_TINY = 1e-6
_LEAST = 1e-300
_ARRAYS = ("means", "noise", "persons", "recordings")


def scores(
    logits: np.ndarray, offset: Offset, population: Population, mix: np.ndarray, temperature: float
) -> np.ndarray:
    """Calibrated probabilities of the labels, given what is known of the person.

    Args:
        logits: `(n, k)` as the network gave them.
        offset: of the person in this recording.
        population: of the model.
        mix: how often each label is expected, `(k,)`.
        temperature: of the model.

    Returns:
        `(n, k)` float64; each row sums to 1.
    """
    # not by a matrix product: its rounding depends on how many rows there are
    inner = np.einsum("nk,kj->nj", logits.astype(np.float64), population.basis) - offset.mean
    log = np.log(mix * len(mix)) + (1 - population.density) * _softmax_log(inner, offset, population, temperature)
    if population.density:
        log += population.density * _density_log(inner, offset, population)
    return _unit(log)


def _softmax_log(inner: np.ndarray, offset: Offset, population: Population, temperature: float) -> np.ndarray:
    """The network's own rule, `(n, k)` up to a constant: the log of its mean softmax over what may be the offset."""
    if population.density == 1:
        return np.zeros((len(inner), len(population.labels)))
    d = len(offset.mean)
    points = np.linalg.cholesky(offset.covariance + _TINY * np.eye(d)) * np.sqrt(d)
    # softmax(a - b) is softmax(a) exp(-b), made to sum to 1 again: one exponential a moment, not one a point
    scaled = np.einsum("nj,kj->nk", inner, population.basis) / temperature
    shares = _unit(scaled)
    moved = _unit(np.einsum("pj,kj->pk", np.concatenate([points.T, -points.T]), population.basis) / temperature)
    totals = np.maximum(np.einsum("nk,pk->np", shares, moved), _LEAST)
    mean = shares * np.einsum("np,pk->nk", 1 / totals, moved) / (2 * d)
    return np.asarray(np.log(np.maximum(mean, 1e-12)))


def _density_log(inner: np.ndarray, offset: Offset, population: Population) -> np.ndarray:
    """Log densities of the emotions `(n, k)`, up to a constant."""
    means, noise = population.inner
    weights = means @ np.linalg.inv(noise + offset.covariance)
    return np.asarray(np.einsum("nj,zj->nz", inner, weights) - 0.5 * (weights * means).sum(1))


def _unit(log: np.ndarray) -> np.ndarray:
    raised = np.exp(log - log.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True))


def resting(offset: Offset, population: Population, temperature: float) -> dict[str, float]:
    """What the model by itself would say of the person's neutral face or voice: label to probability.

    Nothing of a model that cannot say neutral.
    """
    if NEUTRAL not in population.labels:
        return {}
    means = population.inner[0]
    logits = (means[population.labels.index(NEUTRAL)] + offset.mean) @ population.basis.T / temperature
    return dict(zip(population.labels, _unit(logits[None])[0].tolist(), strict=True))


def measure(
    logits: np.ndarray,
    labels: np.ndarray,
    persons: np.ndarray,
    names: Sequence[str],
    moment_s: float,
    density: float,
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
        density: see `Population`.
        made_by: the data and the command.
        known: `(k, k)` means of all emotions on other data, such as the model's own validation set.
        wider: how many times as much offsets vary elsewhere as in these recordings, which share a camera or microphone.

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
    here = np.array([centred[labels == z].mean(0) for z in shown])
    means = base.copy()
    if known is None:
        means[shown] = here
    else:  # what all persons share is the offset's, not the emotions'
        means[shown] = 0.5 * base[shown] + 0.5 * (here - here.mean(0) + base[shown].mean(0))
    offsets = np.array(
        [np.mean([cells[p, z].mean(0) - means[z] for z in shown if len(cells[p, z])], 0) for p in people]
    )
    rest = [cells[p, z] - means[z] - offsets[place] for place, p in enumerate(people) for z in shown]
    noise = np.concatenate(rest)
    shared = offsets.mean(0)
    own = offsets - shared
    varied = own.T @ own / len(offsets)
    recordings = np.outer(shared, shared) + (wider - 1) * varied
    return Population(tuple(names), means, noise.T @ noise / len(noise), varied, recordings, moment_s, density, made_by)
