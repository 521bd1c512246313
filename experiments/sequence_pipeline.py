"""The sequence model in the pipeline, beside the face model: the clips of the 9 validation actors.

    python experiments/sequence_pipeline.py --data DATA --out results/sequence

Every clip is analysed as a user would, with `--face-model face` and `--face-model sequence`; it is judged as in
`experiments/clips.py`. The sequence model was chosen on these actors, but not trained on them.
"""

import json
from typing import Any

from arguments import arguments
from clips import accuracies, smoothness
from rich.progress import track

import emoscope
from emoscope.data.cremad import video_clips
from emoscope.reading.smooth import SMOOTHERS

COMMAND = "python experiments/sequence_pipeline.py --data DATA --out results/sequence"
MODELS = ("face", "sequence")


def main() -> None:
    args = arguments(__doc__)
    found = [(clip, path) for clip, path in video_clips(args.data) if clip.sentence == "IEO"]
    found = [(clip, path) for clip, path in found if clip.split == "validation"]
    names = [clip for clip, _ in found]
    rows: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    for model in MODELS:
        steady = [emoscope.analyze(path, face_model=model) for _, path in track(found, model)]
        single = [emoscope.analyze(path, face_model=model, smoothing="none") for _, path in track(found, model)]
        rows += [{"model": model, **row} for row in accuracies(names, steady) if row["actors"] == "validation actors"]
        changes += [{"model": model, **smoothness(name, names, single)} for name in SMOOTHERS]
    results = {"command": COMMAND, "accuracy": rows, "smoothing": changes}
    (args.out / "pipeline.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "pipeline.md").write_text(page(results))
    print(page(results))


def page(results: dict[str, Any]) -> str:
    lines = [
        "# The sequence model in the pipeline",
        "",
        f"Command: `{results['command']}`  ",
        "Protocol: CREMA-D video, sentence IEO, level HI, the 9 tfds validation actors; the clip's emotion by mean "
        "score over time. 95 % intervals bootstrapped over actors. On these actors the sequence model was chosen.",
        "",
        "| face model | source | among | n | accuracy | 95 % interval |",
        "|---|---|---|---|---|---|",
        *(
            f"| {r['model']} | {r['source']} | {r['among']} | {r['n']} | {r['accuracy']:.1%} "
            f"| {r['interval'][0]:.1%} to {r['interval'][1]:.1%} |"
            for r in results["accuracy"]
        ),
        "",
        "Single frames of the face:",
        "",
        "| face model | smoothing | frames | among eight | among three | log-likelihood | label changes a second |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {r['model']} | {r['smoothing']} | {r['frames']} | {r['eight']:.1%} | {r['three']:.1%} "
            f"| {r['log_likelihood']:.2f} | {r['changes_a_second']:.2f} |"
            for r in results["smoothing"]
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
