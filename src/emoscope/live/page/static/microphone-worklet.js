// In the sound's own thread: collects 40 ms of samples and hands them to the page.
class Collector extends AudioWorkletProcessor {
  constructor() {
    super();
    this.size = Math.round(sampleRate * 0.04);
    this.samples = new Float32Array(this.size);
    this.filled = 0;
  }

  process([[channel]]) {
    for (const sample of channel ?? []) {
      this.samples[this.filled++] = sample;
      if (this.filled === this.size) {
        this.port.postMessage(this.samples, [this.samples.buffer]);
        this.samples = new Float32Array(this.size);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("collector", Collector);
