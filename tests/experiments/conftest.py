"""Experiments and benchmarks are scripts beside each other: their folders go on the import path, after all others."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path += [str(ROOT / "experiments"), str(ROOT / "benchmarks")]
