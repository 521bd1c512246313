"""The recipes for voices: the shipped model, the reference system's network, and what they are compared by."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ..data.augment import EightfoldAugment, LogMelAugment
from ..emotions import CREMAD_EMOTIONS, EMOTIONS
from .loop import Augment, Settings
from .networks_voice import Cepstra, Mels, ReferenceCNN, VoiceResNet, levelled
from .recipe import Recipe, Splits
from .voice_samples import (
    load_corpora,
    load_perceived,
    load_random,
    load_sentences,
    load_table,
    load_tfds,
    table_labels,
)


def as_it_is(batch: Tensor) -> Tensor:
    """The batch: the networks for voices take windows as they come."""
    return batch


INPUT: dict[str, Any] = {
    "shape": ["n", 188, 128],
    "kind": "log-mel of 3 s at 16 kHz, time first (emoscope.voice.features)",
    "range": [0, 1],
    "normalisation": "each window from its quietest to its loudest point, at most 80 dB; of voice-cremad, inside the "
    "network, each band less its own mean over time; the mean of four ways to halve time",
}
DATA: dict[str, Any] = {
    "set": "CREMA-D (Cao et al. 2014), sound",
    "train": "the 63 training actors of the tfds split; target: the intended emotion",
    "chosen_on": "the 9 validation actors",
    "rights": "Open Database License 1.0, contents under the Database Contents License 1.0",
}
LIMITS = (
    "Trained on 63 actors who speak 12 English sentences: acted, read speech in a quiet room.",
    "People who hear these clips name the intended emotion 40.0 % of the time (Cao et al. 2014, their votes).",
    "Surprise and contempt are not among its classes: it gives them 0.",
    "Never trained on: languages other than English, children, people over 74, spontaneous speech, song, whisper.",
    "Where it has never been, voice-cremad by itself is right in 39.8 % of RAVDESS (six emotions, n 528, 95 % interval "
    "37.3 to 42.6), in 33.0 % of ASED (Amharic, five emotions, n 342, 29.5 to 36.3) and in 35.6 % of nEMO (Polish, "
    "five emotions, n 390, 26.7 to 44.1), is too sure of it and calls hardly anybody sad (results/voices).",
)

RESEARCH_DATA: dict[str, Any] = {
    "set": "CREMA-D (Cao et al. 2014), RAVDESS (Livingstone and Russo 2018), ASED (Retta et al. 2022), nEMO "
    "(Christop 2024), sound",
    "train": "CREMA-D: the 63 training actors of the tfds split; RAVDESS: actors 13 to 24; ASED: the speakers with odd "
    "numbers; nEMO: five actors; target: the intended emotion, one of six; a corpus is drawn by the root of its size",
    "chosen_on": "the 9 validation actors of CREMA-D",
    "rights": "CREMA-D: Open Database License 1.0; RAVDESS and nEMO: CC BY-NC-SA 4.0; ASED: none stated. "
    "Not for commercial use",
}
RESEARCH_LIMITS = (
    "For non-commercial research only: RAVDESS and nEMO allow no other use.",
    "Trained on 113 speakers of English, Amharic and Polish: acted, mostly read speech without noise.",
    *LIMITS[1:3],
    "Never trained on: other languages, children, people over 74, spontaneous speech, song, whisper.",
    "Of ASED, RAVDESS and nEMO it has heard all that is at hand: how it does on their other speakers is not measured.",
    "A first try with three of the corpora did not do better on the fourth, nEMO, than voice-cremad does: 32.3 % (n "
    "390, 95 % interval 22.7 to 40.0; results/voices).",
)


def _voice(
    name: str,
    description: str,
    protocol: str,
    load: Callable[[Path], Splits],
    network: Callable[[], nn.Module],
    settings: Settings,
    augment: Callable[[], Augment] = LogMelAugment,
    train: str = DATA["train"],
) -> Recipe:
    """A recipe on CREMA-D."""
    return Recipe(
        name=name,
        modality="voice",
        description=description,
        labels=CREMAD_EMOTIONS,
        protocol=protocol,
        load=load,
        network=network,
        prepare=as_it_is,
        augment=augment,
        gentle=augment,
        settings=settings,
        input=INPUT,
        data={**DATA, "train": train},
        limits=LIMITS,
    )


_SHORT = Settings(epochs=10, batch=32, rate=2e-3, average=0.99)
"""One schedule for every use of the reference system's network, so that they can be compared."""


