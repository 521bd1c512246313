"""What `peers.py` found, as a page and a picture."""

from typing import Any

from emoscope.data.ferplus import PROTOCOLS
from emoscope.emotions import EMOTIONS
from emoscope.report.bars import bars

COMMON = 7
"""The first so many emotions are those that every peer can say."""

NOTES = (
    "As they come, `fer` lacks the import that its README shows (`from fer import FER`), and "
    "`facial-emotion-recognition` starts only on a machine with a CUDA GPU (its weights are loaded to where they were "
    "saved) and draws the emotion into the picture without telling it; `benchmarks/peer_child.py` says how each is "
    "called here.",
)


def picture(results: dict[str, Any]) -> str:
    """Accuracies of all that could be run."""
    rows = [r for r in results["rows"] if "failed" not in r]
    series = {p: [(r[p]["accuracy"], *r[p]["interval"]) for r in rows] for p in PROTOCOLS}
    return bars([r["title"] for r in rows], series, "Accuracy on FER+ validation faces")


def page(results: dict[str, Any]) -> str:
    rows = [r for r in results["rows"] if "failed" not in r]
    counts = {p: rows[0][p]["n"] for p in PROTOCOLS}
    lines = [
        "# Face models beside their peers",
        "",
        f"Command: `{results['command']}`  ",
        f"Machine: {results['machine']}",
        "",
        "FER+ PublicTest faces, eight emotions, protocols "
        + " and ".join(f"`{p}` (n = {n:,})" for p, n in counts.items())
        + "; in brackets 95 % intervals. Every reader is given the whole 48x48 picture as the face, through its own "
        "preprocessing; none searches for faces. A face of an emotion that a reader cannot say counts as wrong. "
        "Ours are at home here: they learned from the training faces of the same data set, and their epochs and "
        "temperatures were chosen on these very faces. What the peers were trained on is not known to us.",
        "",
        "![Accuracy of each](peers.svg)",
        "",
        "| | accuracy, `majority` | accuracy, `plurality` | recall of seven | cannot say | parameters | weights, MB |",
        "|---" * 7 + "|",
    ]
    for r in rows:
        parameters = f"{r['parameters']:,}" if r["parameters"] else "-"
        lines.append(
            f"| {r['title']} | {share(r['majority'])} | {share(r['plurality'])} | {r['majority']['uar']:.3f} "
            f"| {', '.join(r['cannot_say'])} | {parameters} | {r['weights_mb']:.2f} |"
        )
    lines += [
        "",
        f"Recall of seven: unweighted mean over the first {COMMON} emotions, `majority`.",
        "",
        "## Recall of each emotion, `majority`",
        "",
        "| | " + " | ".join(EMOTIONS) + " |",
        "|---" * (1 + len(EMOTIONS)) + "|",
        *(f"| {r['title']} | " + " | ".join(recalls(r)) + " |" for r in rows),
    ]
    if results["rounds"]:
        lines += speed(rows, results["rounds"])
    else:
        lines += ["", "Not timed."]
    lines += [f"\n{r['title']} could not be run: `{r['failed']}`" for r in results["rows"] if "failed" in r]
    lines += ["", *NOTES, ""]
    return "\n".join(lines)


def speed(rows: list[dict[str, Any]], rounds: int) -> list[str]:
    """The table of times and of what is installed."""
    lines = [
        "",
        "## Speed and size",
        "",
        f"One core, one thread, each in a process of its own, in turns; medians over {rounds} rounds, which depend on "
        "the machine: quote the ratios. Cold start: a new process, until its first face has been read. Batched: 32 "
        "faces in one call, where the package has such a call. Installed: all that pip brings for the package alone.",
        "",
        "| | ms a face | faces a second, batched | cold start, s | installed, MB | versions |",
        "|---" * 6 + "|",
    ]
    for r in rows:
        packages = ", ".join(f"{name} {release}" for name, release in r["packages"].items())
        cells = (number(r.get("ms"), ".2f"), number(r.get("batched"), ",.0f"), number(r.get("start_s"), ".2f"))
        lines.append(f"| {r['title']} | {' | '.join(cells)} | {number(r['installed_mb'], ',.0f')} | {packages} |")
    return lines


def share(one: dict[str, Any]) -> str:
    low, high = one["interval"]
    return f"{one['accuracy']:.1%} ({low:.1%} to {high:.1%})"


def recalls(one: dict[str, Any]) -> list[str]:
    pairs = zip(EMOTIONS, one["majority"]["recall"], strict=True)
    return ["cannot say" if name in one["cannot_say"] else number(value, ".2f") for name, value in pairs]


def number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
