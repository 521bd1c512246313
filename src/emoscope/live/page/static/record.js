// The newest observations of this page, in its own memory, as the table that `emoscope analyze` writes.
import { facts } from "./facts.js";

const ORDER = { face: 0, voice: 1, fused: 2 };
const PART = 5000; // rows that become text together, and are forgotten together
const LATE = 10_000; // rows within which one may still come that belongs before them: a voice comes seconds after its start
export const MOST = 250_000; // rows: over an hour of one person at 30 pictures a second, some 25 MB

export class Record {
  constructor() {
    this.clear();
  }

  add(observation) {
    const { start, end, source, person, box, scores, emotion, confidence } = observation;
    const known = [start, end, source, person, ...(box ?? [null, null, null, null]), ...scores, emotion, confidence];
    this.rows.push([...known, ...facts.columns.slice(known.length).map((name) => observation[name])]);
    if (this.rows.length < LATE + PART) return;
    this.rows.sort(inOrder);
    const part = this.rows.splice(0, PART);
    this.parts.push({ ends: part.at(-1)[0], text: new Blob([lines(part)]) }); // a Blob lies outside the scripts' memory
    if ((this.parts.length + 1) * PART + LATE > MOST) this.begins = this.parts.shift().ends;
  }

  clear() {
    this.rows = [];
    this.parts = [];
    this.begins = 0; // seconds before which rows are forgotten
  }

  csv() {
    const rows = [...this.rows].sort(inOrder);
    return [`${facts.columns.join(",")}\n`, ...this.parts.map(({ text }) => text), lines(rows)];
  }
}

// The scene comes after the persons, as in a timeline of Python.
const inOrder = (a, b) => a[0] - b[0] || ORDER[a[2]] - ORDER[b[2]] || (a[3] ?? 1e9) - (b[3] ?? 1e9);
const lines = (rows) => rows.map((row) => `${row.map((value) => value ?? "").join(",")}\n`).join("");

// Offer texts as one file to save.
export const save = (parts, type, name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};
