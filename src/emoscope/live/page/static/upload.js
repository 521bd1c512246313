// A file that is dropped on the page or chosen: its analysis by the server, with the progress.
export class Upload {
  constructor(elements) {
    this.elements = elements; // area, input, status, progress, results, open, report, table
    this.urls = [];
    const { area, input } = elements;
    input.addEventListener("change", () => input.files.length && this.run(input.files[0]));
    this.area = area;
    document.body.addEventListener("dragover", (event) => this.over(event, true));
    document.body.addEventListener("dragleave", (event) => this.over(event, false));
    document.body.addEventListener("drop", (event) => {
      this.over(event, false);
      if (event.dataTransfer.files.length && !input.disabled) this.run(event.dataTransfer.files[0]);
    });
  }

  over(event, inside) {
    event.preventDefault();
    this.area.classList.toggle("over", inside);
  }

  async run(file) {
    const { input, progress, results } = this.elements;
    input.disabled = true;
    results.hidden = true;
    progress.hidden = false;
    progress.removeAttribute("value");
    this.say(`${file.name}: sending …`);
    try {
      this.show(file.name, await this.analyze(file));
    } catch (error) {
      this.say(error.message, true);
    }
    progress.hidden = true;
    input.disabled = false;
    input.value = "";
  }

  async analyze(file) {
    const form = new FormData();
    form.append("file", file);
    const response = await fetch("/analyze?format=events", { method: "POST", body: form }).catch(() => {
      throw new Error("The server cannot be reached. Is it still running?");
    });
    if (!response.ok) throw new Error((await response.json()).detail);
    for await (const event of lines(response.body)) {
      if (event.error) throw new Error(event.error);
      if (event.report) return event;
      this.tell(file.name, event);
    }
    throw new Error(`${file.name}: the server broke off the analysis`);
  }

  tell(name, { step, done_s, total_s }) {
    const what = step === "looking" ? "looking and listening" : "drawing the report";
    this.say(`${name}: ${what}, ${done_s.toFixed(0)} s${total_s ? ` of ${total_s.toFixed(0)} s` : ""}`);
    if (total_s) this.elements.progress.value = Math.min(1, done_s / total_s);
    else this.elements.progress.removeAttribute("value");
  }

  show(name, { summary, timeline, report }) {
    for (const url of this.urls) URL.revokeObjectURL(url);
    const page = URL.createObjectURL(new Blob([report], { type: "text/html" }));
    const table = URL.createObjectURL(new Blob([timeline], { type: "text/csv" }));
    this.urls = [page, table];
    const { open, report: link, table: csv, results } = this.elements;
    open.href = page;
    link.href = page;
    link.download = `${name}-report.html`;
    csv.href = table;
    csv.download = `${name}-timeline.csv`;
    results.hidden = false;
    const persons = summary.persons === 1 ? "1 person" : `${summary.persons} persons`;
    this.say(`${name}: ${summary.duration_s.toFixed(1)} s, ${persons}, read in ${summary.elapsed_s.toFixed(1)} s. ${summary.notes.join(" ")}`);
  }

  say(text, problem = false) {
    this.elements.status.textContent = text;
    this.elements.status.classList.toggle("problem", problem);
  }
}

// The JSON values of a stream with one on each line.
async function* lines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts) yield JSON.parse(part);
  }
}
