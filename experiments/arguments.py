"""The arguments that every experiment takes."""

import argparse
from pathlib import Path


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser of `--data` and `--out`."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", type=Path, required=True, help="folder that holds ferplus/ and cremad/")
    made.add_argument("--out", type=Path, required=True, help="folder for the tables")
    return made


def arguments(description: str | None, runs: bool = False, faces: bool = False) -> argparse.Namespace:
    """Read `--data`, `--out` and, where they are asked for, `--runs` and `--faces`, and make the output folder."""
    made = parser(description)
    if runs:
        made.add_argument("--runs", type=Path, required=True, help="folder of the trainings, one folder each")
    if faces:
        made.add_argument("--faces", type=Path, required=True, help="folder that `emoscope faces` made")
    args = made.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    return args
