from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from rows import as_fused, in_order

from emoscope import Session
from emoscope.emotions import EMOTIONS
from emoscope.errors import ModelError
from emoscope.face.detect import Detector
from emoscope.media import SAMPLE_RATE, Frame, Sound
from emoscope.models import DEFAULTS
from emoscope.reading.fusion import MAX_WAIT_S
from emoscope.reading.reader import Reader, Source
from emoscope.timeline import Observation

RATE = 10
SECONDS = 4.0


@pytest.fixture(scope="module")
def frames(portrait: np.ndarray) -> list[Frame]:
    """The portrait talks: its mouth gets darker and lighter while the rest stays still."""
    landmarks = Detector().detect(portrait).landmarks[0]
    (left, _), (right, _) = landmarks[3:]
    x0, x1, y = int(left), int(right), int(landmarks[3:, 1].mean())
    made = []
    for i in range(round(SECONDS * RATE)):
        image = portrait.copy()
        mouth = image[y - 6 : y + 8, x0:x1]
        mouth[:] = mouth * (0.4 if i % 4 < 2 else 1.0)
        made.append(Frame(i / RATE, 1 / RATE, image))
    return made


def cut(samples: np.ndarray, length: int, start: float = 0.0) -> list[Sound]:
    return [Sound(start + at / SAMPLE_RATE, samples[at : at + length]) for at in range(0, len(samples), length)]


def together(frames: Sequence[Frame], sounds: Sequence[Sound]) -> list[Frame | Sound]:
    return sorted([*frames, *sounds], key=lambda item: item.time)


def feed(session: Session, items: Sequence[Frame | Sound]) -> Iterator[Observation]:
    for item in items:
        if isinstance(item, Frame):
            yield from session.add_frame(item.image, item.time, item.duration)
        else:
            yield from session.add_sound(item.samples, item.time)


def run(items: Sequence[Frame | Sound], session: Session | None = None) -> list[Observation]:
    session = session or Session()
    return [*feed(session, items), *session.close()]


def of(rows: Sequence[Observation], source: str) -> list[Observation]:
    return [o for o in rows if o.source == source]


@pytest.fixture(scope="module")
def rows(frames: list[Frame], speech: np.ndarray) -> list[Observation]:
    return run(together(frames, cut(speech, 1600)))


def test_every_frame_has_a_face(rows: list[Observation], frames: list[Frame]) -> None:
    faces = of(rows, "face")
    assert [(o.start, o.end) for o in faces] == [(f.time, f.time + f.duration) for f in frames]
    assert {o.person for o in faces} == {1}
    height, width = frames[0].image.shape[:2]
    for x, y, w, h in (o.box for o in faces if o.box):
        assert 0 <= x < x + w <= width
        assert 0 <= y < y + h <= height


def test_the_voice_belongs_to_the_person_whose_mouth_moves(rows: list[Observation]) -> None:
    voices = of(rows, "voice")
    assert voices
    assert {o.person for o in voices} == {1}
    assert all(o.box is None and 0 <= o.start < o.end <= SECONDS for o in voices)


def test_scores_are_distributions(rows: list[Observation]) -> None:
    for o in rows:
        assert sum(o.scores) == pytest.approx(1, abs=1e-9)
        assert min(o.scores) >= 0
    unspoken = [(o.scores[2], o.scores[7]) for o in of(rows, "voice")]
    assert set(unspoken) == {(0.0, 0.0)}


def test_fused_is_the_face_until_the_voice_is_heard(rows: list[Observation]) -> None:
    faces, fused = of(rows, "face"), of(rows, "fused")
    assert [(o.start, o.person, o.box) for o in fused] == [(o.start, o.person, o.box) for o in faces]
    for one, both in zip(faces, fused, strict=True):
        heard = any(v.start < one.end and one.start < v.end for v in of(rows, "voice"))
        assert (both.scores != one.scores) == heard


def test_each_source_comes_in_order(rows: list[Observation]) -> None:
    for source in ("face", "voice", "fused"):
        starts = [o.start for o in of(rows, source)]
        assert starts == sorted(starts)


@pytest.mark.parametrize("length", [500, 7777, 16_000, 64_000])
def test_how_the_sound_is_cut_makes_no_difference(
    length: int, rows: list[Observation], frames: list[Frame], speech: np.ndarray
) -> None:
    assert in_order(run(together(frames, cut(speech, length)))) == in_order(rows)


def test_whether_frames_or_sound_come_first_makes_no_difference(
    rows: list[Observation], frames: list[Frame], speech: np.ndarray
) -> None:
    sounds = cut(speech, 1600)
    assert in_order(run([*sounds, *frames])) == in_order(rows)
    assert in_order(run([*frames, *sounds])) == in_order(rows)


