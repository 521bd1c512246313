"""Compare the conditions of a study: a table, a figure and a paragraph in words."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import EmoscopeError, missing_extra
from ..timeline import Source
from .measures import ONSETS, SHARE
from .recordings import PERSON
from .tables import RECORDINGS

if TYPE_CHECKING:
    import pandas as pd

MEASURES = {"mean_score": "", "share_of_time": SHARE, "onsets_per_min": ONSETS}
"""What is compared, by the ending of its columns in `recordings.csv`."""
UNITS = {"mean_score": "mean score, 0 to 1", "share_of_time": "share of the time, 0 to 1",
         "onsets_per_min": "onsets a minute"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found.

    Attributes:
        by: the column that was compared.
        means: a row for each measure, emotion and condition: `measure, emotion, condition, n, mean, low, high`.
        differences: a row for each measure, emotion and pair of conditions: `measure, emotion, condition, other,
            design, n, n_other, difference, low, high, effect, p, p_holm`; Holm's correction is over the emotions.
        words: a paragraph that says what was found, of how many, and what it does not show.
    """

    by: str
    means: "pd.DataFrame"
    differences: "pd.DataFrame"
    words: str


def compare(study: str | Path, by: str, source: Source = "fused") -> Comparison:
    """Compare the conditions of a study, over persons.

    A person's value in a condition is the mean of their recordings, each weighted by its seconds. Where at least half
    of the persons of two conditions have both, each is compared with themselves, and the others are left out; else
    those who have only one of them are compared.

    Args:
        study: the folder that `emoscope study` wrote.
        by: a column of the user's in `recordings.csv`, with at least two values.
        source: whose scores.

    Raises:
        EmoscopeError: there is no such table or column, nothing to compare, or a package is missing.
    """
    try:
        import pandas as pd
        import scipy  # noqa: F401
        import statsmodels  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing_extra("a comparison", error.name or "a package", "study") from None
    table = Path(study) / RECORDINGS
    if not table.is_file():
        raise EmoscopeError(f"{table}: there is no such table; make it with: emoscope study RECORDINGS --out {study}")
    rows = pd.read_csv(table, dtype={PERSON: str, by: str}, keep_default_na=True)
    values = _persons(rows, by, source, table)
    means, differences = _means(values, by), _differences(values, by)
    from .words import words

    return Comparison(by, means, differences, words(by, source, means, differences))


def _persons(rows: "pd.DataFrame", by: str, source: Source, table: Path) -> "pd.DataFrame":
    """One row a person and condition: every measure's column."""
    own = list(rows.columns[1 : list(rows.columns).index("status")])
    if by not in own or by == PERSON:
        there = ", ".join(name for name in own if name != PERSON) or "none"
        raise EmoscopeError(f"{table}: expected one of your columns to compare by, got {by}; there are: {there}")
    kept = rows[(rows["status"] == "done") & (rows.get("source") == source)].dropna(subset=[PERSON, by])
    if kept[by].nunique() < 2:
        raise EmoscopeError(
            f"{table}: expected at least two values of {by} with {source} rows, got {kept[by].nunique()}"
        )
    columns = [name for label in _labels(rows) for name in (label, label + SHARE, label + ONSETS)]
    weights = kept["seconds"].where(kept["seconds"] > 0, 1e-9)
    weighted = (
        kept[columns].fillna(0.0).mul(weights, axis=0).assign(**{PERSON: kept[PERSON], by: kept[by], "_w": weights})
    )
    summed = weighted.groupby([PERSON, by]).sum()
    return summed[columns].div(summed["_w"], axis=0).reset_index()


def _labels(table: "pd.DataFrame") -> list[str]:
    return [name.removesuffix(SHARE) for name in table.columns if name.endswith(SHARE)]


def _means(values: "pd.DataFrame", by: str) -> "pd.DataFrame":
    import pandas as pd

    from .contrast import estimate

    rows = []
    for measure, ending in MEASURES.items():
        for label in _labels(values):
            for condition, own in values.groupby(by):
                found = estimate(own[label + ending].to_numpy())
                rows.append((measure, label, condition, found.n, found.value, found.low, found.high))
    return pd.DataFrame(rows, columns=["measure", "emotion", "condition", "n", "mean", "low", "high"])


def _differences(values: "pd.DataFrame", by: str) -> "pd.DataFrame":
    import pandas as pd
    from statsmodels.stats.multitest import multipletests

    from .contrast import contrast

    tables = []
    for one, other in combinations(sorted(values[by].unique()), 2):
        first, second, paired = _pair(values, by, one, other)
        for measure, ending in MEASURES.items():
            rows = []
            for label in _labels(values):
                if not (len(first) and len(second)):
                    continue
                c = contrast(first[label + ending].to_numpy(), second[label + ending].to_numpy(), paired)
                d = c.difference
                rows.append(
                    (measure, label, one, other, c.design, c.first, c.second, d.value, d.low, d.high, c.effect, c.p)
                )
            names = ["measure", "emotion", "condition", "other", "design", "n", "n_other", "difference", "low", "high",
                     "effect", "p"]  # fmt: skip
            table = pd.DataFrame(rows, columns=names)
            known = table["p"].notna().to_numpy()
            table["p_holm"] = np.nan
            if known.any():
                table.loc[known, "p_holm"] = multipletests(table.loc[known, "p"], method="holm")[1]
            tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _pair(values: "pd.DataFrame", by: str, one: str, other: str) -> "tuple[pd.DataFrame, pd.DataFrame, bool]":
    """The persons of two conditions, and whether they are the same ones."""
    first, second = (values[values[by] == each].set_index(PERSON) for each in (one, other))
    both = first.index.intersection(second.index)
    if len(both) > 1 and 2 * len(both) >= len(first.index.union(second.index)):
        return first.loc[both], second.loc[both], True
    return first.drop(both), second.drop(both), False


def write(comparison: Comparison, study: str | Path) -> list[Path]:
    """Write a comparison into the study's folder: two tables, a figure and the words; returns their paths.

    Raises:
        EmoscopeError: matplotlib is not installed.
    """
    from .figure import draw

    stem = "".join(c if c.isalnum() else "_" for c in comparison.by)
    means, differences, figure, text = (
        Path(study) / f"compare-{stem}{ending}" for ending in ("-means.csv", ".csv", ".svg", ".md")
    )
    comparison.means.round(4).to_csv(means, index=False, lineterminator="\n")
    comparison.differences.round(4).to_csv(differences, index=False, lineterminator="\n")
    draw(comparison, figure)
    text.write_text(comparison.words + "\n", encoding="utf-8")
    return [differences, means, figure, text]
