"""Timelines made for the tests of the report."""

from typing import Any

import numpy as np

from emoscope.emotions import EMOTIONS
from emoscope.models import Card
from emoscope.timeline import Box, Observation, Source, Timeline

BOX: Box = (10.0, 20.0, 30.0, 40.0)


def scores(**given: float) -> tuple[float, ...]:
    """The given scores; neutral takes the rest."""
    values = {"neutral": 1 - sum(given.values())} | given
    return tuple(values.get(name, 0.0) for name in EMOTIONS)


def observe(
    start: float,
    end: float,
    source: Source = "face",
    person: int | None = 1,
    box: Box | None = BOX,
    **given: float,
) -> Observation:
    return Observation(start, end, source, person, None if source == "voice" else box, scores(**given))


def conversation(**info: Any) -> Timeline:
    """Person 1 for 4 s (3 s happy, 1 s sad), person 2 for 6 s, with a voice of person 2 and one of the scene."""
    observations = [observe(t / 10, t / 10 + 0.1, person=1, happiness=0.8) for t in range(30)]
    observations += [observe(t / 10, t / 10 + 0.1, person=1, sadness=0.6) for t in range(40, 50)]
    observations += [observe(t / 10, t / 10 + 0.1, person=2, anger=0.7) for t in range(60)]
    observations += [observe(0, 2, "voice", 2, fear=0.9), observe(1, 3, "voice", 2, fear=0.9)]
    observations += [observe(0, 2, "fused", 2, anger=0.5), observe(3, 5, "voice", None, disgust=0.55)]
    return Timeline.of(observations, {"input": "talk.mp4", "kind": "video", "duration_s": 6.0} | info).sorted()


def long_recording(persons: int, observations_each: int, seconds: float = 3600.0) -> Timeline:
    """Every person through the whole recording, with scores that change at random."""
    draws = np.random.default_rng(0).dirichlet(np.ones(len(EMOTIONS)), observations_each)
    start = np.repeat(np.arange(observations_each) * seconds / observations_each, persons)
    return Timeline(
        start,
        start + seconds / observations_each,
        np.zeros(len(start), np.int8),
        np.tile(np.arange(1, persons + 1, dtype=np.int32), observations_each),
        np.tile(np.array(BOX), (len(start), 1)),
        np.repeat(draws, persons, axis=0),
    )


def card(**changes: Any) -> Card:
    values: dict[str, Any] = {
        "name": "face-test",
        "modality": "face",
        "description": "A model for tests.",
        "labels": EMOTIONS,
        "input": {},
        "parameters": 10,
        "temperature": 1.0,
        "data": {},
        "metrics": (
            {"protocol": "FER+ majority", "split": "test", "n": 3153, "accuracy": 0.849, "interval": [0.836, 0.861]},
        ),
        "licence": "MIT",
        "limits": ("Faces turned away.",),
        "not_for": ("Hiring.",),
        "recipe": "none",
    }
    return Card(**values | changes)
