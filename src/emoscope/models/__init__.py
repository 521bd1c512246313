"""Models: a card and ONNX weights for each, and the way to find and run one."""

from .card import Card
from .inputs import FaceInput, SequenceInput, VoiceInput
from .model import Device, Model
from .registry import DEFAULTS, card, cards_of, load, names, summaries, user_folder

__all__ = [
    "DEFAULTS", "Card", "Device", "FaceInput", "Model", "SequenceInput", "VoiceInput", "card", "cards_of", "load",
    "names", "summaries", "user_folder",
]  # fmt: skip
