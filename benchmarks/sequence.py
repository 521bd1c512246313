"""What a sequence model costs beside the face model: a person's next face in a stream, on one thread.

    python benchmarks/sequence.py --out results/sequence

Medians over repeats; they depend on the machine: quote the ratio.
"""

import argparse
import json
import platform
from pathlib import Path

import numpy as np
from speed import median_s

from emoscope.face.classify import FaceClassifier
from emoscope.face.sequence import SequenceClassifier
from emoscope.models import load

COMMAND = "python benchmarks/sequence.py --out results/sequence"
RATE = 30
REPEATS = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    crops = np.random.default_rng(0).integers(1, 256, (1, 48, 48), dtype=np.uint8)
    face = FaceClassifier(load("face"))
    alone = median_s(lambda: face.logits(crops), REPEATS)
    reader, frame = SequenceClassifier(load("sequence")), iter(range(10**9))
    for _ in range(2 * RATE):
        reader.logits([1], next(frame) / RATE, crops)
    over_time = median_s(lambda: reader.logits([1], next(frame) / RATE, crops), REPEATS)
    row = {"face_ms": 1000 * alone, "sequence_ms": 1000 * over_time, "ratio": over_time / alone}
    (args.out / "speed.json").write_text(json.dumps({"command": COMMAND, "machine": platform.machine(), **row}) + "\n")
    text = (
        "# Cost of the sequence model in a stream\n\n"
        f"Command: `{COMMAND}`\n\n"
        f"One person at {RATE} frames a second, one thread, median of {REPEATS} frames: the face model "
        f"{row['face_ms']:.2f} ms a frame, the sequence model {row['sequence_ms']:.2f} ms, "
        f"{row['ratio']:.2f} times as long, of the {1000 / RATE:.0f} ms that a frame lasts. Quote "
        "the ratio: the milliseconds depend on the machine and on what else runs.\n"
    )
    (args.out / "speed.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
