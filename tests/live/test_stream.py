import io
from itertools import pairwise

import numpy as np
import pytest
from av.audio.frame import AudioFrame
from PIL import Image
from places import EXAMPLE

from emoscope import Session
from emoscope.live.protocol import Chunk, Picture, ProtocolError, Start
from emoscope.live.stream import MOST_PIXELS, Stream, decode
from emoscope.media import Frame, open_media
from emoscope.media.sound import resampler


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", compress_level=0)
    return file.getvalue()


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    with open_media(EXAMPLE) as media:
        return [item for item in media if isinstance(item, Frame)][60:90]


def test_a_stream_sees_what_a_session_sees(frames: list[Frame]) -> None:
    stream, session = Stream(Start(True, False, 16_000)), Session(voice=False)
    for frame in frames:
        live = [o for o in stream.score(Picture(frame.time, png(frame.image))) if o.source == "face"]
        plain = [o for o in session.add_frame(frame.image, frame.time) if o.source == "face"]
        assert [(o.start, o.person, o.box, o.scores) for o in live] == [
            (o.start, o.person, o.box, o.scores) for o in plain
        ]
        assert live


def test_observations_of_a_person_do_not_overlap(frames: list[Frame]) -> None:
    stream = Stream(Start(True, False, 16_000))
    jitter = np.random.default_rng(0).uniform(-0.01, 0.01, len(frames))
    seen = [
        o
        for frame, late in zip(frames, jitter, strict=True)
        for o in stream.score(Picture(frame.time + late, png(frame.image)))
        if o.source == "face"
    ]
    assert all(a.end <= b.start + 0.02 for a, b in pairwise(seen))
    assert seen[-1].end > seen[-1].start


def resampled(samples: np.ndarray, rate: int) -> np.ndarray:
    frame = AudioFrame.from_ndarray(samples[None], "fltp", "mono")
    frame.sample_rate = 16_000
    change = resampler(rate, "mono")
    return np.concatenate([part.to_ndarray()[0] for part in (*change.resample(frame), *change.resample(None))])


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_a_stream_hears_what_a_session_hears(speech: np.ndarray, rate: int) -> None:
    stream, session = Stream(Start(False, True, rate)), Session(faces=False)
    plain = [o for o in session.add_sound(speech, 3.0) + session.close() if o.source == "voice"]
    sound = resampled(speech, rate)
    size = round(0.04 * rate)
    heard = [
        o for at in range(0, len(sound), size) for o in stream.score(Chunk(3.0 + at / rate, sound[at : at + size]))
    ]
    heard = [o for o in heard + stream.close() if o.source == "voice"]
    assert plain
    for one, other in zip(heard, plain, strict=True):
        assert abs(one.start - other.start) < 0.1
        assert np.abs(np.subtract(one.scores, other.scores)).max() < (1e-6 if rate == 16_000 else 0.2)


def test_a_jump_of_the_time_of_sound_is_a_gap(speech: np.ndarray) -> None:
    stream = Stream(Start(False, True, 16_000))
    heard = []
    for start in (0.0, 60.0):
        for at in range(0, len(speech), 1600):
            heard += stream.score(Chunk(start + at / 16_000, speech[at : at + 1600]))
    heard += stream.close()
    starts = [o.start for o in heard if o.source == "voice"]
    assert any(start < 5 for start in starts) and any(60 <= start < 65 for start in starts)


def test_what_was_not_announced_is_refused() -> None:
    with pytest.raises(ProtocolError, match="no camera"):
        Stream(Start(False, True, 16_000)).score(Picture(0.0, b"x"))
    with pytest.raises(ProtocolError, match="no microphone"):
        Stream(Start(True, False, 16_000)).score(Chunk(0.0, np.zeros(10, np.float32)))


def test_the_time_of_pictures_does_not_go_back() -> None:
    stream = Stream(Start(True, False, 16_000))
    grey = png(np.full((48, 64, 3), 128, np.uint8))
    stream.score(Picture(1.0, grey))
    with pytest.raises(ProtocolError, match="before the last"):
        stream.score(Picture(0.9, grey))


def test_only_whole_pictures_of_a_bounded_size_are_decoded() -> None:
    whole = png(np.full((48, 64, 3), 7, np.uint8))
    assert decode(whole).tolist() == np.full((48, 64, 3), 7).tolist()
    with pytest.raises(ProtocolError, match="must be JPEG"):
        decode(b"GIF89a and so on")
    with pytest.raises(ProtocolError, match="damaged"):
        decode(whole[: len(whole) // 2])
    large = io.BytesIO()
    Image.new("1", (MOST_PIXELS // 100, 101)).save(large, "PNG")
    with pytest.raises(ProtocolError, match="must have at most"):
        decode(large.getvalue())
    bomb = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(bomb, "PNG")
    with pytest.raises(ProtocolError):
        decode(bomb.getvalue())


def test_somebody_says_that_their_face_is_neutral(frames: list[Frame]) -> None:
    stream = Stream(Start(True, False, 16_000))
    told, plain = [], Session(voice=False)
    for place, frame in enumerate(frames):
        if place == 15:
            stream.neutral(1)
            stream.neutral(99)  # nobody: nothing happens
        seen = [stream.score(Picture(frame.time, png(frame.image))), plain.add_frame(frame.image, frame.time)]
        told.append([o.scores for rows in seen for o in rows if o.source == "face"])
    assert all(ours == theirs for ours, theirs in told[:15])
    assert any(ours != theirs for ours, theirs in told[15:])
