from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from make_media import corners, grey, noise, resident, sine, steps, write_video

from emoscope.errors import EmoscopeError
from emoscope.media import SAMPLE_RATE, Frame, Sound, VideoWriter, open_media, write
from emoscope.media.types import SoundFormat

UNEVEN = [0.0, 0.04, 0.1, 0.3, 0.34, 0.5, 1.1, 1.2]


def copy(source: Path, target: Path) -> None:
    with open_media(source, original_sound=True) as media:
        assert media.width and media.height
        with VideoWriter(target, media.width, media.height, media.sound_format) as writer:
            for item in media:
                if isinstance(item, Frame):
                    writer.write(item.image, item.time)
                else:
                    writer.write_sound(item.samples, item.time)


def frames_of(path: Path) -> list[Frame]:
    with open_media(path) as media:
        return [item for item in media if isinstance(item, Frame)]


def sound_of(path: Path) -> np.ndarray:
    """The samples with zeros where there is no sound, from time 0."""
    with open_media(path) as media:
        parts = [item for item in media if isinstance(item, Sound)]
    whole = np.zeros(round(parts[-1].time * SAMPLE_RATE) + len(parts[-1].samples), np.float32)
    for part in parts:
        at = round(part.time * SAMPLE_RATE)
        whole[at : at + len(part.samples)] = part.samples
    return whole


def clicks(rate: int, times: list[float], seconds: float) -> np.ndarray:
    """Short bursts of tone at some times."""
    sound = np.zeros((1, round(seconds * rate)), np.float32)
    for time in times:
        burst = sine(0.05, 1000, rate, level=0.8)
        at = round(time * rate)
        sound[:, at : at + burst.shape[1]] = burst
    return sound


def onsets(sound: np.ndarray) -> list[float]:
    """The times at which sound starts after at least 0.1 seconds of quiet."""
    loud = np.flatnonzero(np.abs(sound) > 0.2) / SAMPLE_RATE
    return [float(t) for i, t in enumerate(loud) if i == 0 or t - loud[i - 1] > 0.1]


class TestPictures:
    def test_times_come_back(self, tmp_path: Path) -> None:
        with VideoWriter(tmp_path / "a.mp4", 64, 48) as writer:
            for i, time in enumerate(UNEVEN):
                writer.write(grey(i), time)
        frames = frames_of(tmp_path / "a.mp4")
        assert [f.time for f in frames] == pytest.approx(UNEVEN, abs=1e-5)
        assert [round((f.image.mean() - 20) / 7) for f in frames] == list(range(len(UNEVEN)))

    def test_is_h264_that_any_player_shows(self, tmp_path: Path) -> None:
        with VideoWriter(tmp_path / "a.mp4", 64, 48) as writer:
            writer.write(corners(), 0.0)
        with av.open(str(tmp_path / "a.mp4")) as container:
            (video,) = container.streams
            assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        data = (tmp_path / "a.mp4").read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")  # plays before it is loaded
        (frame,) = frames_of(tmp_path / "a.mp4")
        assert np.median(np.abs(frame.image.astype(int) - corners())) <= 8

    @pytest.mark.parametrize(("width", "height"), [(63, 48), (64, 47), (63, 47), (1, 1)])
    def test_odd_sizes_are_padded(self, tmp_path: Path, width: int, height: int) -> None:
        image = np.full((height, width, 3), 200, np.uint8)
        with VideoWriter(tmp_path / "a.mp4", width, height) as writer:
            writer.write(image, 0.0)
        (frame,) = frames_of(tmp_path / "a.mp4")
        assert frame.image.shape == (height + height % 2, width + width % 2, 3)
        assert np.abs(frame.image.astype(int) - 200).max() <= 4

    def test_a_slice_of_a_larger_picture(self, tmp_path: Path) -> None:
        large = np.zeros((96, 128, 3), np.uint8)
        large[::2, ::2] = corners()
        with VideoWriter(tmp_path / "a.mp4", 64, 48) as writer:
            writer.write(large[::2, ::2], 0.0)
        (frame,) = frames_of(tmp_path / "a.mp4")
        assert np.median(np.abs(frame.image.astype(int) - corners())) <= 8

    def test_times_that_round_to_the_same_stay_apart(self, tmp_path: Path) -> None:
        with VideoWriter(tmp_path / "a.mp4", 64, 48) as writer:
            for i, time in enumerate([0.0, 1e-7, 2e-7, 0.1]):
                writer.write(grey(i), time)
        times = [f.time for f in frames_of(tmp_path / "a.mp4")]
        assert times == pytest.approx([0.0, 0.0, 0.0, 0.1], abs=1e-4)
        assert len(set(times)) == 4

    @pytest.mark.parametrize(
        ("image", "time"),
        [
            (np.zeros((48, 63, 3), np.uint8), 0.0),
            (np.zeros((48, 64), np.uint8), 0.0),
            (np.zeros((48, 64, 3), np.float32), 0.0),
            (np.zeros((48, 64, 3), np.uint8), -0.1),
        ],
    )
    def test_says_what_it_expected(self, tmp_path: Path, image: np.ndarray, time: float) -> None:
        with VideoWriter(tmp_path / "a.mp4", 64, 48) as writer, pytest.raises(ValueError, match="expected"):
            writer.write(image, time)

    def test_no_frame_at_all(self, tmp_path: Path) -> None:
        with VideoWriter(tmp_path / "a.mp4", 64, 48):
            pass
        assert (tmp_path / "a.mp4").exists()


