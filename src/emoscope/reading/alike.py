"""Agglomerative grouping of embeddings under constraints: the same groups in whatever order they come."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Groups:
    """What was found.

    Attributes:
        group: `(n,)` of each, numbers from 0.
        doubts: pairs of groups that may be one, each with how alike they are.
    """

    group: np.ndarray
    doubts: list[tuple[int, int, float]] = field(default_factory=list)


def agglomerate(
    embeddings: np.ndarray,
    weights: np.ndarray,
    apart: np.ndarray,
    join: float,
    doubt: float,
    margin: float,
    each: bool = False,
) -> Groups:
    """Join the two groups that are most alike, again and again.

    Two groups stay apart where a third, which one of them must not be, is nearly as like the other: who of two seen
    together somebody is must be clear.

    Args:
        embeddings: `(n, d)` of unit length; means of such with `each`.
        weights: `(n,)` of each in its group's mean.
        apart: `(n, n)` whether two must not be in one group; symmetric.
        join: cosine from which on two groups are one.
        doubt: cosine from which on they may be.
        margin: by which the third must be less alike.
        each: whether two groups are as alike as their members are in the mean, rather than as their means are: what all
            embeddings have in common, as those of voices do, makes the means of large groups alike.
    """

    def likeness(some: np.ndarray, of: np.ndarray, others: np.ndarray, of_others: np.ndarray) -> np.ndarray:
        lengths = [of, of_others] if each else [np.linalg.norm(some, axis=1), np.linalg.norm(others, axis=1)]
        return np.asarray(some @ others.T / np.maximum(lengths[0][:, None] * lengths[1], 1e-12))

    n = len(embeddings)
    weights = weights.astype(np.float64)
    sums = embeddings.astype(np.float64) * weights[:, None]
    members = [[row] for row in range(n)]
    apart = apart.copy()
    np.fill_diagonal(apart, True)
    alike = likeness(sums, weights, sums, weights)
    open_ = np.where(apart, -np.inf, alike)
    best = open_.argmax(1) if n else np.zeros(0, int)
    while n:
        first = int(open_[np.arange(n), best].argmax())
        second = int(best[first])
        if open_[first, second] < join:
            break
        rivals = max(
            alike[first][apart[second] & _others(n, second)].max(initial=-1.0),
            alike[second][apart[first] & _others(n, first)].max(initial=-1.0),
        )
        if rivals > open_[first, second] - margin:
            open_[first, second] = open_[second, first] = -np.inf
            best[[first, second]] = open_[[first, second]].argmax(1)
            continue
        members[first] += members[second]
        members[second] = []
        sums[first] += sums[second]
        weights[first] += weights[second]
        sums[second], weights[second] = 0.0, 0.0
        apart[first] |= apart[second]
        apart[:, first] = apart[first]
        alike[first] = alike[:, first] = likeness(sums[[first]], weights[[first]], sums, weights)[0]
        alike[second] = alike[:, second] = -1.0
        open_[first] = open_[:, first] = np.where(apart[first], -np.inf, alike[first])
        open_[second] = open_[:, second] = -np.inf
        stale = (best == first) | (best == second)
        stale[[first, second]] = True
        best[stale] = open_[stale].argmax(1)
        better = open_[np.arange(n), best] < open_[:, first]
        best[better] = first
    kept = [sorted(rows) for rows in members if rows]
    kept.sort()
    group = np.zeros(n, int)
    for number, rows in enumerate(kept):
        group[rows] = number
    return Groups(group, _doubts(kept, alike, apart, members, doubt))


def _doubts(
    kept: list[list[int]],
    alike: np.ndarray,
    apart: np.ndarray,
    members: list[list[int]],
    doubt: float,
) -> list[tuple[int, int, float]]:
    place = {rows[0]: number for number, rows in enumerate(kept)}
    heads = {head: place[min(rows)] for head, rows in enumerate(members) if rows}
    pairs = [
        (min(heads[a], heads[b]), max(heads[a], heads[b]), float(alike[a, b]))
        for a in heads
        for b in heads
        if a < b and not apart[a, b] and alike[a, b] >= doubt
    ]
    return sorted(pairs)


def _others(n: int, one: int) -> np.ndarray:
    kept = np.ones(n, bool)
    kept[one] = False
    return kept
