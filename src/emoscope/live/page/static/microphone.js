// The microphone: mono samples as they come, each run with the time of its first sample, counted, not measured.
const JUMP_S = 0.25; // the count is off by more: sound was lost

export class Microphone {
  constructor(stream, context, heard) {
    this.stream = stream;
    this.context = context;
    this.heard = heard;
    this.next = null;
  }

  // heard(captured, samples): captured in seconds of performance.now(); samples: Float32Array at `rate`.
  static async open(heard) {
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    const context = new AudioContext();
    await context.audioWorklet.addModule("/static/microphone-worklet.js");
    await context.resume();
    const microphone = new Microphone(stream, context, heard);
    const collector = new AudioWorkletNode(context, "collector", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    collector.port.onmessage = ({ data }) => microphone.receive(data);
    context.createMediaStreamSource(stream).connect(collector);
    return microphone;
  }

  get rate() {
    return this.context.sampleRate;
  }

  receive(samples) {
    const length = samples.length / this.rate;
    const measured = performance.now() / 1000 - length;
    if (this.next === null || Math.abs(measured - this.next) > JUMP_S) this.next = measured;
    const captured = this.next;
    this.next += length;
    this.heard(captured, samples);
  }

  close() {
    for (const track of this.stream.getTracks()) track.stop();
    if (this.context.state !== "closed") this.context.close();
  }
}

// The level of samples, 0 to 1: -60 dB to full scale.
export const level = (samples) => {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return Math.max(0, Math.min(1, 1 + (10 * Math.log10(power + 1e-12)) / 60));
};
