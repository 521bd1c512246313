"""What the server answers, as OpenAPI describes it."""

from typing import Any, Literal

from pydantic import BaseModel, Field


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


class Analysis(BaseModel):
    """What was found in a recording."""

    summary: dict[str, Any] = Field(description="as in summary.json")
    observations: list[Observed]


class Health(BaseModel):
    """That the server runs, and how busy it is."""

    status: Literal["ok"]
    version: str
    sessions: int = Field(description="live sessions that are open")
    most_sessions: int
    analyses: int = Field(description="uploads that are being analysed")
    most_analyses: int


class Problem(BaseModel):
    """What went wrong, in one line."""

    detail: str
