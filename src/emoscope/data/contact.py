"""Contact sheets: many small faces on one picture, to look through."""

from collections.abc import Container, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..face.crop import SIDE
from .candidates import Candidate

COLUMNS, ROWS = 12, 20
SCALE = 2
WIDTH, HEIGHT = SCALE * SIDE + 8, SCALE * SIDE + 42
"""Pixels of one face with its frame and its three lines."""
PICKED, FAULT, GROUND, INK, SOFT = (40, 170, 90), (200, 60, 50), (250, 250, 248), (20, 22, 26), (95, 98, 105)


def write_sheets(faces: Sequence[Candidate], chosen: Container[int], out: Path, name: str) -> list[Path]:
    """Write `NAME-1.png`, `NAME-2.png` ...: faces with number, clip, time and faults.

    Args:
        faces: best first; the first one has the number 1.
        chosen: the numbers with a green frame.
        out: the folder.
        name: of the sheets.

    Returns:
        The files.
    """
    paths: list[Path] = []
    for start in range(0, len(faces), COLUMNS * ROWS):
        part = faces[start : start + COLUMNS * ROWS]
        sheet = Image.new("RGB", (COLUMNS * WIDTH, -(-len(part) // COLUMNS) * HEIGHT), GROUND)
        for place, face in enumerate(part):
            row, column = divmod(place, COLUMNS)
            number = start + place + 1
            sheet.paste(_tile(face, number, number in chosen), (column * WIDTH, row * HEIGHT))
        paths.append(out / f"{name}-{len(paths) + 1}.png")
        sheet.save(paths[-1])
    return paths


def _tile(face: Candidate, number: int, chosen: bool) -> Image.Image:
    font = ImageFont.load_default(10)
    tile = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    draw = ImageDraw.Draw(tile)
    side = SCALE * SIDE
    if chosen:
        draw.rectangle((0, 0, side + 7, side + 7), fill=PICKED)
    picture = Image.fromarray(np.repeat(face.face[..., None], 3, 2)).resize((side, side), Image.Resampling.BICUBIC)
    tile.paste(picture, (4, 4))
    not_ours = "" if face.split == "train" else face.split
    words = ((str(number), INK), (face.clip, SOFT), (f"{face.time:.1f} s", SOFT))
    for line, (text, colour) in enumerate(words):
        draw.text((4, side + 8 + 11 * line), text[:24], colour, font)
    draw.text((WIDTH - 4, side + 8), " ".join((not_ours, *face.faults)).strip()[:16], FAULT, font, anchor="ra")
    return tile
