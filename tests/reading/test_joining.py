"""Who is who: tracks and voices become persons, whatever the order; and what people correct."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.errors import EmoscopeError
from emoscope.evidence import Evidence, Faces, Looks, Pieces, Speakers, Voices
from emoscope.reading.alike import agglomerate
from emoscope.reading.corrections import DROPPED, Correction, Corrections, applied, fingerprint
from emoscope.reading.meeting import Meeting
from emoscope.reading.persons import DOUBT, JOIN, Grouping, Known, grouping, person_of_faces, person_of_voices
from emoscope.reading.voices import letters
from emoscope.reading.who import view_rows, who

RATE = 10
WIDTH = 128
Stretch = tuple[int, int, float, float, float]
"""Track, who it is, from, to, and where the face is."""


def look(one: int, noise: float = 0.3, seed: int = 0) -> np.ndarray:
    """Of one person; two of them are alike by 0.9, those of two persons by about 0."""
    row = np.zeros(WIDTH)
    row[one] = 1.0
    extra = np.random.default_rng((one, seed)).normal(0, 1, WIDTH)
    row = row + noise * extra / np.linalg.norm(extra)
    return (row / np.linalg.norm(row)).astype(np.float16)


def faces(stretches: list[Stretch], mouth: dict[int, float] | None = None, side: float = 80.0) -> Faces:
    rows = [(time, track, place) for track, _, start, end, place in stretches
            for time in np.arange(round(start * RATE), round(end * RATE)) / RATE]  # fmt: skip
    rows.sort()
    n = len(rows)
    time, track, place = (np.array(column) for column in zip(*rows, strict=True))
    half = np.full(n, 0.9, np.float32)
    moved = np.array([(mouth or {}).get(int(one), 4.0) for one in track], np.float32)
    box = np.column_stack([place, np.full(n, 50.0), np.full(n, side), np.full(n, side)])
    return Faces(time, np.full(n, 1 / RATE), track.astype(np.int32), box, half, half, half * 0, moved,
                 np.full(n, 1.5, np.float32), np.zeros((n, 8), np.float16))  # fmt: skip


def looks(stretches: list[Stretch], every: float = 1.0) -> Looks:
    rows = [(track, time, look(one, seed=place)) for place, (track, one, start, end, _) in enumerate(stretches)
            for time in np.arange(start + 0.2, end, every)]  # fmt: skip
    track, time, embedding = zip(*rows, strict=True)
    n = len(rows)
    return Looks(np.array(track, np.int32), np.array(time), np.full(n, 0.8, np.float32), np.array(embedding))


def speech(parts: list[tuple[float, float, int]]) -> tuple[Voices, Speakers]:
    """Stretches of speech: from, to, and whose voice it is."""
    start, end, one = (np.array(column) for column in zip(*parts, strict=True))
    numbers = np.arange(1, len(parts) + 1, dtype=np.int32)
    spoken = np.array([look(voice, 0.6, place) for place, voice in enumerate(one)])
    voices = Voices(start, end, numbers, np.zeros((len(parts), 6), np.float16))
    return voices, Speakers(numbers, start, end, spoken)


def recording(stretches: list[Stretch], parts: list[tuple[float, float, int]] = (), **more: object) -> Evidence:  # type: ignore[assignment]
    voices, speakers = speech(parts) if parts else (Voices.empty(6), Speakers.empty())
    seen = faces(stretches, **more)  # type: ignore[arg-type]
    return Evidence(seen, voices, looks(stretches), speakers, info={"kind": "video"})


INTERVIEW: list[Stretch] = [(1, 0, 0, 4, 100), (2, 1, 4, 8, 100), (3, 0, 8, 12, 100), (4, 1, 12, 16, 100)]
"""Two women, cut against each other with the same framing."""


def test_two_women_cut_against_each_other_are_two_persons() -> None:
    found = grouping(recording(INTERVIEW))
    assert found.pieces.person.tolist() == [1, 2, 1, 2]
    assert found.doubts == []
    assert (found.pieces.sure > 0.8).all()


def test_two_in_one_frame_are_two_persons_however_alike() -> None:
    twins: list[Stretch] = [(1, 0, 0, 4, 100), (2, 0, 0, 4, 300), (3, 0, 4, 8, 100)]
    found = grouping(recording(twins))
    assert found.pieces.person.tolist() == [1, 2, 3]  # which of the two the third is, is open
    assert [pair[:2] for pair in found.doubts] == [(1, 3), (2, 3)]


def test_one_face_found_twice_in_one_place_is_one_person() -> None:
    assert grouping(recording([(1, 0, 0, 4, 100), (2, 0, 1, 2, 105)])).pieces.person.tolist() == [1, 1]


def test_a_track_that_goes_over_to_somebody_else_is_cut() -> None:
    seen = faces([(1, 0, 0, 8, 100)])
    found = grouping(Evidence(seen, Voices.empty(6), looks([(1, 0, 0, 4, 0), (1, 1, 4, 8, 0)]), info={"kind": "video"}))
    assert found.pieces.person.tolist() == [1, 2]
    assert found.pieces.start[1] == pytest.approx(3.7, abs=0.6)
    cut = Evidence(seen, Voices.empty(6), looks([(1, 0, 0, 4, 0), (1, 1, 4, 8, 0)]), shots=np.array([4.1]),
                   info={"kind": "video"})  # fmt: skip
    assert grouping(cut).pieces.start[1] == pytest.approx(4.1)


def test_small_faces_are_counted_not_numbered() -> None:
    crowd = recording([(one, one, 0, 4, 30.0 * one) for one in range(1, 21)], side=20.0)
    found = who(
        replace(crowd, pieces=(whole := grouping(crowd)).pieces, info={**crowd.info, "grouping": whole.to_json()})
    )
    assert whole.crowd == (20, 4.0)
    assert len(found.evidence.faces) == 0
    assert found.notes == ["up to 20 faces at once, in 4.0 s of it, too small to tell who it is: counted, not numbered"]


def test_a_photograph_on_the_wall_is_marked_and_does_not_speak() -> None:
    stretches: list[Stretch] = [(1, 0, 0, 6, 100), (2, 1, 0, 6, 300)]
    seen = recording(stretches, [(0.0, 1.5, 5), (1.5, 3.0, 5)], mouth={1: 6.0, 2: 0.4})
    still = replace(seen.faces, rest=np.where(seen.faces.track == 2, 0.3, seen.faces.rest).astype(np.float32))
    found = grouping(replace(seen, faces=still))
    assert found.pictures == [2]
    assert found.pieces.person[found.pieces.track == 0].tolist() == [1, 1]


def test_a_voice_stays_with_its_mouth_out_of_the_picture() -> None:
    stretches: list[Stretch] = [(1, 0, 0, 6, 100), (2, 1, 6, 12, 100)]
    parts = [(0.0, 1.5, 5), (2.0, 3.5, 5), (4.0, 5.5, 5), (7.0, 8.5, 5), (9.0, 10.5, 6), (20.0, 21.5, 6)]
    found = grouping(recording(stretches, parts, mouth={1: 6.0, 2: 1.0}))
    assert found.pieces.person[found.pieces.track == 0].tolist() == [1, 1, 1, 1, 3, 3]
    assert found.names == {3: "Voice A"}


@given(st.permutations(range(6)), st.randoms(use_true_random=False))
def test_the_order_of_tracks_makes_no_difference(order: list[int], random: object) -> None:
    rows = np.array([look(one % 3, 0.8, one) for one in range(6)], np.float64)
    weights, apart = np.linspace(1, 2, 6), np.zeros((6, 6), bool)
    apart[0, 3] = apart[3, 0] = True
    first = agglomerate(rows, weights, apart, JOIN, DOUBT, 0.03).group
    again = agglomerate(rows[order], weights[order], apart[np.ix_(order, order)], JOIN, DOUBT, 0.03).group
    same = first[order][:, None] == first[order][None]
    np.testing.assert_array_equal(same, again[:, None] == again[None])


def test_known_people_are_recognised_and_others_are_not() -> None:
    known = (Known("Anna", face=look(0, seed=9).astype(float)), Known("Ben", face=look(7).astype(float)))
    assert grouping(recording(INTERVIEW), known=known).names == {1: "Anna"}


def numbered(recorded: Evidence) -> Grouping:
    return grouping(recorded)


def test_corrections_are_made_in_order() -> None:
    whole = numbered(recording(INTERVIEW))
    named = applied(whole, Correction.parse(["name", "1", "Anna", "Bo"]))
    assert named.names == {1: "Anna Bo"}
    split = applied(named, Correction.parse(["split", "1", "at", "0:08"]))
    assert split.pieces.person.tolist() == [1, 2, 3, 2]
    merged = applied(split, Correction.parse(["merge", "2", "1"]))
    assert (merged.pieces.person.tolist(), merged.names) == ([2, 2, 3, 2], {2: "Anna Bo"})
    dropped = applied(merged, Correction.parse(["drop", "2"]))
    assert (dropped.pieces.person.tolist(), dropped.names) == ([DROPPED, DROPPED, 3, DROPPED], {})
    assert applied(dropped, Correction.parse(["split", "3", "at", "9.05"])).pieces.person.tolist()[-1] == 4


def test_a_split_inside_a_track_cuts_it() -> None:
    recorded = recording(INTERVIEW)
    split = applied(numbered(recorded), Correction.parse(["split", "1", "at", "2"]))
    person = person_of_faces(recorded.faces, split.pieces)
    times = recorded.faces.time
    assert set(person[times < 2].tolist()) == {1}
    assert set(person[(times >= 2) & (times < 4)].tolist()) == {3}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["name", "9", "Anna"], "there is no person 9; there are: 1, 2"),
        (["merge", "1", "9"], "there is no person 9"),
        (["split", "1", "at", "99"], "person 1 is not there both before and after 99 s"),
        (["split", "1", "at", "soon"], "soon: expected seconds or minutes:seconds"),
        (["name", "one", "Anna"], "one: expected the number of a person"),
        (["name", "1", "\x07"], "expected a name, got none"),
        (["rename", "1"], "expected name 1 Anna, merge 2 5"),
        ([], "expected name 1 Anna, merge 2 5"),
    ],
)
def test_what_is_no_correction_is_refused(words: list[str], why: str) -> None:
    with pytest.raises(EmoscopeError, match=why):
        applied(numbered(recording(INTERVIEW)), Correction.parse(words))


def test_corrections_are_kept_and_are_of_one_grouping(tmp_path: Path) -> None:
    whole = numbered(recording(INTERVIEW))
    made = Corrections((Correction.parse(["name", "2", "Ben"]), Correction.parse(["split", "1", "at", "2"])),
                       fingerprint(whole.pieces))  # fmt: skip
    made.write(tmp_path)
    again = Corrections.load(tmp_path)
    assert again == made
    assert again.apply(whole)[0].names == {2: "Ben"}
    other = numbered(recording(INTERVIEW[:2]))
    found, notes = again.apply(other)
    assert found is other
    assert notes == ["persons.json is of another grouping of persons and was not applied; make the corrections anew"]
    assert Corrections.load(tmp_path / "elsewhere") == Corrections()


def test_two_persons_have_two_names() -> None:
    named = applied(numbered(recording(INTERVIEW)), Correction.parse(["name", "1", "Anna"]))
    with pytest.raises(EmoscopeError, match="person 1 is called Anna already; if they are one, say: merge 1 2"):
        applied(named, Correction.parse(["name", "2", "Anna"]))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"of": "", "corrections": [{"do": "kill", "person": 1}]}', "\xff"])
def test_a_damaged_file_of_corrections_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "persons.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(EmoscopeError, match="mend it, or remove it"):
        Corrections.load(tmp_path)


def test_each_person_has_the_best_view(tmp_path: Path) -> None:
    from emoscope.evidence import Views

    recorded = recording(INTERVIEW)
    jpeg = np.empty(3, object)
    jpeg[:] = [b"poor", b"good", b"other"]
    views = Views(np.array([1, 3, 2], np.int32), np.array([1.0, 9.0, 5.0]), np.array([0.2, 0.9, 0.5], np.float32), jpeg)
    assert view_rows(replace(recorded, views=views), numbered(recorded).pieces) == {1: 1, 2: 2}


def test_windows_belong_to_the_stretch_that_they_overlap_longest() -> None:
    pieces = Pieces(np.array([1, 2], np.int32), np.zeros(2, np.int32), np.array([0.0, 1.5]), np.array([1.5, 3.0]),
                    np.ones(2, np.float32))  # fmt: skip
    start, end = np.array([0.0, 1.0, 1.4, 5.0]), np.array([0.5, 1.7, 3.0, 6.0])
    assert person_of_voices(start, end, pieces).tolist() == [1, 1, 2, 0]


def test_live_who_comes_back_has_the_same_number() -> None:
    meeting, seen = Meeting(), faces(INTERVIEW)
    found = looks(INTERVIEW)
    numbers: list[int] = []
    for time in np.unique(seen.time):
        told = found.take(abs(found.time - time + 0.5 / RATE) < 0.5 / RATE + 1e-6)
        numbers += meeting.number(seen.take(seen.time == time), told).track.tolist()
    assert [number for place, number in enumerate(numbers) if not place or numbers[place - 1] != number] == [1, 2, 1, 2]
    assert len(numbers) > 0.9 * len(seen)


def test_voices_have_letters() -> None:
    assert [letters(place) for place in (0, 25, 26, 51, 52)] == ["A", "Z", "AA", "AZ", "BA"]
