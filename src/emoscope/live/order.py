"""What a job is told: a file beside the recording, so that neither is an argument that others could see."""

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from ..models import Device
from .parameters import Parameters

INPUT = "upload"
"""The recording's name in its folder: a file, or a folder of several."""
PEOPLE = "people"
"""The folder of people to recognise, beside it, where there are any."""
OUT = "out"
"""The folder of the results, beside it."""
ORDER = "order.json"


class Limits(BaseModel):
    """What one job may take.

    Attributes:
        memory: bytes of address space: what ffmpeg and ONNX Runtime reserve is far more than what they use.
        file: bytes of one file that is written.
        cpu_s: seconds of processor time, of all its threads; 0 for any.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    memory: int = 8 << 30
    file: int = 2 << 30
    cpu_s: int = 0


class Setup(BaseModel):
    """How a server has its jobs done where nothing else is asked for.

    Attributes:
        face_model: a name or a path.
        voice_model: a name or a path.
        device: where the models run.
        limits: what one job may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    face_model: str = "face"
    voice_model: str = "voice"
    device: Device = "auto"
    limits: Limits = Limits()


class Order(BaseModel):
    """One job.

    Attributes:
        name: what the client calls the recording.
        parameters: what was asked for.
        setup: the server's.
        report: whether `report.html` is wanted.
        video: whether `annotated.mp4` is.
        kept: whether the files stay when the server is gone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    parameters: Parameters
    setup: Setup
    report: bool = False
    video: bool = False
    kept: bool = False

    def write(self, folder: Path) -> None:
        """Lay it into the job's folder."""
        (folder / ORDER).write_text(self.model_dump_json(), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The one in a job's folder."""
        return cls.model_validate_json((folder / ORDER).read_bytes())

    def called(self, text: str, folder: Path) -> str:
        """One line in which files are named as the client names them."""
        path = folder / INPUT
        text = text.replace(f"{path}{os.sep}", "").replace(str(path), self.name).replace(INPUT, self.name)
        text = text.replace(f"{folder}{os.sep}", "")
        return " ".join(text.split())
