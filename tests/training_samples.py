"""Made-up data sets in the layouts that users have, small enough to train on in a test."""

import csv
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from emoscope.data.cremad import VALIDATION_ACTORS
from emoscope.data.ferplus import FOLDER, USAGE, VOTES
from emoscope.emotions import CREMAD

CODES = tuple(CREMAD)
RATE = 16_000


def face(index: int, label: int) -> np.ndarray:
    """A 48x48 picture whose bright stripe tells its class."""
    image = np.random.default_rng(index).integers(0, 90, (48, 48)).astype(np.uint8)
    image[6 * label : 6 * label + 6] += 150
    return image


def votes(label: int) -> list[int]:
    """Ten votes: eight for a class, two for the next one."""
    counts = [0] * len(VOTES)
    counts[label], counts[(label + 1) % 8] = 8, 2
    return counts


def faces(count: int, split: str) -> list[tuple[str, str, np.ndarray, list[int]]]:
    """Usage, file name, picture and votes of the faces of a split; the classes come in turn."""
    first = 10_000 * list(USAGE).index(split)
    return [(USAGE[split], f"fer{first + i:07}.png", face(first + i, i % 8), votes(i % 8)) for i in range(count)]


def write_ferplus(data: Path, rows: Sequence[tuple[str, str, np.ndarray, list[int]]], kaggle: bool = False) -> Path:
    """Write faces as `ferplus/` with folders of pictures, or with Kaggle's table; returns the folder."""
    root = data / "ferplus"
    root.mkdir(parents=True, exist_ok=True)
    with (root / "fer2013new.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["Usage", "Image name", *VOTES])
        table.writerows([usage, name, *counts] for usage, name, _, counts in rows)
    if kaggle:
        with (root / "fer2013.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["emotion", "pixels", "Usage"])
            table.writerows([0, " ".join(map(str, image.ravel())), usage] for usage, _, image, _ in rows)
        return root
    folders = {USAGE[split]: root / folder for split, folder in FOLDER.items()}
    for usage, name, image, _ in rows:
        folders[usage].mkdir(exist_ok=True)
        if name:
            Image.fromarray(image).save(folders[usage] / name)
    return root


def clips(count: int, split: str) -> list[str]:
    """Names of clips of a split; the emotions come in turn."""
    actor = min(VALIDATION_ACTORS) if split == "validation" else 1001
    return [f"{actor}_{'ABCDEFGHIJKLMNOP'[i // 6]}AA_{CODES[i % 6]}_XX" for i in range(count)]


def write_packed(data: Path, split: str, names: Sequence[str]) -> None:
    """Write `cremad/logmel_SPLIT.npz` of log-mels whose bright band tells the emotion."""
    random = np.random.default_rng(0)
    logmel = random.integers(0, 90, (len(names), 188, 128)).astype(np.uint8)
    for picture, name in zip(logmel, names, strict=True):
        band = 20 * CODES.index(name.split("_")[2])
        picture[:, band : band + 20] += 150
    (data / "cremad").mkdir(parents=True, exist_ok=True)
    frames = np.full(len(names), 188)
    np.savez(data / "cremad" / f"logmel_{split}.npz", clip=np.array(names), logmel=logmel, frames=frames)


def write_wavs(data: Path, names: Sequence[str]) -> None:
    """Write `cremad/AudioWAV/*.wav` of tones whose pitch tells the emotion."""
    folder = data / "cremad" / "AudioWAV"
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(names):
        pitch = 200 * 1.7 ** CODES.index(name.split("_")[2])
        tone = np.sin(2 * np.pi * pitch * np.arange(RATE) / RATE)
        noise = np.random.default_rng(i).normal(0, 0.02, RATE)
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes((9000 * (tone + noise)).astype("<i2").tobytes())
