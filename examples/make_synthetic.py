"""Make `synthetic.mp4`: a public-domain portrait that seems to speak, seen by a camera that moves.

    pip install scikit-image          # ships the portrait
    apt install espeak-ng             # makes the voice
    python examples/make_synthetic.py

The portrait is NASA's of astronaut Eileen Collins, `skimage.data.astronaut()`. The voice is espeak-ng's. Nobody was
recorded: what emoscope reads here says nothing about a real person.
"""

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage import data

OUT = Path(__file__).with_name("synthetic.mp4")
TITLE = "synthetic: a still portrait, animated, with a computer's voice"
COMMENT = "synthetic: public-domain NASA portrait (skimage.data.astronaut), voice by espeak-ng; see examples/README.md"

WIDTH, HEIGHT, RATE = 640, 480, 30
SECONDS = 9.0
SOUND_RATE = 22_050
"""Samples a second of espeak-ng's voices."""
WAV_HEADER = 44
"""Bytes before the samples."""

VOICE = ("-v", "en+f2", "-s", "140", "-p", "40")
SPEECH = ((0.5, "How wonderful! We fly today."), (5.2, "And there is the shuttle."))
"""When each sentence starts in seconds, and the words. The second is heard off camera."""
SOFT = 300.0
"""Hz from which on the voice is made softer, by 6 dB an octave: espeak-ng's is as bright as a shout."""

CAMERA = np.array(
    [  # seconds, x, y of the middle, width of the view: in pixels of the portrait
        (0.0, 228, 122, 300),
        (3.6, 222, 120, 272),
        (4.4, 230, 124, 280),
        (5.2, 402, 118, 216),
        (6.6, 398, 112, 212),
        (7.4, 226, 122, 272),
        (9.0, 222, 118, 240),
    ]
)
LIGHT = np.array([(0.0, 1.0), (6.6, 1.0), (7.6, 0.72), (9.0, 0.85)])
"""Seconds and brightness."""

MOUTH = (224.0, 149.5)
"""The middle of the lower edge of the upper teeth, in pixels of the portrait."""
MOUTH_HALF = 19.0
"""Half the width of the mouth."""
TEETH = 8.0
"""How much higher the corners of the mouth are."""
CHIN = 180.0
"""Where the jaw's movement ends."""
OPEN = 8.0
"""How far the mouth opens at the loudest, in pixels of the portrait."""
INSIDE = (62, 26, 26)
"""The colour inside the mouth."""


def speak(text: str) -> np.ndarray:
    """The words as float32 `(n,)` at `SOUND_RATE`, at most 1."""
    run = subprocess.run(["espeak-ng", *VOICE, "--stdout", text], capture_output=True, check=True)
    # the length in the header is wrong, because espeak-ng writes it before it has spoken
    samples = np.frombuffer(run.stdout[WAV_HEADER:], np.int16)
    bright = 1j * np.fft.rfftfreq(len(samples), 1 / SOUND_RATE) / SOFT
    soft = np.fft.irfft(np.fft.rfft(samples) / (1 + bright), len(samples))
    return (soft / abs(soft).max()).astype(np.float32)


def sound_track() -> np.ndarray:
    """All sentences at their times over a little room noise, float32 `(n,)`."""
    track = np.random.default_rng(1).normal(0, 2e-3, round(SECONDS * SOUND_RATE)).astype(np.float32)
    for start, text in SPEECH:
        voice = speak(text)
        at = round(start * SOUND_RATE)
        track[at : at + len(voice)] += 0.6 * voice
    return track


