// The camera: each new frame as a picture and its JPEG, while the page can take more.
const WIDTH = 640;
const HEIGHT = 480;

export class Camera {
  // wanted(): whether to take the next frame; taken({captured, picture, jpeg}): captured in performance.now()'s ms.
  constructor(stream, wanted, taken) {
    this.stream = stream;
    this.wanted = wanted;
    this.taken = taken;
    this.ended = false;
    this.busy = false;
    this.encoder = new Worker("/static/encoder.js");
    this.encoder.onmessage = ({ data }) => {
      this.busy = false;
      this.taken({ captured: data.id, picture: data.picture, jpeg: data.jpeg });
    };
    this.video = document.createElement("video");
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.srcObject = stream;
    this.video.play().catch(() => {}); // closed before it began
    this.next();
  }

  static async open(wanted, taken) {
    const video = { width: { ideal: WIDTH }, height: { ideal: HEIGHT }, frameRate: { ideal: 30 } };
    return new Camera(await navigator.mediaDevices.getUserMedia({ video }), wanted, taken);
  }

  next() {
    if (this.ended) return;
    if (this.video.requestVideoFrameCallback) {
      this.video.requestVideoFrameCallback((now, frame) => this.frame(frame.captureTime ?? now));
    } else {
      requestAnimationFrame((now) => this.frame(now));
    }
  }

  async frame(captured) {
    this.next();
    if (this.busy || !this.video.videoWidth || !this.wanted()) return;
    this.busy = true;
    try {
      const picture = await this.picture();
      this.encoder.postMessage({ id: captured, picture }, [picture]);
    } catch {
      this.busy = false; // the camera gave no picture this time
    }
  }

  picture() {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, WIDTH / videoWidth, WIDTH / videoHeight);
    const size = { resizeWidth: Math.round(videoWidth * scale), resizeHeight: Math.round(videoHeight * scale) };
    return createImageBitmap(this.video, size);
  }

  close() {
    this.ended = true;
    this.encoder.terminate();
    for (const track of this.stream.getTracks()) track.stop();
  }
}
