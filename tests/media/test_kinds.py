"""Kinds of recordings that everyday tools make: each is read as a player shows it."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from make_media import corners, grey, noise, sine, steps, write_sound, write_video
from PIL import Image
from test_read import joined, levels, read, tone

from emoscope.errors import MediaError
from emoscope.media import open_media, picture
from emoscope.media.tracks import choose


def animation(path: Path, kind: str) -> Path:
    images = [Image.fromarray(grey(i)) for i in (0, 10, 20)]
    more = {"lossless": True} if kind == "WEBP" else {}
    images[0].save(path, kind, save_all=True, append_images=images[1:], duration=[100, 300, 2000], **more)
    return path


class TestPictures:
    @pytest.mark.parametrize(("name", "kind"), [("a.webp", "WEBP"), ("a.png", "PNG"), ("a.gif", "GIF")])
    def test_an_animation_is_a_video(self, tmp_path: Path, name: str, kind: str) -> None:
        media, frames, _ = read(animation(tmp_path / name, kind))
        assert media.kind == "video"
        assert [f.time for f in frames] == pytest.approx([0, 0.1, 0.4])
        assert [f.duration for f in frames] == pytest.approx([0.1, 0.3, 2])
        assert levels(frames) == [0, 10, 20]

    def test_pages_take_a_second_each(self, tmp_path: Path) -> None:
        images = [Image.fromarray(grey(i)) for i in (0, 10)]
        images[0].save(tmp_path / "a.tiff", save_all=True, append_images=images[1:])
        _, frames, _ = read(tmp_path / "a.tiff")
        assert [(f.time, f.duration) for f in frames] == [(0, picture.PAGE_S), (picture.PAGE_S, picture.PAGE_S)]
        assert levels(frames) == [0, 10]

    @pytest.mark.parametrize(("name", "kind"), [("a.avif", "AVIF"), ("a.tif", "TIFF"), ("a.jfif", "JPEG")])
    def test_further_formats_are_pictures(self, tmp_path: Path, name: str, kind: str) -> None:
        Image.fromarray(corners(62, 40)).save(tmp_path / name, kind)
        media, frames, _ = read(tmp_path / name)
        assert media.kind == "picture"
        assert np.median(np.abs(frames[0].image.astype(int) - corners(62, 40))) <= 8

    def test_a_heic_picture_is_whole_and_upright(self, tmp_path: Path) -> None:
        pillow_heif = pytest.importorskip("pillow_heif")
        pillow_heif.from_pillow(Image.fromarray(corners(640, 480))).save(tmp_path / "a.heic")
        media, frames, _ = read(tmp_path / "a.heic")
        assert (media.kind, media.width, media.height) == ("picture", 640, 480)
        assert np.median(np.abs(frames[0].image.astype(int) - corners(640, 480))) <= 8

    def test_a_heic_picture_without_its_package_is_one_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.heic").write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(100))
        monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
        with pytest.raises(MediaError, match=r"is a HEIC picture; to read those: pip install 'emoscope\[heic\]'"):
            open_media(tmp_path / "a.heic")

    @pytest.mark.parametrize("bits", [10, 12, 16])
    def test_few_bits_in_sixteen_are_as_bright_as_all(self, tmp_path: Path, bits: int) -> None:
        ramp = np.linspace(0, (1 << bits) - 1, 64 * 48).reshape(48, 64)
        Image.fromarray(ramp.astype(np.uint16)).save(tmp_path / "a.png")
        _, frames, _ = read(tmp_path / "a.png")
        assert frames[0].image.max() == 255
        assert frames[0].image.mean() == pytest.approx(127.5, abs=1)


class TestShape:
    @pytest.mark.parametrize(("shape", "size"), [("2/1", (128, 48)), ("1/2", (64, 96)), ("16/15", (68, 48)),
                                                 ("100/1", (64, 48))])  # fmt: skip
    def test_pixels_become_square(self, tmp_path: Path, shape: str, size: tuple[int, int]) -> None:
        options = {"x264-params": f"sar={shape}"}
        media, frames, _ = read(write_video(tmp_path / "a.mkv", steps(3), lambda i: corners(), options=options))
        assert (media.width, media.height) == size
        assert frames[0].image.shape == (size[1], size[0], 3)

    def test_each_part_has_its_own_size(self, tmp_path: Path) -> None:
        parts = [
            write_video(tmp_path / f"{i}.ts", steps(5), lambda i, w=w, h=h: noise(i, w, h))
            for i, (w, h) in enumerate([(64, 48), (128, 96), (96, 128)])
        ]
        path = tmp_path / "all.ts"
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        media, frames, _ = read(path)
        assert [f.image.shape[:2] for f in frames] == [(48, 64)] * 5 + [(96, 128)] * 5 + [(128, 96)] * 5
        assert (media.width, media.height) == (128, 96)


class TestSound:
    def test_opposite_phase_is_heard(self, tmp_path: Path) -> None:
        one = sine(2.0)
        media, _, parts = read(write_sound(tmp_path / "a.wav", np.concatenate([one, -one])))
        assert media.opposed
        assert tone(joined(parts)[1600:-1600])[1] == pytest.approx(0.5, rel=0.02)

    def test_other_stereo_is_mixed_by_the_mean(self, tmp_path: Path) -> None:
        random = np.random.default_rng(0).normal(0, 0.1, (2, 88_200)).astype(np.float32)
        media, _, _ = read(write_sound(tmp_path / "a.wav", random))
        assert not media.opposed

    @pytest.fixture
    def tracks(self, tmp_path: Path) -> Path:
        """Silence, a loud tone in French, a quiet one in English."""
        path = tmp_path / "a.mkv"
        with av.open(str(path), "w") as container:
            for level, language in ((0.0, "ger"), (0.5, "fre"), (0.1, "eng")):
                stream = container.add_stream("flac", rate=16_000, layout="mono")
                stream.metadata["language"] = language
                stream.metadata["level"] = str(level)
            packets = []
            for stream in container.streams:
                sound = (sine(2.0, rate=16_000, level=float(stream.metadata["level"])) * 32_767).astype(np.int16)
                frame = av.AudioFrame.from_ndarray(sound, "s16", "mono")
                frame.sample_rate, frame.pts, frame.time_base = 16_000, 0, Fraction(1, 16_000)
                packets += stream.encode(frame) + stream.encode(None)
            container.mux(packets)
        return path

    @staticmethod
    def loud(samples: np.ndarray) -> float:
        return float((np.abs(samples) > 0.2).sum()) / 16_000

    def test_a_track_with_a_voice_is_chosen(self, tracks: Path) -> None:
        choice = choose(tracks, None, self.loud)
        assert choice.number == 2
        assert choice.note.startswith("sound track 2 of 3 is read: it has a voice; --audio-track")
        with open_media(tracks, audio_track=choice.number) as media:
            assert max(float(np.abs(item.samples).max()) for item in media) == pytest.approx(0.5, abs=0.02)  # type: ignore[union-attr]

    @pytest.mark.parametrize(("wanted", "number"), [("eng", 3), ("1", 1), (2, 2)])
    def test_a_track_is_chosen_by_number_or_language(self, tracks: Path, wanted: int | str, number: int) -> None:
        assert choose(tracks, wanted, self.loud).number == number

    def test_a_track_that_is_not_there_is_one_line(self, tracks: Path) -> None:
        with pytest.raises(MediaError, match=r"has no sound track spa; there are: 1 \(ger\), 2 \(fre\), 3 \(eng\)"):
            choose(tracks, "spa", self.loud)
