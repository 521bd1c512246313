"""Face and voice together over the same windows, five folds, three seeds each.

Of each window of faces, the voice network of the fold (`voice`), which has not heard the fold's actors, hears the sound
of the same 1.6 s. Late fusion is a product of experts; the voice's weight is chosen, for each fold, on the held-out
scores of the other folds' clips. The gated unit (Arevalo et al. 2017, arXiv:1702.01992) and cross-attention from faces
to sound (Tsai et al. 2019, arXiv:1906.00295) are trained on the features of both.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from emoscope.data.sampler import Windows, covering_windows, random_windows
from emoscope.training.loop import Trainer
from emoscope.training.networks_voice import VoiceResNet
from emoscope.training.pretrained import face_network
from emoscope.training.sequence_networks import FEATURES, Attention
from emoscope.voice.features import HOP, MELS, WINDOW_FRAMES

from .common import FOLDS, PLAN, Clips, read_clips
from .heads import (
    HEAD,
    SEEDS,
    WINDOWS_PER_CLIP,
    Features,
    cached,
    clip_features,
    log_softmax,
    samples_of,
    save,
    windows,
)

FRAME_S = HOP / 16_000
VOICE_TIME, VOICE_FEATURES = 12, 128
WIDTH = 64
VOICE_WEIGHTS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)
"""Of the voice in late fusion, beside 1 for the face."""


def scores_of(data: Path, out: Path) -> None:
    """Train the fusions on what `voice` and `heads` left in `out`, and score the clips."""
    clips = read_clips(data)
    features = cached(out / "features-frozen.npz", lambda: clip_features(face_network(), clips))
    voices = [voice_network(out, fold) for fold in range(FOLDS)]
    save(out, "voice-windows", lambda: [voice_scores(clips, voices, False)])
    save(out, "voice-clips", lambda: [voice_scores(clips, voices, True)])
    save(out, "both-late", lambda: late(out, clips, "frozen-attention"))
    voiced: Cache = {}
    for name in FUSIONS:
        save(out, f"both-{name}", partial(fused, out, clips, features, voices, name, voiced))


def voice_network(out: Path, fold: int) -> VoiceResNet:
    network = VoiceResNet(classes=3)
    state = torch.load(out / f"voice-{fold}" / "last.pt", weights_only=True)["averaged"]
    network.load_state_dict({key[7:]: value for key, value in state.items() if key.startswith("module.")})
    return network.eval()


def heard(clips: Clips, drawn: Windows, ends: np.ndarray) -> np.ndarray:
    """The sound of each window, `(n, 188, 128)` float32 in [0, 1]: what `voice.features` makes of its 1.6 s."""
    sounds = np.zeros((len(ends), WINDOW_FRAMES, MELS), np.float32)
    for row, (clip, end) in enumerate(zip(drawn.clip, ends, strict=True)):
        first = max(0, round((end - PLAN.span - PLAN.dilation) / FRAME_S))
        part = clips.clips[clip].logmel[first : round(end / FRAME_S) + 1]
        sounds[row, : len(part)] = part / 255
    return sounds


def ends(clips: Clips, drawn: Windows) -> np.ndarray:
    """When each window ends."""
    return np.array([clips.times[clip][slots[-1]] for clip, slots in zip(drawn.clip, drawn.slots, strict=True)])


def voice_scores(clips: Clips, voices: list[VoiceResNet], whole: bool) -> list[np.ndarray]:
    """The voice alone, by the network that has not heard the actor: over the same windows, or over whole clips."""
    drawn = covering_windows(clips.times, PLAN)
    sounds = heard(clips, drawn, ends(clips, drawn))
    if whole:
        drawn = Windows(np.arange(len(clips.clips)), drawn.slots[:0], drawn.known[:0])
        sounds = np.zeros((len(clips.clips), WINDOW_FRAMES, MELS), np.float32)
        for row, clip in enumerate(clips.clips):
            part = clip.logmel[:WINDOW_FRAMES]
            sounds[row, : len(part)] = part / 255
    scores = []
    for clip, fold in enumerate(clips.folds):
        with torch.inference_mode():
            logits = voices[fold](torch.from_numpy(sounds[drawn.clip == clip])).numpy()
        scores.append(log_softmax(logits).mean(0)[None])
    return scores


def late(out: Path, clips: Clips, face: str) -> list[list[np.ndarray]]:
    """A product of experts, for each seed of the face: the sum of its log-probabilities and the voice's, weighted."""
    with np.load(out / "scores" / f"{face}.npz") as faces, np.load(out / "scores" / "voice-windows.npz") as voice:
        count = len(clips.clips)
        heard = np.array([voice[f"0-{i}"][0] for i in range(count)])
        seen = [np.array([faces[f"{seed}-{i}"][0] for i in range(count)]) for seed in range(SEEDS)]
    return [[row[None] for row in weighted(one, heard, clips)] for one in seen]


def weighted(face: np.ndarray, voice: np.ndarray, clips: Clips) -> np.ndarray:
    """Scores `(n, 3)`: for each fold with the weight of the voice that is likeliest on the other folds' clips."""
    scores = np.zeros_like(face)
    mixed = [log_softmax(face + weight * voice) for weight in VOICE_WEIGHTS]
    rows = np.arange(len(face))
    for fold in range(FOLDS):
        others = clips.folds != fold
        likely = [one[rows, clips.labels][others].mean() for one in mixed]
        scores[~others] = mixed[int(np.argmax(likely))][~others]
    return scores


