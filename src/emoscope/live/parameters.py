"""What may be asked of an analysis: the choices of `emoscope analyze`, as a query has them."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, StringConstraints, model_validator
from pydantic_core import CoreSchema, core_schema

from ..models import Device, card, names
from ..observing import MIN_FACE, ObserveOptions
from ..reading.offsets import EVERYDAY, Span

_CLOCK = r"\d{1,6}(:\d\d){0,2}(\.\d{1,3})?"
Neutral = Annotated[str, StringConstraints(pattern=rf"^{_CLOCK}-{_CLOCK}(@\d{{1,6}})?$")]
"""`0:05-0:12` or `0:05-0:12@1`."""
Region = Annotated[str, StringConstraints(pattern=r"^\d{1,5},\d{1,5},[1-9]\d{0,4},[1-9]\d{0,4}$")]
"""`X,Y,WIDTH,HEIGHT`."""
Track = Annotated[str, StringConstraints(pattern=r"^([1-9]\d?|[a-z]{2,3})$")]
"""A number from 1, or a language as `eng`."""
LONGEST_S = 1e6
"""Seconds: no recording is longer."""


@dataclass(frozen=True)
class Named:
    """The type of a model's name: of those that the server knows, never a path.

    Attributes:
        modalities: of one of these.
    """

    modalities: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """One of so many words."""
        own = (name for name in names() if card(name).modality in self.modalities)
        return core_schema.literal_schema(sorted({*self.modalities, *own}))


class Parameters(BaseModel):
    """How a recording is analysed. What is not said is as `emoscope analyze` has it, or as the server was started."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    face_model: Annotated[str, Named(("face", "sequence"))] | None = Field(
        None, description="the model of the faces [default: the server's]"
    )
    voice_model: Annotated[str, Named(("voice",))] | None = Field(
        None, description="the model of the voices [default: the server's]"
    )
    device: Device | None = Field(None, description="where the models run [default: the server's]")
    sources: list[Literal["face", "voice"]] = Field(
        ["face", "voice"], min_length=1, max_length=2, description="whether to look, to listen, or both"
    )
    start: float = Field(0.0, ge=0, lt=LONGEST_S, description="seconds from which on it is observed")
    end: float | None = Field(None, gt=0, le=LONGEST_S, description="seconds up to which it is observed, after `start`")
    every: float | None = Field(
        None, gt=0, le=LONGEST_S, description="seconds from one frame that is scored to the next [default: all are]"
    )
    region: Region | None = Field(
        None, description="the part of the frames in which faces are looked for, `X,Y,WIDTH,HEIGHT` in pixels"
    )
    min_face: int | None = Field(
        None, ge=MIN_FACE, le=10_000, description="side in pixels of the smallest face to look for"
    )
    audio_track: Track | None = Field(
        None, description="the sound track, from 1 or as `eng` [default: one with a voice]"
    )
    smoothing: Literal["mean", "vote", "none"] | None = Field(
        None, description="of each face over time [default: mean; none for a sequence model]"
    )
    baseline: Literal["recording", "causal", "none"] = Field(
        "recording",
        description="what everybody is read against: what the recording shows of them, what came before, none",
    )
    neutral: list[Neutral] = Field(
        [],
        max_length=100,
        description="when somebody is known to be neutral: `0:05-0:12`, or of person 1 `0:05-0:12@1`",
    )
    mix: Literal["even", "everyday"] = Field(
        "even", description="how often each emotion is expected: alike, or mostly neutral"
    )

    @model_validator(mode="after")
    def _fit(self) -> "Parameters":
        self.options()
        return self

    def options(self) -> ObserveOptions:
        """What of the recording is observed.

        Raises:
            ValueError: the end is not after the start.
        """
        x, y, width, height = map(int, (self.region or "0,0,1,1").split(","))
        return ObserveOptions(
            start=self.start,
            end=self.end,
            every=self.every,
            faces="face" in self.sources,
            voices="voice" in self.sources,
            region=(x, y, width, height) if self.region else None,
            min_face=self.min_face,
            audio_track=self.audio_track,
        )

    def reading(self) -> dict[str, Any]:
        """The keywords of `emoscope.read`."""
        return {
            "smoothing": self.smoothing,
            "baseline": self.baseline,
            "neutral": [Span.parse(text) for text in self.neutral],
            "mix": EVERYDAY if self.mix == "everyday" else None,
        }

    def plain(self) -> "Parameters":
        """These alone, without what a route adds to them."""
        return Parameters(**{name: getattr(self, name) for name in Parameters.model_fields})
