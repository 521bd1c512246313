"""The sequence model in the pipeline, beside a face model: the clips of the 9 validation actors.

Every clip is analysed as a user would; it is judged as in `faces.clips`. The sequence model was chosen on these actors,
but not trained on them.
"""

from collections.abc import Iterator
from typing import Any

from rich.progress import track

import emoscope
from emoscope.data.cremad import video_clips
from emoscope.reading.smooth import SMOOTHERS

from ..faces.clips import accuracies, smoothness
from ..rows import Row, Where
from ..runner import Context

CLIPS = "CREMA-D clips of the 9 validation actors"


def pipeline(context: Context) -> Iterator[Row]:
    """Each model of faces, with the voice model, which is last."""
    *models, voice = context.models
    found = [(clip, path) for clip, path in video_clips(context.data) if clip.sentence == "IEO"]
    found = [(clip, path) for clip, path in found if clip.split == "validation"]
    names = [clip for clip, _ in found]
    for model in models:
        evidence = [
            emoscope.observe(path, face_model=model, voice_model=voice) for _, path in track(found, model.card.name)
        ]
        steady = [emoscope.read(one, baseline="none") for one in evidence]
        single = [emoscope.read(one, baseline="none", smoothing="none") for one in evidence]
        accuracy = [row for row in accuracies(names, steady) if row["actors"] == "validation actors"]
        if model is not models[0]:  # the voice is the same
            accuracy = [row for row in accuracy if row["source"] != "voice"]
        changes = [smoothness(name, names, single) for name in SMOOTHERS]
        yield from rows(model.card.name, voice.card.name, accuracy, changes)


def rows(model: str, voice: str, accuracy: list[dict[str, Any]], changes: list[dict[str, Any]]) -> Iterator[Row]:
    """Clips by each source, and single frames under each smoothing."""
    name = {"face": model, "voice": voice, "fused": f"{model} with {voice}"}
    for of in accuracy:
        low, high = of["interval"]
        yield Row(metric="accuracy", value=of["accuracy"], low=low, high=high, n=of["n"], model=name[of["source"]],
                  protocol="alone", split=CLIPS, condition=f"{of['source']}, among {of['among']}")  # fmt: skip
    for of in changes:
        where: Where = {"model": model, "split": f"frames of {CLIPS}", "condition": f"smoothing {of['smoothing']}",
                 "n": of["frames"]}  # fmt: skip
        for among in ("eight", "three"):
            yield Row(metric=f"share right among {among}", value=of[among], **where)
        yield Row(metric="log_likelihood", value=of["log_likelihood"], **where)
        yield Row(metric="label changes a second", value=of["changes_a_second"], **where)
