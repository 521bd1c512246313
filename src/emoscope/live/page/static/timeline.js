// The last half minute: for each person a lane of face, of voice, and of both together.
import { facts, ink, personName } from "./facts.js";

const SHOWN_S = 30;
const LANE = 18;
const LABELS = 118;
const SOURCES = [["face", "face"], ["voice", "voice"], ["fused", "both"]];
const OF_NOBODY = [["voice", "voice"]];
const lanes = (person) => (person ? SOURCES : OF_NOBODY);

export class TimelineView {
  constructor(canvas) {
    this.canvas = canvas;
    this.runs = new Map(); // "person source" to runs of one emotion: {start, end, emotion}
    this.shown = false; // whether now, at the right end, was scrolled to
  }

  add({ person, source, start, end, emotion }) {
    const key = `${person ?? ""} ${source}`;
    const runs = this.runs.get(key) ?? [];
    const last = runs.at(-1);
    if (last && last.emotion === emotion && start - last.end < 0.3) last.end = Math.max(last.end, end);
    else runs.push({ start, end, emotion });
    this.runs.set(key, runs);
  }

  clear() {
    this.runs.clear();
  }

  draw(now) {
    this.forget(now - SHOWN_S);
    const people = [...new Set([...this.runs.keys()].map((key) => key.split(" ")[0]))].sort((a, b) => (a || 1e9) - (b || 1e9));
    const scale = devicePixelRatio;
    const width = this.canvas.clientWidth;
    const tops = [4];
    for (const person of people) tops.push(tops.at(-1) + lanes(person).length * LANE + 8);
    const height = Math.max(tops.at(-1), 40) + 22;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.style.height = `${height}px`;
    if (!this.shown) this.canvas.parentElement.scrollLeft = this.canvas.parentElement.scrollWidth;
    this.shown = true;
    const context = this.canvas.getContext("2d");
    context.scale(scale, scale);
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    const style = getComputedStyle(this.canvas);
    const at = (time) => LABELS + ((time - now + SHOWN_S) / SHOWN_S) * (width - LABELS - 8);
    people.forEach((person, row) => this.person(context, person, tops[row], at, style.color));
    this.ticks(context, now, height, at, style.color);
    this.describe(people);
  }

  person(context, person, top, at, colour) {
    lanes(person).forEach(([source, label], lane) => {
      const middle = top + lane * LANE + LANE / 2;
      context.fillStyle = colour;
      context.fillText(`${personName(person)} ${label}`, 8, middle, LABELS - 14);
      for (const { start, end, emotion } of this.runs.get(`${person} ${source}`) ?? []) {
        const left = Math.max(LABELS, at(start));
        const wide = Math.max(1, at(end) - left);
        context.fillStyle = facts.colours[emotion];
        context.fillRect(left, middle - LANE / 2 + 1, wide, LANE - 2);
        if (wide > 62) {
          context.fillStyle = ink(emotion);
          context.fillText(emotion, left + 5, middle);
        }
      }
    });
  }

  ticks(context, now, height, at, colour) {
    context.fillStyle = colour;
    for (let second = Math.ceil((now - SHOWN_S) / 5) * 5; second <= now; second += 5) {
      if (second >= 0) context.fillText(`${second} s`, Math.min(at(second), at(now) - 30), height - 10);
    }
  }

  describe(people) {
    const last = people.map((person) => {
      const run = (this.runs.get(`${person} fused`) ?? this.runs.get(`${person} face`) ?? []).at(-1);
      return run ? `${personName(person)}: ${run.emotion}` : "";
    });
    this.canvas.setAttribute("aria-label", `Timeline of the last ${SHOWN_S} seconds. ${last.filter(Boolean).join("; ")}`);
  }

  forget(before) {
    for (const [key, runs] of this.runs) {
      while (runs.length && runs[0].end < before) runs.shift();
      if (!runs.length) this.runs.delete(key);
    }
  }
}
