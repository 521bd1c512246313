// The page: camera and microphone to the server, what it says of them to the screen.
import { Camera } from "./camera.js";
import { Connection } from "./connection.js";
import { percent, personName } from "./facts.js";
import { Microphone, level } from "./microphone.js";
import { People } from "./people.js";
import { MOST, Record, save } from "./record.js";
import { Speed } from "./speed.js";
import { Stage } from "./stage.js";
import { TimelineView } from "./timeline.js";
import { Upload } from "./upload.js";

const MOST_WAITING = 2; // pictures under way: one that is scored and one that is ready for it
const LOST_MS = 2000; // a picture without an answer for so long was lost
const REDRAW_MS = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1000 : 100;

const $ = (id) => document.getElementById(id);
const stage = new Stage($("stage"));
const people = new People($("people"), (person) => live?.neutral(person));
const timeline = new TimelineView($("timeline"));
const record = new Record();
const speed = new Speed();
let live = null; // the stream under way

class Live {
  constructor() {
    this.origin = performance.now() / 1000;
    this.paused = false;
    this.waiting = []; // pictures that were taken and have no answer yet
    this.persons = 0; // the highest number shown
    this.offset = 0; // added to the server's numbers, which begin anew after a break
  }

  get now() {
    return performance.now() / 1000 - this.origin;
  }

  async open(camera, microphone) {
    const problems = [];
    const tried = async (wanted, open, name) => {
      if (!wanted) return null;
      try {
        return await open();
      } catch (error) {
        problems.push(`${name}: ${reason(error)}`);
        return null;
      }
    };
    this.camera = await tried(camera, () => Camera.open(() => this.wants(), (taken) => this.taken(taken)), "No camera");
    this.microphone = await tried(microphone, () => Microphone.open((time, samples) => this.heard(time, samples)), "No microphone");
    if (!this.camera && !this.microphone) throw new Error(problems.join(". ") || "Choose the camera, the microphone, or both.");
    this.note = problems.length ? `${problems.join(". ")}. Going on without.` : "";
    const start = { camera: !!this.camera, microphone: !!this.microphone, rate: this.microphone?.rate ?? 16000 };
    this.connection = new Connection(start, {
      ready: () => this.ready(),
      observations: (message) => this.observed(message),
      end: () => finished("Stopped. What was learned of anybody’s face and voice is forgotten."),
      lost: (seconds, why) => this.lost(seconds, why),
      refused: (why) => finished(why, true),
    });
  }

  ready() {
    this.offset = this.persons;
    say(`Live. ${this.note}`);
  }

  lost(seconds, why) {
    this.drop(this.waiting.splice(0));
    say(`${why ?? "The server cannot be reached"}. Trying again in ${seconds} s …`, true);
  }

  drop(pictures) {
    for (const { picture } of pictures) picture.close();
  }

  wants() {
    this.drop(this.waiting.filter(({ captured }) => captured < performance.now() - LOST_MS));
    this.waiting = this.waiting.filter(({ captured }) => captured >= performance.now() - LOST_MS);
    return !this.paused && this.connection?.clear && this.waiting.length < MOST_WAITING;
  }

  taken({ captured, picture, jpeg }) {
    const time = captured / 1000 - this.origin;
    if (!this.connection?.open || this.paused || time < 0) return picture.close();
    this.waiting.push({ captured, picture, time });
    return this.connection.send("PICT", time, jpeg);
  }

  heard(captured, samples) {
    $("level").value = this.paused ? 0 : level(samples);
    const time = captured - this.origin;
    if (this.connection?.open && !this.paused && time >= 0) this.connection.send("SOUN", time, samples.buffer);
  }

  observed({ picture, dropped, known, observations }) {
    for (const observation of observations) {
      if (observation.person !== null) observation.person += this.offset;
      this.persons = Math.max(this.persons, observation.person ?? 0);
      record.add(observation);
      timeline.add(observation);
      people.add(observation);
      if (observation.source === "voice") speaks(observation);
    }
    for (const [person, seconds] of Object.entries(known ?? {})) people.known(Number(person) + this.offset, seconds);
    if (picture) {
      this.scored(picture.time, observations);
      $("dropped").textContent = dropped;
    }
  }

