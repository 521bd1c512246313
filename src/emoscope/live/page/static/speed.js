// Frames a second and latency from capture to overlay, over the last seconds.
const OVER_MS = 5000;

export class Speed {
  constructor() {
    this.drawn = []; // [when it was drawn, its latency], ms
  }

  add(now, latency) {
    this.drawn.push([now, latency]);
    while (this.drawn.length && this.drawn[0][0] < now - OVER_MS) this.drawn.shift();
  }

  clear() {
    this.drawn = [];
  }

  // Frames a second, and the median and 95 % quantile of the latency in ms; null where nothing was drawn of late.
  figures(now) {
    const recent = this.drawn.filter(([when]) => when >= now - OVER_MS);
    if (recent.length < 2) return null;
    const sorted = recent.map(([, latency]) => latency).sort((a, b) => a - b);
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    const seconds = (recent.at(-1)[0] - recent[0][0]) / 1000;
    return { fps: (recent.length - 1) / seconds, median: at(0.5), p95: at(0.95) };
  }
}
