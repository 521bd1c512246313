"""Media in and out: frames with their presentation times, sound as 16 kHz mono, annotated video."""

from .read import SUFFIXES, Media, is_media, open_media
from .types import SAMPLE_RATE, Frame, Sound

__all__ = ["SAMPLE_RATE", "SUFFIXES", "Frame", "Media", "Sound", "is_media", "open_media"]
