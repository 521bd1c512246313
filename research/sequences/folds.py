"""The sequence models in five folds over the 72 actors of the CREMA-D clips.

Trains what is not there (an hour and a half on one core), then judges. A clip's emotion is the one with the highest
mean log-probability over the windows that cover it; of single frames, also by the other rules below. Where a model was
trained three times from other seeds, its accuracy is the mean of the three.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from emoscope.data.clips import load
from emoscope.emotions import EMOTIONS, columns
from emoscope.face.crop import similarity
from emoscope.face.steady import Steady
from emoscope.training.features import encode_clips
from emoscope.training.pretrained import face_network
from emoscope.training.sequence_networks import FEATURES, HEADS, Recurrent, TimeDistributed

from ..intervals import interval
from ..rows import Point, Row, Where
from ..runner import Context
from ..scores import confused, curve
from . import encoders, heads, sound, voice
from .common import FOLDS, PLAN, THREE, Clips, covering, read_clips
from .sound import FUSIONS

FRAMES = {
    "shipped-frames": "face-ferplus as shipped, not trained on clips",
    "frozen-frames": "its features, a linear layer trained on frames",
    "tuned-frames": "the whole face network fine-tuned on frames",
}
SEQUENCES = {
    "distributed": "time-distributed CNN + GRU, trained together (as the reference)",
    "frozen-gru": "face-ferplus features + GRU",
    "frozen-gru-attention": "face-ferplus features + GRU + attention over its states",
    "frozen-attention": "face-ferplus features + attention pooling",
    "frozen-transformer": "face-ferplus features + small transformer",
    "frozen-mean": "face-ferplus features + mean over the window (no time)",
    "tuned-gru": "features fine-tuned on frames + GRU",
    "tuned-attention": "features fine-tuned on frames + attention pooling",
    "pretrained-gru": "face-ferplus features + GRU, pretrained on moving FER+ stills",
    "pretrained-attention": "face-ferplus features + attention pooling, pretrained on moving FER+ stills",
}
EIGHT = {
    "shipped-frames": "face-ferplus, mean over frames",
    "joint": "attention pooling on clips and moving stills together",
    "joint-quarter": "the same, a quarter of the clips' targets what raters saw (the recipe sequence-cremad)",
    "joint-votes": "the same, half of the clips' targets what raters saw",
}
BOTH = {
    "frozen-attention": "face: attention pooling",
    "voice-windows": "voice: the same windows",
    "voice-clips": "voice: whole clips",
    "both-late": "both, late: product of experts",
    "both-gated": "both, gated unit",
    "both-cross-attention": "both, cross-attention",
}
PARTS = {"frames": "single frames", "sequences": "sequences", "both": "face and voice"}
CURVES = {
    "frames, fine-tuned": "frames-{fold}",
    "time-distributed CNN + GRU": "distributed-{fold}",
    "attention pooling": "heads/frozen-attention-{fold}-0",
    "GRU": "heads/frozen-gru-{fold}-0",
    "transformer": "heads/frozen-transformer-{fold}-0",
    "voice": "voice-{fold}",
}
"""Of which trainings the curves are kept, a mean over the folds: losses, and held-out accuracy of frames or windows."""
Scores = list[list[np.ndarray]]


def folds(context: Context) -> Iterator[Row | Point]:
    """Single frames, sequences, all eight emotions, and face and voice together."""
    out = context.runs
    voice.networks(context.data, out)
    encoders.networks(context.data, out)
    heads.scores_of(context.data, out)
    sound.scores_of(context.data, out)
    clips = read_clips(context.data)
    distributed(out, clips)
    yield from rows(judge(context.data, out, clips))
    for name, where in CURVES.items():
        for fold in range(FOLDS):
            yield from curve(json.loads((out / where.format(fold=fold) / "history.json").read_text()), name, fold)


def judge(data: Path, runs: Path, clips: Clips) -> dict[str, Any]:
    frames = [
        {**judged(clips, [rule(s) for s in three(read(runs, name))]), "name": name, "what": what, "rule": how}
        for name, what in FRAMES.items()
        for how, rule in RULES.items()
    ]
    sequences = [{**of(runs, clips, name), "what": what} for name, what in SEQUENCES.items()]
    both = [{**of(runs, clips, name), "what": what} for name, what in BOTH.items()]
    best_frames = max(frames, key=lambda row: row["accuracy"])
    best = of(runs, clips, "frozen-attention")
    return {
        "frames": frames,
        "sequences": sequences,
        "gain": difference(clips, best, best_frames),
        "gain_gru": difference(clips, of(runs, clips, "frozen-gru"), best_frames),
        "gain_distributed": difference(clips, of(runs, clips, "distributed"), best_frames),
        "pretraining": [
            {
                "head": head,
                **difference(clips, of(runs, clips, f"pretrained-{head}"), of(runs, clips, f"frozen-{head}")),
            }
            for head in ("gru", "attention")
        ],
        "eight": [eight(runs, clips, name, what) for name, what in EIGHT.items()],
        "both": both,
        "gain_both": [
            {
                "what": f"{BOTH[one]}, against {BOTH[other]}",
                **difference(clips, of(runs, clips, one), of(runs, clips, other)),
            }
            for one in ("both-late", "both-gated", "both-cross-attention")
            for other in ("frozen-attention", "voice-windows")
        ],
        "people": people(data, clips),
        "sentence_dfa": dfa(data, runs),
        "cost": cost(),
        "steady": steadiness(clips),
    }


def distributed(runs: Path, clips: Clips) -> None:
    """Score the clips with the time-distributed networks of the folds, once."""
    path = runs / "scores" / "distributed.npz"
    if path.exists():
        return
    scores = np.zeros((len(clips.clips), 3), np.float32)
    for fold in range(FOLDS):
        network = TimeDistributed(face_network(), Recurrent(classes=3))
        state = torch.load(runs / f"distributed-{fold}" / "last.pt", weights_only=True)["averaged"]
        network.load_state_dict({key[7:]: value for key, value in state.items() if key.startswith("module.")})
        test = clips.take(clips.folds == fold)
        scores[clips.folds == fold] = covering(network.eval(), test, [clip.faces for clip in test.clips])
    np.savez(path, **{f"0-{i}": row[None] for i, row in enumerate(scores)})


def read(runs: Path, name: str) -> Scores:
    """For each seed, for each clip, log-probabilities `(k, classes)`."""
    with np.load(runs / "scores" / f"{name}.npz") as arrays:
        seeds = 1 + max(int(key.split("-")[0]) for key in arrays.files)
        count = len(arrays.files) // seeds
        return [[arrays[f"{seed}-{i}"] for i in range(count)] for seed in range(seeds)]


def three(scores: Scores) -> Scores:
    """Among the three: of the eight, the others are left out."""
    if scores[0][0].shape[1] == len(THREE):
        return scores
    picked = [[one[:, columns(THREE)] for one in seed] for seed in scores]
    return [[one - np.log(np.exp(one).sum(1, keepdims=True)) for one in seed] for seed in picked]


def _vote(frames: np.ndarray) -> int:
    labels = frames.argmax(1)
    batches = [np.bincount(labels[i : i + 10]).argmax() for i in range(0, len(labels), 10)]
    return int(np.bincount(batches).argmax())


Rule = Callable[[list[np.ndarray]], np.ndarray]
RULES: dict[str, Rule] = {
    "mean of scores": lambda clips: np.array([np.exp(frames).mean(0).argmax() for frames in clips]),
    "mean of log-scores": lambda clips: np.array([frames.mean(0).argmax() for frames in clips]),
    "majority vote of batches of 10": lambda clips: np.array([_vote(frames) for frames in clips]),
    "best single frame": lambda clips: np.array([frames[frames.max(1).argmax()].argmax() for frames in clips]),
}


def judged(clips: Clips, said: Sequence[np.ndarray]) -> dict[str, Any]:
    """Accuracy over seeds, its interval, each seed's, the counts over all seeds, and the share right of each clip."""
    hits = np.mean([one == clips.labels for one in said], axis=0)
    counts = np.zeros((3, 3), int)
    for one in said:
        np.add.at(counts, (clips.labels, one), 1)
    return {
        "n": len(hits),
        "accuracy": float(hits.mean()),
        "interval": interval(hits, clips.actors),
        "seeds": [float((one == clips.labels).mean()) for one in said],
        "confusion": counts.tolist(),
        "hits": hits.round(4).tolist(),
    }