def test_without_faces_the_voice_is_the_scenes_and_fused_equals_it(speech: np.ndarray) -> None:
    session = Session(faces=False)
    assert set(session.models) == {"voice"}
    rows = run(cut(speech, 1600), session)
    assert of(rows, "voice")
    assert {o.person for o in rows} == {None}
    assert of(rows, "fused") == as_fused(of(rows, "voice"))
    with pytest.raises(ValueError, match="made with faces=False"):
        session.add_frame(np.zeros((48, 48, 3), np.uint8), 0.0)


def test_without_voice_fused_equals_the_face(rows: list[Observation], frames: list[Frame]) -> None:
    session = Session(voice=False)
    assert set(session.models) == {"face"}
    found = list(feed(session, frames))
    assert of(found, "fused") == as_fused(of(found, "face"))  # at once
    assert of(found, "face") == of(rows, "face")
    assert session.close() == []
    with pytest.raises(ValueError, match="made with voice=False"):
        session.add_sound(np.zeros(100, np.float32), 0.0)


def test_frames_without_a_duration_are_taken(frames: list[Frame], speech: np.ndarray) -> None:
    live = [replace(frame, duration=0.0) for frame in frames]
    rows = run(together(live, cut(speech, 1600)))
    assert [(o.start, o.end) for o in of(rows, "face")] == [(f.time, f.time) for f in live]
    assert len([o for o in of(rows, "fused") if o.box]) == len(live)
    assert {o.person for o in of(rows, "voice")} == {1}


def test_sound_that_starts_late_keeps_its_time(frames: list[Frame], speech: np.ndarray) -> None:
    usual = of(run(cut(speech, 1600), Session(faces=False)), "voice")
    late = of(run(cut(speech, 1600, start=1.5), Session(faces=False)), "voice")
    assert [o.start - 1.5 for o in late] == pytest.approx([o.start for o in usual], abs=0.05)
    rows = run(together(frames, cut(speech, 1600, start=1.5)))
    assert all(o.start >= 1.5 for o in of(rows, "voice"))
    assert len([o for o in of(rows, "fused") if o.box]) == len(frames)


def test_the_face_is_not_waited_for_longer_than_the_limit(speech: np.ndarray) -> None:
    session = Session()
    quiet = np.zeros(SAMPLE_RATE, np.float32)
    found = [o for sound in cut(speech, 1600) for o in session.add_sound(sound.samples, sound.time)]
    assert found == []  # a frame may yet come
    for second in range(4, 6 + round(MAX_WAIT_S)):
        found += session.add_sound(quiet, float(second))
    assert of(found, "voice")
    assert of(found, "fused") == as_fused(of(found, "voice"))


def test_the_voice_is_not_waited_for_longer_than_the_limit(portrait: np.ndarray) -> None:
    session = Session()
    early = [o for i in range(5) for o in session.add_frame(portrait, float(i), 1.0)]
    assert not of(early, "fused")
    later = [o for i in range(5, 17) for o in session.add_frame(portrait, float(i), 1.0)]
    assert [o.start for o in of(later, "fused")] == [float(i) for i in range(17 - round(MAX_WAIT_S))]
    assert [o.start for o in of(session.close(), "fused")] == [float(i) for i in range(17 - round(MAX_WAIT_S), 17)]


def test_sound_that_comes_far_too_late_loses_nothing(portrait: np.ndarray, speech: np.ndarray) -> None:
    session = Session()
    times = [float(i) for i in range(3 + round(MAX_WAIT_S) * 2)]
    rows = [o for time in times for o in session.add_frame(portrait, time, 1.0)]
    rows += list(feed(session, cut(speech, 1600))) + session.close()
    assert [o.start for o in of(rows, "face")] == times
    assert sorted(o.start for o in of(rows, "fused") if o.box) == times
    assert of(rows, "voice")