class TestSound:
    @pytest.mark.parametrize("channels", [1, 2])
    @pytest.mark.parametrize(
        ("rate", "codec"), [(44_100, "aac"), (48_000, "libopus"), (22_050, "flac"), (8000, "flac")]
    )
    def test_is_kept_at_its_rate_and_channels(self, tmp_path: Path, rate: int, codec: str, channels: int) -> None:
        source = write_video(
            tmp_path / "a.mkv", steps(30), sound=sine(1.2, 440, rate, channels), sound_rate=rate, sound_codec=codec
        )
        copy(source, tmp_path / "b.mp4")
        with av.open(str(tmp_path / "b.mp4")) as container:
            context = container.streams.audio[0].codec_context
            assert (context.name, context.sample_rate, context.channels) == ("aac", rate, channels)
        sound = sound_of(tmp_path / "b.mp4")
        assert len(sound) / SAMPLE_RATE == pytest.approx(1.2, abs=0.15 if rate == 8000 else 0.05)
        middle = sound[3200:16_000]
        assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.5, rel=0.05)
        assert np.argmax(np.abs(np.fft.rfft(middle))) * SAMPLE_RATE / len(middle) == pytest.approx(440, abs=2)

    def test_a_rate_that_aac_has_not(self, tmp_path: Path) -> None:
        source = write_video(
            tmp_path / "a.mkv", steps(10), sound=sine(0.4, rate=37_800), sound_rate=37_800, sound_codec="pcm_s16le"
        )
        copy(source, tmp_path / "b.mp4")
        with av.open(str(tmp_path / "b.mp4")) as container:
            assert container.streams.audio[0].codec_context.sample_rate == 48_000
        assert np.abs(sound_of(tmp_path / "b.mp4")).max() == pytest.approx(0.5, rel=0.1)

    @pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
    def test_stays_in_step(self, tmp_path: Path, suffix: str) -> None:
        times = [0.2, 0.9, 1.6]
        source = write_video(tmp_path / f"a{suffix}", steps(50), sound=clicks(44_100, times, 2.0))
        copy(source, tmp_path / "b.mp4")
        assert onsets(sound_of(source)) == pytest.approx(times, abs=0.003)
        assert onsets(sound_of(tmp_path / "b.mp4")) == pytest.approx(times, abs=0.003)
        assert [f.time for f in frames_of(tmp_path / "b.mp4")] == pytest.approx(steps(50), abs=MILLISECOND)

    def test_a_late_start_is_kept(self, tmp_path: Path) -> None:
        source = write_video(tmp_path / "a.mkv", steps(50), sound=clicks(48_000, [0.0], 1.0), sound_rate=48_000,
                             sound_start=0.7)  # fmt: skip
        copy(source, tmp_path / "b.mp4")
        assert onsets(sound_of(tmp_path / "b.mp4")) == pytest.approx([0.7], abs=0.005)

    def test_a_late_video_is_kept(self, tmp_path: Path) -> None:
        source = write_video(tmp_path / "a.mkv", [t + 0.6 for t in UNEVEN], sound=clicks(48_000, [0.5], 2.0),
                             sound_rate=48_000)  # fmt: skip
        copy(source, tmp_path / "b.mp4")
        assert [f.time - 0.6 for f in frames_of(tmp_path / "b.mp4")] == pytest.approx(UNEVEN, abs=0.001)
        assert onsets(sound_of(tmp_path / "b.mp4")) == pytest.approx([0.5], abs=0.005)

    def test_a_clock_that_starts_late_is_counted_from_its_start(self, tmp_path: Path) -> None:
        source = write_video(tmp_path / "a.mkv", [t + 5 for t in UNEVEN], sound=clicks(48_000, [0.5], 1.0),
                             sound_rate=48_000, sound_codec="flac", sound_start=5.0)  # fmt: skip
        copy(source, tmp_path / "b.mp4")
        assert [f.time for f in frames_of(tmp_path / "b.mp4")] == pytest.approx(UNEVEN, abs=0.001)
        assert onsets(sound_of(tmp_path / "b.mp4")) == pytest.approx([0.5], abs=0.003)

    def test_a_gap_becomes_silence(self, tmp_path: Path) -> None:
        sound = clicks(48_000, [0.2, 2.3], 3.0)
        sound[:, 12 * 4096 : 24 * 4096] = np.nan
        source = write_video(tmp_path / "a.mkv", steps(75), sound=sound, sound_rate=48_000, sound_codec="pcm_s16le")
        copy(source, tmp_path / "b.mp4")
        assert onsets(sound_of(tmp_path / "b.mp4")) == pytest.approx([0.2, 2.3], abs=0.003)

    def test_goes_on_after_the_last_frame(self, tmp_path: Path) -> None:
        source = write_video(tmp_path / "a.mkv", steps(10), sound=clicks(44_100, [2.5], 3.0))
        copy(source, tmp_path / "b.mp4")
        assert onsets(sound_of(tmp_path / "b.mp4")) == pytest.approx([2.5], abs=0.003)

    def test_a_source_without_sound(self, tmp_path: Path) -> None:
        source = write_video(tmp_path / "a.mkv", steps(5))
        copy(source, tmp_path / "b.mp4")
        with av.open(str(tmp_path / "b.mp4")) as container:
            assert [stream.type for stream in container.streams] == ["video"]