def openness(track: np.ndarray) -> np.ndarray:
    """How open the mouth is in each frame, 0 to 1: its loudness."""
    step = SOUND_RATE // RATE
    loud = np.sqrt((track[: len(track) // step * step].reshape(-1, step) ** 2).mean(1))
    return np.clip((loud - 0.02) / np.quantile(loud, 0.97), 0, 1)


def along(path: np.ndarray, time: float) -> np.ndarray:
    """The values of a path at a time: at rest at each of its points, smooth between them."""
    i = int(np.clip(np.searchsorted(path[:, 0], time, "right") - 1, 0, len(path) - 2))
    share = np.clip((time - path[i, 0]) / (path[i + 1, 0] - path[i, 0]), 0, 1)
    share = share * share * (3 - 2 * share)
    return np.asarray(path[i, 1:] + share * (path[i + 1, 1:] - path[i, 1:]))


def view(portrait: np.ndarray, time: float, opened: float) -> np.ndarray:
    """What the camera sees, RGB uint8 `(HEIGHT, WIDTH, 3)`."""
    x, y, width = along(CAMERA, time)
    x += 1.6 * np.sin(1.4 * time) + 0.3 * np.sin(4.3 * time)  # a hand holds it
    y += 1.2 * np.sin(1.7 * time + 1)
    angle = np.radians(1.5 * np.sin(1.3 * time))
    across, down = np.meshgrid(np.arange(WIDTH) - WIDTH / 2, np.arange(HEIGHT) - HEIGHT / 2)
    scale = width / WIDTH
    xs = x + scale * (across * np.cos(angle) - down * np.sin(angle))
    ys = y + scale * (across * np.sin(angle) + down * np.cos(angle))

    # the jaw: what is below the upper teeth is drawn further down, less and less towards the chin
    off = (xs - MOUTH[0]) / MOUTH_HALF
    inside = np.clip(1 - off**2, 0, 1)
    teeth = MOUTH[1] - TEETH * (1 - inside)
    drop = OPEN * opened * inside
    gap = ((ys > teeth) & (ys < teeth + drop) & (drop > 0.3)).astype(np.float32)
    share = (CHIN - ys) / (CHIN - teeth - drop)  # 1 at the lower lip, 0 at the chin
    stretched = np.maximum(CHIN - share * (CHIN - teeth), teeth)
    source = np.where((ys > teeth) & (ys < CHIN), stretched, ys)
    picture = cv2.remap(
        portrait, xs.astype(np.float32), source.astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    gap = cv2.GaussianBlur(gap, (0, 0), 1.2)[..., None] * 0.9
    return np.clip((picture * (1 - gap) + np.array(INSIDE) * gap) * along(LIGHT, time), 0, 255).astype(np.uint8)


def label(frame: np.ndarray) -> np.ndarray:
    """The frame with the word "synthetic" burnt in."""
    picture = Image.fromarray(frame)
    place = (12, 10)
    ImageDraw.Draw(picture).text(
        place, "synthetic", (255, 255, 255), ImageFont.load_default(24), stroke_width=2, stroke_fill=(0, 0, 0)
    )
    return np.asarray(picture)


def write(path: Path, frames: list[np.ndarray], track: np.ndarray) -> None:
    """Write H.264 and AAC with the title and comment that say what it is."""
    with av.open(str(path), "w", container_options={"movflags": "+faststart"}) as container:
        container.metadata.update(title=TITLE, comment=COMMENT)
        video = container.add_stream("libx264", rate=RATE, options={"preset": "slow", "crf": "24"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
        audio.bit_rate = 64_000
        packets = []
        for i, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, RATE)
            packets += video.encode(frame)
        packets += video.encode(None)
        for at in range(0, len(track), 1024):
            part = av.AudioFrame.from_ndarray(track[None, at : at + 1024], "fltp", "mono")
            part.sample_rate, part.pts, part.time_base = SOUND_RATE, at, Fraction(1, SOUND_RATE)
            packets += audio.encode(part)
        packets += audio.encode(None)
        container.mux(sorted(packets, key=lambda packet: packet.dts * packet.time_base))


def main() -> None:
    """Make the clip."""
    portrait = data.astronaut()
    track = sound_track()
    mouth = openness(track)
    frames = [label(view(portrait, i / RATE, mouth[i])) for i in range(round(SECONDS * RATE))]
    write(OUT, frames, track)
    print(f"{OUT}: {OUT.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
