"""A comparison in words: what was found, of how many, and what it does not show."""

from typing import TYPE_CHECKING

from .contrast import FEW

if TYPE_CHECKING:
    import pandas as pd

LIMITS = (
    "The scores are a model's guess about expression, not what people feel; that two conditions differ in them does "
    "not say why: light, camera, talking and who was recorded differ between conditions too. An interval that holds 0 "
    "does not show that there is no difference. It says nothing of persons unlike these."
)


def words(by: str, source: str, means: "pd.DataFrame", differences: "pd.DataFrame") -> str:
    """A paragraph about the mean scores of each pair of conditions."""
    parts = [_counts(by, source, means)]
    scores = differences[differences["measure"] == "mean_score"]
    for (one, other), rows in scores.groupby(["condition", "other"], sort=False):
        parts.append(_pair(str(one), str(other), rows))
    fewest = int(min(differences["n"].min(), differences["n_other"].min())) if len(differences) else 0
    if fewest < FEW:
        parts.append(f"With {fewest} persons in a condition, the intervals are somewhat too narrow (under {FEW}).")
    return " ".join([*parts, LIMITS])


def _counts(by: str, source: str, means: "pd.DataFrame") -> str:
    counts = means.drop_duplicates("condition")
    said = ", ".join(f"{row.condition} (n = {row.n})" for row in counts.itertuples())
    return f"Compared by {by}, from {source} rows, n in persons: {said}."


def _pair(one: str, other: str, rows: "pd.DataFrame") -> str:
    first = rows.iloc[0]
    how = f"{first.n} persons, each with themselves" if first.design == "within" else (
        f"{first.n} persons with {first.n_other} others"
    )  # fmt: skip
    certain = rows[rows["p_holm"] < 0.05]
    if not len(certain):
        return f"{one} against {other} ({how}): no emotion's mean score differs after Holm's correction."
    said = "; ".join(
        f"{row.emotion} {row.difference:+.3f} (95 % interval {row.low:+.3f} to {row.high:+.3f}, "
        f"{'d_z' if row.design == 'within' else 'g'} {row.effect:.2f}, Holm p {_p(row.p_holm)})"
        for row in certain.itertuples()
    )
    rest = len(rows) - len(certain)
    return (
        f"{one} against {other} ({how}), mean score: {said}; of the other {rest} emotions none after Holm's correction."
    )


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "under 0.001"
