"""What the server answers, as OpenAPI describes it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from .ledger import State
from .parameters import Parameters
from .working import Progress

VERSION = "1.0"
"""Of this description: the second number grows with what is added, the first with what is changed or gone."""


class Observed(BaseModel):
    """One `emoscope.Observation`."""

    start: float = Field(description="seconds from the start of the recording")
    end: float = Field(description="seconds")
    source: Literal["face", "voice", "fused"]
    person: int | None = Field(description="number; null where a voice belongs to nobody in the picture")
    box: tuple[float, float, float, float] | None = Field(description="x, y, width, height in pixels")
    scores: list[float] = Field(description="probabilities of the emotions, in the order of `summary.emotions`")
    emotion: str = Field(description="the one with the highest probability")
    confidence: float = Field(description="that probability")
    face_score: float | None = Field(None, description="of a face: the detector's probability that it is one")
    sharpness: float | None = Field(None, description="of a face: how sharp the view is")
    turn: float | None = Field(None, description="of a face: degrees that the head is turned to the side")
    file: str | None = Field(None, description="of several files: which one")
    name: str | None = Field(None, description="of the person, where people have names")


class Baseline(BaseModel):
    """What one person was read against, from the face or from the voice."""

    person: int | None
    source: Literal["face", "voice"]
    how: str = Field(description="where it is from")
    seconds: float = Field(description="that it was learned from")
    known: float = Field(description="0 to 1: how much of what was open about it is known")
    resting: dict[str, float] = Field(description="what the model by itself would say of the neutral face or voice")
    changed: float = Field(description="0 to 1: of how many moments another emotion is read than without it")


class Total(BaseModel):
    """One person and source over the whole recording."""

    person: int | None
    who: str
    source: Literal["face", "voice", "fused"]
    observations: int
    start_s: float | None
    end_s: float | None
    seconds: float
    emotion: str | None = Field(description="the one with the highest mean score")
    uncertain: bool = Field(description="whether another one is about as likely")
    scores: dict[str, float] = Field(description="mean probabilities")


class MaybeSame(BaseModel):
    """Another person who may be the same."""

    person: int
    alike: float = Field(description="-1 to 1: how alike the two are")


class Person(BaseModel):
    """One person of the recording."""

    person: int
    name: str | None = Field(description="null where nobody gave one")
    seen_s: float
    heard_s: float
    start_s: float
    end_s: float
    picture: bool = Field(description="whether it is a picture of a face, which does not move")
    maybe: list[MaybeSame]


class Part(BaseModel):
    """One of several files."""

    file: str
    kind: str
    start_s: float
    end_s: float


class Summary(BaseModel):
    """What a recording is, and what was found in it over all."""

    input: str = Field(description="what the client called it")
    kind: str = Field(description="`video`, `sound`, `picture`, or `folder` of several files")
    duration_s: float
    width: int | None = Field(description="pixels")
    height: int | None = Field(description="pixels")
    audio_track: int | None = Field(description="the one that was heard, where there are several")
    has_sound: bool
    frames: int
    frames_skipped: int = Field(description="that do not decode")
    truncated: bool = Field(description="whether the file is damaged or cut off")
    synthetic: bool = Field(description="whether it says that it is not of a person")
    models: dict[str, str] = Field(description="that were used, by `face` and `voice`")
    left_out: list[str] = Field(description="what was not observed")
    notes: list[str]
    damaged: list[str]
    parts: list[Part] = Field([], description="of several files: which one is when")
    persons: int
    who: list[Person]
    smoothing: str
    baseline: str
    baselines: list[Baseline]
    emotions: list[str]
    totals: list[Total]
    version: str = Field(description="of emoscope")
    observed_s: float = Field(description="seconds of work of looking and listening")
    elapsed_s: float = Field(description="seconds that it took in all")


class Analysis(BaseModel):
    """What was found in a recording."""

    summary: Summary
    observations: list[Observed]


class AnalysisState(BaseModel):
    """One analysis: where it stands."""

    id: str
    name: str = Field(description="what the client called the recording")
    state: State
    parameters: Parameters = Field(description="what was asked for")
    place: int | None = Field(description="while it is queued: how many others are before it")
    progress: Progress | None = Field(description="while it runs")
    created: datetime
    began: datetime | None
    ended: datetime | None
    expires: datetime | None = Field(description="when it is forgotten with all its results; null until it ends")
    error: str | None = Field(description="why it failed")
    results: list[str] = Field(description="once it is done: the formats that `result` gives")


class Health(BaseModel):
    """That the server runs, and how busy it is."""

    status: Literal["ok"]
    version: str
    sessions: int = Field(description="live sessions that are open")
    most_sessions: int
    analyses: int = Field(description="analyses under way")
    most_analyses: int
    queued: int = Field(description="analyses that wait")
    most_queued: int


class Alive(BaseModel):
    """That it is so."""

    status: Literal["ok"]


class Problem(BaseModel):
    """What went wrong, in one line."""

    detail: str
