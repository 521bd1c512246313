"""The shipped models: a card and ONNX weights for each, and the way to run one."""

from .registry import DEFAULTS, Card, Model, card, load, names, summaries

__all__ = ["DEFAULTS", "Card", "Model", "card", "load", "names", "summaries"]