def of(runs: Path, clips: Clips, name: str) -> dict[str, Any]:
    return {"name": name, **judged(clips, [RULES["mean of log-scores"](seed) for seed in three(read(runs, name))])}


def difference(clips: Clips, one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """By how much one is better on the same clips; the interval is of the difference, over actors."""
    gains = np.array(one["hits"]) - np.array(other["hits"])
    return {"points": float(gains.mean()), "interval": interval(gains, clips.actors)}


def eight(runs: Path, clips: Clips, name: str, what: str) -> dict[str, Any]:
    """Among all eight emotions; and on moving stills of FER+ validation, how much is left of the eight."""
    truth = np.array(columns(THREE))[clips.labels]
    said = [np.array([np.exp(one).mean(0).argmax() for one in seed]) for seed in read(runs, name)]
    hits = np.mean([one == truth for one in said], axis=0)
    among_three = of(runs, clips, name)
    counts = {label: np.bincount(np.concatenate([one[truth == EMOTIONS.index(label)] for one in said]), minlength=8)
              for label in THREE}  # fmt: skip
    return {
        "what": what,
        "n": len(hits),
        "accuracy": float(hits.mean()),
        "interval": interval(hits, clips.actors),
        "three": among_three["accuracy"],
        "three_interval": among_three["interval"],
        "said": {label: row.tolist() for label, row in counts.items()},
        "stills": stills(runs, name),
    }


def stills(runs: Path, name: str) -> float:
    """Accuracy on 1,000 moving stills of FER+ validation: the mean over all runs, or of the shipped face model."""
    if name != "shipped-frames":
        histories = (runs / "heads").glob(f"{name}-[0-9]-[0-9]/history.json")
        ends = [json.loads(history.read_text())[-1]["validation_accuracy"] for history in histories]
        return float(np.mean(ends))
    with np.load(runs / "features-moving.npz") as moving:
        frames, labels = moving["1-0"].astype(np.float32), moving["1-2"].astype(int)
    known = torch.from_numpy(abs(frames).max(2) > 0).unsqueeze(2)
    with torch.inference_mode():
        scores = torch.softmax(face_network().eval().head(torch.from_numpy(frames)), 2) * known
    return float((scores.sum(1).argmax(1).numpy() == labels).mean())


def people(data: Path, clips: Clips) -> dict[str, Any]:
    """What raters named most who saw the same clips without sound: among six, ties not counted as right."""
    with (data / "cremad" / "summaryTable.csv").open() as file:
        votes = {row["FileName"]: row["FaceVote"] for row in csv.DictReader(file)}
    hits = np.array([votes[clip.name] == clip.label[0].upper() for clip in clips.clips])
    each = {label: float(hits[clips.labels == i].mean()) for i, label in enumerate(THREE)}
    return {"n": len(hits), "accuracy": float(hits.mean()), "interval": interval(hits, clips.actors), "recall": each}


def dfa(data: Path, runs: Path) -> list[dict[str, str]]:
    """Actor 1001's other sentence, in all six: what the eight-emotion head of their fold says."""
    clips = read_clips(data)
    fold = int(clips.folds[clips.actors == "1001"][0])
    head = HEADS["attention"]()
    state = torch.load(runs / "heads" / f"joint-quarter-{fold}-0" / "last.pt", weights_only=True)["averaged"]
    head.load_state_dict({key[7:]: value for key, value in state.items() if key.startswith("module.")})
    others = [clip for clip in load(data / "cremad" / "sequences") if "_DFA_" in clip.name]
    some = Clips(others, np.zeros(len(others), int), np.array(["1001"] * len(others)), np.zeros(len(others), int))
    features = encode_clips(face_network(), [clip.faces for clip in others])[0]
    said = covering(head.eval(), some, features).argmax(1)
    return [{"clip": c.name, "acted": c.label, "said": EMOTIONS[s]} for c, s in zip(others, said, strict=True)]


def cost() -> list[dict[str, Any]]:
    """Parameters, and million multiply-adds for each new face of a person: the face network's and the head's."""
    face = face_network().eval()
    rows = [{"part": "face network, each face once", **counted(face, torch.zeros(1, 1, 48, 48))}]
    rows += [
        {"part": f"head: {name}", **counted(head().eval(), torch.ones(1, PLAN.faces, FEATURES))}
        for name, head in HEADS.items()
    ]
    size = PLAN.faces * FEATURES + 12 * 128
    rows += [{"part": f"fusion: {n}", **counted(f().eval(), torch.ones(1, size))} for n, f in FUSIONS.items()]
    rows.append({"part": "voice network, 3 s", **counted(fresh_voice(), torch.zeros(1, 188, 128))})
    return rows


def fresh_voice() -> torch.nn.Module:
    from emoscope.training.networks_voice import VoiceResNet

    return VoiceResNet(classes=3).eval()


def counted(network: torch.nn.Module, example: torch.Tensor) -> dict[str, Any]:
    torch.backends.mha.set_fastpath_enabled(False)  # the counter passes the fused layers over
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(example)
    adds = counter.get_total_flops() / 2
    for module in network.modules():
        if isinstance(module, torch.nn.GRU):  # the counter passes it over
            adds += PLAN.faces * sum(p.numel() for p in module.parameters())
    return {"parameters": sum(p.numel() for p in network.parameters()), "million_multiply_adds": adds / 1e6}


def steadiness(clips: Clips) -> dict[str, float]:
    """How much the crop trembles, as found and steadied: mean second difference of its place, pixels of the 48."""
    found, steadied, behind = [], [], []
    for clip in clips.clips:
        steady = Steady()
        calm = np.array([steady.update(t, points) for t, points in zip(clip.times, clip.landmarks, strict=True)])
        scale = np.mean([np.hypot(*similarity(points.astype(float))[:, 0]) for points in clip.landmarks])
        raw, calm = clip.landmarks.mean(1) * scale, calm.mean(1) * scale
        found.append(abs(np.diff(raw, 2, axis=0)).mean())
        steadied.append(abs(np.diff(calm, 2, axis=0)).mean())
        behind.append(abs(raw - calm).mean())
    return {"found": float(np.mean(found)), "steady": float(np.mean(steadied)), "behind": float(np.mean(behind))}


CLIPS = "CREMA-D clips of 72 actors"


def rows(found: dict[str, Any]) -> Iterator[Row]:
    """All that was judged."""
    for of in found["frames"]:
        yield from shares(of, f"{of['what']}; {of['rule']}", "frames")
    for part in ("sequences", "both"):
        for of in found[part]:
            if part == "both" and of["name"] in SEQUENCES:
                continue  # it stands among the sequences
            yield from shares(of, of["what"], part)
            counts = of["confusion"]
            yield from confused(counts, THREE, protocol="folds", split=CLIPS, condition=of["what"])
    gains = {"attention pooling against the best frame baseline": found["gain"],
             "GRU against the best frame baseline": found["gain_gru"],
             "time-distributed CNN + GRU against the best frame baseline": found["gain_distributed"],
             **{f"pretraining on moving FER+ stills, {of['head']}": of for of in found["pretraining"]},
             **{of["what"]: of for of in found["gain_both"]}}  # fmt: skip
    for what, of in gains.items():
        low, high = of["interval"]
        yield Row(
            metric="change", value=of["points"], low=low, high=high, protocol="folds", split=CLIPS, condition=what
        )
    of = found["people"]
    low, high = of["interval"]
    where: Where = {
        "model": "people who saw the clips without sound",
        "split": CLIPS,
        "condition": "among six emotions",
    }
    yield Row(metric="accuracy", value=of["accuracy"], low=low, high=high, n=of["n"], **where)
    for label, value in of["recall"].items():
        yield Row(metric="recall", value=value, group=label, **where)
    yield from eight_rows(found["eight"])
    yield from other_rows(found)


def shares(of: dict[str, Any], what: str, part: str) -> Iterator[Row]:
    """The accuracy of one model, and of each of its seeds."""
    low, high = of["interval"]
    where: Where = {"protocol": "folds", "split": CLIPS, "condition": what, "n": of["n"], "group": PARTS[part]}
    yield Row(metric="accuracy", value=of["accuracy"], low=low, high=high, **where)
    for seed, value in enumerate(of["seeds"] if part != "frames" else ()):
        yield Row(metric="share right, one seed", value=value, seed=seed, **where)


def eight_rows(found: list[dict[str, Any]]) -> Iterator[Row]:
    """Among all eight emotions."""
    for of in found:
        low, high = of["interval"]
        where: Where = {"protocol": "folds", "split": CLIPS, "condition": of["what"]}
        yield Row(metric="share right among eight", value=of["accuracy"], low=low, high=high, n=of["n"], **where)
        low, high = of["three_interval"]
        yield Row(metric="share right among three", value=of["three"], low=low, high=high, n=of["n"], **where)
        yield Row(metric="share right of 1,000 moving stills", value=of["stills"], n=of["n"], **where)
        for label, counts in of["said"].items():
            for name, value in zip(EMOTIONS, counts, strict=True):
                yield Row(metric=f"said {name}", value=float(value), group=label, n=sum(counts), **where)


def other_rows(found: dict[str, Any]) -> Iterator[Row]:
    """Costs, another sentence, and how calm the crops are."""
    for of in found["cost"]:
        yield Row(metric="parameters", value=of["parameters"], condition=of["part"])
        yield Row(metric="million multiply-adds", value=of["million_multiply_adds"], condition=of["part"])
    for of in found["sentence_dfa"]:
        for key in ("acted", "said"):
            yield Row(metric=f"{key}, in words", note=of[key], group=of["clip"], split="actor 1001, sentence DFA")
    for key, words in (
        ("found", "as found"),
        ("steady", "steadied"),
        ("behind", "steadied, away from where it was found"),
    ):
        yield Row(metric="pixels of 48", value=found["steady"][key], condition=words, split=CLIPS)