def weight(thing: object, seen: set[int] | None = None) -> np.ndarray:
    """How much a session holds: bytes of arrays, and the number of all things; models apart."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return np.array([0, 0])
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        return np.array([thing.nbytes, 1])
    if isinstance(thing, dict):
        return sum((weight(value, seen) for value in thing.values()), np.array([0, len(thing)]))
    if isinstance(thing, list | tuple | deque | set):
        return sum((weight(value, seen) for value in thing), np.array([0, len(thing)]))
    if type(thing).__module__.startswith("emoscope.") and type(thing).__name__ not in ("Model", "Source"):
        names = [*getattr(thing, "__dict__", {}), *getattr(thing, "__slots__", ())]
        return sum((weight(getattr(thing, name, None), seen) for name in names), np.array([0, 1]))
    return np.array([0, 1])


def test_memory_does_not_grow_with_the_stream(portrait: np.ndarray, speech: np.ndarray) -> None:
    session = Session()
    small = portrait[:150, 50:200]
    blank = np.zeros_like(small)
    weights = []
    for second in range(120):  # somebody new every 20 seconds
        session.add_frame(small if second % 20 < 8 else blank, float(second), 1.0)
        at = second % 4 * SAMPLE_RATE
        session.add_sound(speech[at : at + SAMPLE_RATE], float(second))
        weights.append(weight(session))
    assert weights[0][0] > 48 * 48
    assert (np.max(weights[80:], axis=0) <= np.max(weights[40:80], axis=0)).all()


def test_a_stream_without_anybody_gives_nothing() -> None:
    blank = [Frame(i / 5, 0.2, np.full((120, 160, 3), 90, np.uint8)) for i in range(10)]
    assert run(together(blank, cut(np.zeros(32_000, np.float32), 1600))) == []
    assert run([]) == []
    assert run([], Session(faces=False, voice=False)) == []


@pytest.mark.parametrize("smoothing", ["vote", "none"])
def test_smoothing_changes_the_faces_and_nothing_else(
    smoothing: str, rows: list[Observation], frames: list[Frame], speech: np.ndarray
) -> None:
    found = run(together(frames, cut(speech, 1600)), Session(smoothing=smoothing))
    assert of(found, "voice") == of(rows, "voice")
    assert [(o.start, o.box) for o in of(found, "face")] == [(o.start, o.box) for o in of(rows, "face")]
    assert [o.scores for o in of(found, "face")] != [o.scores for o in of(rows, "face")]


def test_a_sequence_model_takes_the_face_models_place(
    rows: list[Observation], frames: list[Frame], speech: np.ndarray
) -> None:
    session = Session(face_model="sequence")
    found = run(together(frames, cut(speech, 1600)), session)
    assert session.models["face"].card.name == DEFAULTS["sequence"]
    assert of(found, "voice") == of(rows, "voice")
    assert [(o.start, o.person, o.box) for o in of(found, "face")] == [
        (o.start, o.person, o.box) for o in of(rows, "face")
    ]
    assert [o.scores for o in of(found, "face")] != [o.scores for o in of(rows, "face")]
    assert all(sum(o.scores) == pytest.approx(1, abs=1e-9) for o in of(found, "face"))


def test_of_a_still_picture_a_sequence_model_says_what_the_face_model_says(portrait: np.ndarray) -> None:
    said = []
    for model in ("face", "sequence"):
        session = Session(voice=False, face_model=model, baseline="none")
        said.append([session.add_frame(portrait, i / 10, 0.1)[0].emotion for i in range(10)])
    assert said[0] == said[1]


@pytest.mark.parametrize(("model", "smoothing"), [("face", "mean"), ("sequence", "none")])
def test_a_sequence_model_is_not_smoothed_again_unless_asked(model: str, smoothing: str) -> None:
    source = Source(model, model, EMOTIONS, 1.0, 1.0)
    assert Reader(source, None).smoothing == smoothing
    assert Reader(source, None, "vote").smoothing == "vote"


def test_a_sequence_model_sees_what_was_before(frames: list[Frame]) -> None:
    def last_scores(past: list[Frame]) -> tuple[float, ...]:
        session = Session(voice=False, face_model="sequence")
        *_, last = [session.add_frame(f.image, f.time, f.duration)[0] for f in [*past, frames[-1]]]
        return last.scores

    dark = [replace(frame, image=frame.image // 3 + 20) for frame in frames[-10:-1]]
    assert len({last_scores([]), last_scores(dark), last_scores(frames[-10:-1])}) == 3


def test_what_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="no smoothing is named 'heavy'; there are mean, vote, none"):
        Session(voice=False, smoothing="heavy")
    with pytest.raises(ModelError, match="no model is named 'nobody'; there are"):
        Session(face_model="nobody")
    with pytest.raises(ModelError, match=f"{DEFAULTS['voice']} is a voice model; expected a face or sequence model"):
        Session(face_model="voice")
    with pytest.raises(ModelError, match=f"{DEFAULTS['face']} is a face model; expected a voice model"):
        Session(voice_model=DEFAULTS["face"])


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((48, 48), np.uint8),
        np.zeros((48, 48, 4), np.uint8),
        np.zeros((48, 48, 3)),
        np.zeros((0, 9, 3), np.uint8),
    ],
    ids=["grey", "with alpha", "float", "empty"],
)
def test_other_images_are_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected RGB uint8"):
        Session(voice=False).add_frame(image, 0.0)


def test_a_face_becomes_known_as_it_is_seen(frames: list[Frame]) -> None:
    session = Session(voice=False)
    assert session.known_s(1) == 0
    list(feed(session, frames))
    assert session.known_s(1) == pytest.approx(SECONDS - 1, abs=0.2)  # the last second is not used yet
    plain = Session(voice=False, baseline="none")
    list(feed(plain, frames))
    assert plain.known_s(1) == 0