  // Draw the picture that was scored, not the one that the camera shows by now.
  scored(time, observations) {
    const mine = this.waiting.find((one) => one.time === time);
    if (!mine) return;
    this.drop(this.waiting.filter((one) => one.time < time)); // the server passed over them
    this.waiting = this.waiting.filter((one) => one.time > time);
    stage.draw(mine.picture, observations.filter((o) => o.source === "face" && Math.abs(o.start - time) < 0.001), $("mirror").checked);
    mine.picture.close();
    requestAnimationFrame(() => speed.add(performance.now(), performance.now() - mine.captured));
  }

  neutral(person) {
    this.connection.neutral(person - this.offset);
  }

  pause() {
    this.paused = !this.paused;
    $("pause").textContent = this.paused ? "Go on" : "Pause";
    say(this.paused ? "Paused: nothing is sent." : `Live. ${this.note}`);
  }

  close() {
    this.camera?.close();
    this.microphone?.close();
  }
}

const reason = (error) => {
  if (error.name === "NotAllowedError") return "it was not allowed";
  if (error.name === "NotFoundError") return "there is none";
  if (error.name === "NotReadableError") return "another program uses it";
  if (!navigator.mediaDevices) return "the browser gives none to pages that are not on this machine or on https";
  return error.message;
};

const say = (text, problem = false) => {
  $("status").textContent = text;
  $("status").classList.toggle("problem", problem);
};

const speaks = ({ person, emotion, confidence }) => {
  $("voice-emotion").textContent = `${personName(person)}: ${emotion} ${percent(confidence)}`;
};

const running = (on) => {
  for (const id of ["use-camera", "use-microphone", "start"]) $(id).disabled = on;
  for (const id of ["pause", "stop"]) $(id).disabled = !on;
};

const start = async () => {
  running(true);
  $("pause").textContent = "Pause";
  for (const part of [people, timeline, record, speed]) part.clear();
  $("voice-emotion").textContent = "Nobody has spoken yet.";
  say("Asking for camera and microphone …");
  const starting = new Live();
  try {
    await starting.open($("use-camera").checked, $("use-microphone").checked);
    live = starting;
    $("welcome").open = false;
    $("now").hidden = false;
    $("save").disabled = false;
  } catch (error) {
    starting.close();
    running(false);
    say(error.message, true);
  }
};

const stop = () => {
  $("pause").disabled = $("stop").disabled = true;
  live.close();
  say("Stopping …");
  live.connection.stop();
};

const finished = (text, problem = false) => {
  live?.close();
  live = null;
  running(false);
  $("level").value = 0;
  say(text, problem);
};

const refresh = () => {
  if (!live || live.paused) return;
  timeline.draw(live.now);
  people.tidy(live.now);
  const figures = speed.figures(performance.now());
  $("fps").textContent = figures ? figures.fps.toFixed(1) : "–";
  $("latency").textContent = figures ? `${figures.median.toFixed(0)} ms` : "–";
  $("latency95").textContent = figures ? `${figures.p95.toFixed(0)} ms` : "–";
};

$("start").addEventListener("click", start);
$("pause").addEventListener("click", () => live.pause());
$("stop").addEventListener("click", stop);
$("save").addEventListener("click", () => {
  save(record.csv(), "text/csv", "timeline.csv");
  if (record.begins) say(`The table begins at ${Math.round(record.begins)} s: the page keeps its last ${MOST.toLocaleString("en")} rows.`);
});
setInterval(refresh, REDRAW_MS);
new Upload({
  area: $("drop"), input: $("file"), status: $("file-status"), progress: $("file-progress"), results: $("file-results"),
  open: $("file-open"), report: $("file-report"), table: $("file-table"),
});