MILLISECOND = 0.0006


class TestFailure:
    def test_an_exception_leaves_a_playable_file_and_goes_on(self, tmp_path: Path) -> None:
        mono = SoundFormat(44_100, "mono")
        with pytest.raises(KeyError), VideoWriter(tmp_path / "b.mp4", 64, 48, mono) as writer:
            for i in range(30):
                writer.write(noise(i), i / 25)
                writer.write_sound(sine(0.04), i / 25)
            raise KeyError("stopped")
        assert [f.time for f in frames_of(tmp_path / "b.mp4")] == pytest.approx(steps(30), abs=1e-5)
        assert len(sound_of(tmp_path / "b.mp4")) / SAMPLE_RATE == pytest.approx(1.2, abs=0.1)

    @pytest.mark.parametrize(
        "place",
        [lambda f: f / "none" / "a.mp4", lambda f: f, lambda f: f / "file" / "a.mp4", lambda f: f / ("a" * 300)],
    )
    def test_a_place_that_cannot_be_written(self, tmp_path: Path, place: Callable[[Path], Path]) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(EmoscopeError, match="cannot be written") as caught:
            VideoWriter(place(tmp_path), 64, 48)
        assert str(caught.value).isprintable()

    def test_sound_of_a_silent_video_is_refused(self, tmp_path: Path) -> None:
        with (
            VideoWriter(tmp_path / "a.mp4", 64, 48) as writer,
            pytest.raises(ValueError, match="started without sound"),
        ):
            writer.write_sound(sine(0.1), 0.0)

    def test_a_disk_that_fills_up(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # /dev/full takes nothing and cannot be read back, so the index is left at the end.
        monkeypatch.setattr(write, "_create", lambda path: av.open("/dev/full", "w", format="mp4"))
        with (
            pytest.raises(EmoscopeError, match="writing failed: No space left on device"),
            VideoWriter(tmp_path / "a.mp4", 64, 48) as writer,
        ):
            for i in range(200):
                writer.write(noise(i), i / 25)

    def test_a_name_like_an_address(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with VideoWriter("http:a.mp4", 64, 48) as writer:
            writer.write(grey(0), 0.0)
        assert len(frames_of(tmp_path / "http:a.mp4")) == 1


class TestMemory:
    @pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux to tell its memory")
    def test_does_not_grow_with_the_length(self, tmp_path: Path) -> None:
        block = sine(0.15, rate=48_000, channels=2)
        image = noise(0, 160, 120)
        held = [0]
        with VideoWriter(tmp_path / "b.mp4", 160, 120, SoundFormat(48_000, "stereo")) as writer:
            for i in range(400):
                writer.write(image, i * 0.15)
                writer.write_sound(block, i * 0.15)
                held = [resident()] if i == 60 else [*held, resident()]
        assert max(held) - held[0] < 6_000_000  # the sound alone that follows is 19 MB
