// All observations of this page, in its own memory, as the table that `emoscope analyze` writes.
import { facts } from "./facts.js";

const ORDER = { face: 0, voice: 1, fused: 2 };

export class Record {
  constructor() {
    this.rows = [];
  }

  add(observation) {
    const { start, end, source, person, box, scores, emotion, confidence } = observation;
    const known = [start, end, source, person, ...(box ?? [null, null, null, null]), ...scores, emotion, confidence];
    this.rows.push([...known, ...facts.columns.slice(known.length).map((name) => observation[name])]);
  }

  clear() {
    this.rows = [];
  }

  // The scene comes after the persons, as in a timeline of Python.
  csv() {
    const rows = [...this.rows].sort((a, b) => a[0] - b[0] || ORDER[a[2]] - ORDER[b[2]] || (a[3] ?? 1e9) - (b[3] ?? 1e9));
    return [facts.columns, ...rows].map((row) => row.map((value) => value ?? "").join(",")).join("\n") + "\n";
  }
}

// Offer a text as a file to save.
export const save = (text, type, name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};
