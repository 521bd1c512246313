"""Models: a card and ONNX weights for each, and the way to find and run one."""

from .card import Card
from .model import Device, Model
from .registry import DEFAULTS, card, cards_of, load, names, summaries, user_folder

__all__ = ["DEFAULTS", "Card", "Device", "Model", "card", "cards_of", "load", "names", "summaries", "user_folder"]