def _reference(name: str, words: str, front: Callable[[], nn.Module], load: Callable[[Path], Splits] = load_tfds,
               protocol: str = "tfds", train: str = DATA["train"]) -> Recipe:  # fmt: skip
    return _voice(
        name,
        f"The reference system's network (66,150 parameters) on {words}",
        protocol,
        load,
        lambda: ReferenceCNN(front()),
        _SHORT,
        EightfoldAugment,
        train,
    )


_LONG = Settings(epochs=30, batch=16, rate=2e-3, average=0.997, smoothing=0.1)

RECIPES = (
    _voice(
        "voice-single",
        "Small residual network with attention pooling for 3 s log-mel windows, trained on CREMA-D alone",
        "tfds",
        load_tfds,
        VoiceResNet,
        _LONG,
    ),
    _voice(
        "voice-cremad",
        "The network of voice-single, trained on CREMA-D and on sounds that nobody speaks in",
        "tfds",
        load_tfds,
        partial(VoiceResNet, normalise=levelled),
        Settings(epochs=150, batch=32, rate=3e-3, average=0.998, smoothing=0.1),
        partial(LogMelAugment, mixing=0.33, nothing=0.06, sounds=600, channel=True),
    ),
    _voice(
        "voice-taught",
        "The network of voice-cremad, taught by others (--teacher)",
        "tfds",
        load_tfds,
        VoiceResNet,
        replace(_LONG, epochs=24),
        partial(LogMelAugment, nothing=0.06, sounds=600),
    ),
    _voice(
        "voice-perceived",
        "The network of voice-single, trained on what raters heard",
        "perceived",
        load_perceived,
        VoiceResNet,
        Settings(epochs=12, batch=16, rate=2e-3, average=0.997),
        train="the 63 training actors of the tfds split; target: the distribution of the raters who heard the clip",
    ),
    _reference("reference-mfcc", "40 MFCC", Cepstra),
    _reference("reference-mel", "42 mel bands", partial(Mels, 42)),
    _reference("reference-mfcc-random", "40 MFCC, speakers on both sides", Cepstra, load_random, "random",
               "a random share of the clips of 72 actors: the same people validate, so its figures are inflated"),
    _reference("reference-mfcc-sentences", "40 MFCC, unheard sentences", Cepstra, load_sentences, "sentences",
               "the 63 training actors of the tfds split without four of the twelve sentences"),
    _voice(
        "reference-best",
        "The reference system's network (66,150 parameters), trained as well as we know how",
        "tfds",
        load_tfds,
        lambda: ReferenceCNN(Mels(32, frames=4, scaled=True), dropout=0.0),
        Settings(epochs=40, batch=16, rate=4e-3, average=0.997, decay=0.01),
        partial(LogMelAugment, bands=32, mixing=0.0, nothing=0.0),
    ),
    replace(
        _voice(
            "voice-research",
            "The network of voice-cremad, trained on four corpora in three languages; for non-commercial research",
            "tfds",
            load_corpora,
            partial(VoiceResNet, normalise=levelled),
            Settings(epochs=20, batch=32, rate=2e-3, average=0.998, smoothing=0.1),
            partial(LogMelAugment, mixing=0.33, nothing=0.06, sounds=600, channel=True),
        ),
        data=RESEARCH_DATA,
        limits=RESEARCH_LIMITS,
        licence="CC-BY-NC-SA-4.0",
    ),
    Recipe(
        name="voice-folder",
        modality="voice",
        description="The network of voice-single, trained on a folder of recordings",
        labels=EMOTIONS,
        labels_in=table_labels,
        protocol="recordings",
        load=load_table,
        network=partial(VoiceResNet, normalise=levelled),
        prepare=as_it_is,
        augment=LogMelAugment,
        gentle=LogMelAugment,
        settings=_LONG,
        input=INPUT,
        data={
            "set": "the recordings that recordings.csv lists",
            "train": "four fifths of the persons",
            "chosen_on": "the other persons",
            "rights": "those of the recordings",
        },
        limits=("Trained on recordings that only whoever trained it knows: say here what they are.",),
    ),
)  # fmt: skip
