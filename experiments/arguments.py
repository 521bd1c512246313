"""The arguments that every experiment takes."""

import argparse
from pathlib import Path


def parser(description: str | None, runs: bool = False, faces: bool = False) -> argparse.ArgumentParser:
    """A parser of `--data` and `--out` and, where they are asked for, of `--runs` and `--faces`."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", type=Path, required=True, help="folder that holds ferplus/ and cremad/")
    made.add_argument("--out", type=Path, required=True, help="folder for the tables")
    if runs:
        made.add_argument("--runs", type=Path, required=True, help="folder of the trainings, one folder each")
    if faces:
        made.add_argument("--faces", type=Path, required=True, help="folder that `emoscope faces` made")
    return made


def read(made: argparse.ArgumentParser) -> argparse.Namespace:
    """Read the arguments and make the output folder."""
    args = made.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    return args


def arguments(description: str | None, runs: bool = False, faces: bool = False) -> argparse.Namespace:
    """What `parser` knows, read."""
    return read(parser(description, runs, faces))
