// The WebSocket: opened anew with the same start when it breaks, until it is closed on purpose.
const HEADER = 16;
const RETRY_MS = [500, 1000, 2000, 4000];
const REFUSED = 1008;
const MOST_WAITING_BYTES = 1 << 20;

export class Connection {
  // handlers: ready(message), observations(message), end(), lost(seconds until the next try), refused(why)
  constructor(start, handlers) {
    this.start = start;
    this.handlers = handlers;
    this.open = false;
    this.done = false;
    this.stopping = false;
    this.tries = 0;
    this.why = null;
    this.connect();
  }

  connect() {
    this.why = null;
    this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.socket.send(JSON.stringify({ type: "start", ...this.start }));
    this.socket.onmessage = (event) => this.receive(JSON.parse(event.data));
    this.socket.onclose = (event) => this.closed(event);
  }

  receive(message) {
    if (message.type === "ready") {
      this.open = true;
      this.tries = 0;
      this.handlers.ready(message);
    } else if (message.type === "observations") {
      this.handlers.observations(message);
    } else if (message.type === "end") {
      this.done = true;
    } else if (message.type === "error") {
      this.why = message.message;
    }
  }

  closed(event) {
    this.open = false;
    if (this.done || this.stopping) return this.handlers.end();
    if (event.code === REFUSED) {
      this.done = true;
      return this.handlers.refused(this.why ?? "The server refused the stream.");
    }
    const wait = RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)];
    this.tries += 1;
    this.retry = setTimeout(() => this.connect(), wait);
    this.handlers.lost(wait / 1000, this.why);
  }

  // kind: "PICT" or "SOUN"; time in seconds; content: an ArrayBuffer.
  send(kind, time, content) {
    const message = new Uint8Array(HEADER + content.byteLength);
    message.set([...kind].map((letter) => letter.charCodeAt(0)));
    new DataView(message.buffer).setFloat64(8, time, true);
    message.set(new Uint8Array(content), HEADER);
    this.socket.send(message);
  }

  // The person's face of the last two seconds was neutral; person: the server's number.
  neutral(person) {
    if (this.open) this.socket.send(JSON.stringify({ type: "neutral", person }));
  }

  // Whether what was sent last has left: else a new picture would only wait.
  get clear() {
    return this.open && this.socket.bufferedAmount < MOST_WAITING_BYTES;
  }

  stop() {
    this.stopping = true;
    if (this.open) {
      this.socket.send(JSON.stringify({ type: "stop" }));
      this.open = false;
    } else {
      clearTimeout(this.retry);
      this.done = true;
      this.socket.onclose = null;
      this.socket.close();
      this.handlers.end();
    }
  }
}
