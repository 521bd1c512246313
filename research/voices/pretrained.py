"""Does a pretrained speech encoder that a package ships help? Resemblyzer beside what needs no pretraining.

    pip install --no-deps resemblyzer webrtcvad-wheels

Resemblyzer 0.1.4 (Apache-2.0) carries the weights of a speaker encoder (GE2E, Wan et al. 2018, arXiv:1710.10467). Its
input is sound, and CREMA-D is here as log-mels of another kind, so it is measured on RAVDESS, actors 13 to 24, the six
emotions that CREMA-D has too: logistic regression on frozen features, in four folds of three actors, actors apart.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import librosa
import numpy as np
from rich.progress import track
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emoscope.data import ravdess
from emoscope.data.recordings import samples
from emoscope.emotions import CREMAD_EMOTIONS
from emoscope.training.metrics import score
from emoscope.voice.features import log_mel, window_input

from ..intervals import interval
from ..rows import Row, Where
from ..runner import Context

QUIET_DB = 50


def pretrained(context: Context) -> Iterator[Row]:
    """Logistic regression on each kind of features."""
    from resemblyzer import VoiceEncoder

    listed = [r for r in ravdess.recordings(context.data) if r.emotion in CREMAD_EMOTIONS]
    sounds = [librosa.effects.trim(samples(r.path), top_db=QUIET_DB)[0] for r in track(listed, "reading")]
    labels = np.array([CREMAD_EMOTIONS.index(r.emotion) for r in listed])
    actors = np.array([r.person for r in listed])
    (model,) = context.models
    encoder = VoiceEncoder("cpu", verbose=False)
    pictures = [log_mel(sound) for sound in sounds]
    features = {
        "mean and deviation of each log-mel band": np.array([[*p.mean(0), *p.std(0)] for p in pictures]),
        "Resemblyzer, frozen": np.array([encoder.embed_utterance(s) for s in track(sounds, "encoding")]),
        f"logits of {model.card.name}, frozen": np.concatenate([model.logits(window_input(s)[None]) for s in sounds]),
    }
    parameters = dict.fromkeys(features, 0)
    parameters["Resemblyzer, frozen"] = sum(p.numel() for p in encoder.parameters())
    parameters[f"logits of {model.card.name}, frozen"] = model.card.parameters
    yield from rows(probe(name, found, labels, actors, parameters[name]) for name, found in features.items())


def probe(name: str, features: np.ndarray, labels: np.ndarray, actors: np.ndarray, parameters: int) -> dict[str, Any]:
    """Logistic regression in folds of actors."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    logits = cross_val_predict(
        classifier, features, labels, groups=actors, cv=GroupKFold(4), method="decision_function"
    )
    metrics = score(logits, labels)
    return {
        "features": name,
        "numbers": features.shape[1],
        "parameters": parameters,
        "n": metrics["n"],
        "accuracy": metrics["accuracy"],
        "interval": interval(logits.argmax(1) == labels, actors),
        "uar": metrics["uar"],
    }


def rows(found: Iterable[dict[str, Any]]) -> Iterator[Row]:
    """What each kind of features gives."""
    for of in found:
        model = of["features"].removeprefix("logits of ").removesuffix(", frozen")
        where: Where = {"protocol": "other-corpus", "split": "RAVDESS 13-24, four folds", "condition": of["features"],
                        "model": model if of["features"].startswith("logits") else "", "n": of["n"]}  # fmt: skip
        low, high = of["interval"]
        yield Row(metric="numbers", value=of["numbers"], **where)
        yield Row(metric="parameters", value=of["parameters"], **where)
        yield Row(metric="accuracy", value=of["accuracy"], low=low, high=high, **where)
        yield Row(metric="uar", value=of["uar"], **where)
