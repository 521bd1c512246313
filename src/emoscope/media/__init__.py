"""Media in and out: frames with their presentation times, sound as 16 kHz mono, annotated video."""

from .read import SUFFIXES, Media, is_media, is_picture, open_media
from .types import SAMPLE_RATE, Frame, Sound
from .write import VideoWriter

__all__ = ["SAMPLE_RATE", "SUFFIXES", "Frame", "Media", "Sound", "VideoWriter", "is_media", "is_picture", "open_media"]
