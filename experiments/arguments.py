"""The arguments that every experiment takes."""

import argparse
from pathlib import Path


def arguments(description: str | None, runs: bool = False, faces: bool = False) -> argparse.Namespace:
    """Read `--data`, `--out` and, where they are asked for, `--runs` and `--faces`, and make the output folder."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds ferplus/ and cremad/")
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables")
    if runs:
        parser.add_argument("--runs", type=Path, required=True, help="folder of the trainings, one folder each")
    if faces:
        parser.add_argument("--faces", type=Path, required=True, help="folder that `emoscope faces` made")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    return args