class Split(nn.Module):
    """Takes apart what the fusions are given: a window's face features, and after them its sound's."""

    def both(self, window: Tensor) -> tuple[Tensor, Tensor]:
        """Map `(n, faces * 192 + 12 * 128)` to `(n, faces, 192)` and `(n, 12, 128)`."""
        faces = window[:, : PLAN.faces * FEATURES].reshape(len(window), PLAN.faces, FEATURES)
        return faces, window[:, PLAN.faces * FEATURES :].reshape(len(window), VOICE_TIME, VOICE_FEATURES)


def _pool(sound: Tensor) -> Tensor:
    """Mean and deviation over time, `(n, 2 features)`."""
    return torch.cat([sound.mean(1), sound.std(1)], 1)


class Gated(Split):
    """A gate decides, feature by feature, how much of the face and of the voice counts."""

    def __init__(self) -> None:
        super().__init__()
        self.face = Attention(classes=3)
        self.from_face = nn.Linear(2 * FEATURES, WIDTH)
        self.from_voice = nn.Linear(2 * VOICE_FEATURES, WIDTH)
        self.gate = nn.Linear(2 * FEATURES + 2 * VOICE_FEATURES, WIDTH)
        self.out = nn.Sequential(nn.Dropout(0.3), nn.Linear(WIDTH, 3))

    def forward(self, window: Tensor) -> Tensor:
        faces, sound = self.both(window)
        face, voice = self.face.pool(faces), _pool(sound)
        gate = torch.sigmoid(self.gate(torch.cat([face, voice], 1)))
        mixed = gate * torch.tanh(self.from_face(face)) + (1 - gate) * torch.tanh(self.from_voice(voice))
        return self.out(mixed)


class CrossAttention(Split):
    """Each face asks the sound; the face's own pooled features and the answers decide together."""

    def __init__(self) -> None:
        super().__init__()
        self.face = Attention(classes=3)
        self.query = nn.Linear(FEATURES, WIDTH)
        self.sound = nn.Linear(VOICE_FEATURES, WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, 4, dropout=0.1, batch_first=True)
        self.out = nn.Sequential(nn.Dropout(0.3), nn.Linear(2 * FEATURES + WIDTH, 3))

    def forward(self, window: Tensor) -> Tensor:
        faces, sound = self.both(window)
        keys = self.sound(sound)
        answers, _ = self.attention(self.query(faces), keys, keys, need_weights=False)
        return self.out(torch.cat([self.face.pool(faces), answers.mean(1)], 1))


FUSIONS: dict[str, Callable[[], nn.Module]] = {"gated": Gated, "cross-attention": CrossAttention}


def sound_features(voice: VoiceResNet, sounds: np.ndarray) -> np.ndarray:
    """The voice network's features over time, `(n, 12, 128)`."""
    parts = []
    with torch.inference_mode():
        for i in range(0, len(sounds), 64):
            parts.append(voice.frames(torch.from_numpy(sounds[i : i + 64])).numpy())
    return np.concatenate(parts)


def joined(faces: np.ndarray, sound: np.ndarray) -> np.ndarray:
    return np.concatenate([faces.reshape(len(faces), -1), sound.reshape(len(sound), -1)], 1).astype(np.float32)


def same(windows: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    return windows, targets


Cache = dict[tuple[int, int], np.ndarray]
"""The sound's features of the training windows of a fold and seed: both fusions see the same."""


def fused(
    out: Path, clips: Clips, features: Features, voices: list[VoiceResNet], name: str, voiced: Cache
) -> list[list[np.ndarray]]:
    """The scores `(1, 3)` of each clip by a fusion that is trained on both, for each seed."""
    seeds = []
    for seed in range(SEEDS):
        scores = np.zeros((len(clips.clips), 3), np.float32)
        for fold in range(FOLDS):
            train = clips.folds != fold
            inputs, owner = windows(clips, features, train, seed)
            drawn = draw(clips, train, seed)
            if (fold, seed) not in voiced:
                voiced[fold, seed] = sound_features(voices[fold], heard(clips, drawn, ends(clips, drawn)))
            sound = voiced[fold, seed]
            test = clips.take(~train)
            covers = covering_windows(test.times, PLAN)
            held_faces = covers.gather([features[0][i] for i in np.flatnonzero(~train)])
            held = joined(held_faces, sound_features(voices[fold], heard(test, covers, ends(test, covers))))
            torch.manual_seed(seed)
            trainer = Trainer(
                FUSIONS[name](),
                samples_of(joined(inputs, sound), clips.labels[owner], 3),
                samples_of(held, test.labels[covers.clip], 3),
                replace(HEAD, seed=seed),
                lambda x: x,
                same,
                same,
                out / "heads" / f"both-{name}-{fold}-{seed}",
            )
            trainer.run(resume=True)
            logs = log_softmax(trainer.logits(trainer.averaged.module, held))
            scores[~train] = [logs[covers.clip == clip].mean(0) for clip in range(len(test.clips))]
        seeds.append([row[None] for row in scores])
    return seeds


def draw(clips: Clips, chosen: np.ndarray, seed: int) -> Windows:
    """The windows that `heads.windows` draws, with their clips' places among all."""
    rows = np.flatnonzero(chosen)
    random = np.random.default_rng(seed)
    times = [clips.times[i] for i in rows]
    drawn = random_windows(times, clips.labels[rows], WINDOWS_PER_CLIP * len(rows), PLAN, random)
    return drawn._replace(clip=rows[drawn.clip])
