// The timeline in step with the recording. Without this script the page shows the same bands as a picture.
"use strict";
(() => {
  const UNSEEN = 255, FULL = 250, ROW = 64, GAP = 26, LEAST_S = 1;
  const data = JSON.parse(document.getElementById("series").textContent);
  const box = document.getElementById("player");
  const canvas = box.querySelector("canvas"), cursor = box.querySelector(".cursor");
  const said = box.querySelector("output"), where = box.querySelector(".where");
  const media = document.querySelector("video.recording, audio.recording");
  const length = data.length_s, count = data.labels.length;
  const rows = data.rows.map((row) => ({
    who: row.who, source: row.source, shown: true,
    scores: Uint8Array.from(atob(row.scores), (letter) => letter.charCodeAt(0)),
  }));
  const labels = data.labels.map(([name, colour]) => ({ name, colour, shown: true }));
  let from = 0, to = length, now = 0, waiting = false;

  const clock = (seconds) => {
    const whole = Math.floor(seconds), two = (n) => String(n).padStart(2, "0");
    const minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
    const rest = (seconds - Math.floor(seconds / 60) * 60).toFixed(1);
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : minutes ? `${minutes}:${two(whole % 60)}` : `${rest} s`;
  };
  const visible = () => rows.filter((row) => row.shown);
  const x_of = (time, width) => ((time - from) / (to - from)) * width;

  // The mean scores of a row between two times; null where nothing was observed.
  const mean = (row, start, end) => {
    const first = Math.max(0, Math.min(data.bins - 1, Math.floor((start / length) * data.bins)));
    const last = Math.max(first + 1, Math.min(data.bins, Math.ceil((end / length) * data.bins)));
    const sums = new Float32Array(count);
    const step = Math.max(1, Math.floor((last - first) / 24)); // seen from far away, a sample of the bins is enough
    let seen = 0;
    for (let bin = first; bin < last; bin += step) {
      if (row.scores[bin * count] === UNSEEN) continue;
      seen += 1;
      for (let k = 0; k < count; k += 1) sums[k] += row.scores[bin * count + k];
    }
    return seen ? sums.map((sum) => sum / seen / FULL) : null;
  };

  const draw = () => {
    waiting = false;
    const shown = visible(), width = canvas.clientWidth, height = Math.max(1, shown.length) * (ROW + GAP) + 22;
    const scale = window.devicePixelRatio || 1;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext("2d"), style = getComputedStyle(canvas);
    pen.scale(scale, scale);
    shown.forEach((row, place) => {
      const top = place * (ROW + GAP) + GAP;
      pen.font = `600 13px ${style.fontFamily}`;
      pen.fillStyle = style.color;
      pen.fillText(`${row.who} · ${row.source}`, 0, top - 7);
      pen.globalAlpha = 0.07;
      pen.fillRect(0, top, width, ROW);
      pen.globalAlpha = 1;
      for (let x = 0; x < width; x += 1) {
        const scores = mean(row, from + (x / width) * (to - from), from + ((x + 1) / width) * (to - from));
        if (!scores) continue;
        let level = 0;
        for (let k = 0; k < count; k += 1) {
          const thick = scores[k] * ROW;
          if (labels[k].shown && thick > 0) {
            pen.fillStyle = labels[k].colour;
            pen.fillRect(x, top + ROW - level - thick, 1, thick);
          }
          level += thick;
        }
      }
    });
    pen.fillStyle = style.color;
    pen.font = `12px ${style.fontFamily}`;
    const ticks = Math.max(2, Math.min(8, Math.floor(width / 90)));
    for (let i = 0; i <= ticks; i += 1) {
      pen.textAlign = i === 0 ? "left" : i === ticks ? "right" : "center";
      pen.fillText(clock(from + (i / ticks) * (to - from)), (i / ticks) * width, height - 5);
    }
    place();
  };
  const redraw = () => {
    if (!waiting) requestAnimationFrame(draw);
    waiting = true;
  };

  const place = () => {
    const x = x_of(now, canvas.clientWidth);
    cursor.hidden = x < 0 || x > canvas.clientWidth;
    cursor.style.transform = `translateX(${x}px)`;
    cursor.style.height = canvas.style.height;
    where.textContent = `${clock(now)} of ${clock(length)}`;
  };
  const say = () => {
    const words = [];
    for (const row of visible()) {
      const scores = mean(row, now, now);
      if (!scores) continue;
      const order = [...scores.keys()].filter((k) => labels[k].shown).sort((a, b) => scores[b] - scores[a]);
      const top = order.slice(0, 2).map((k) => `${labels[k].name} ${Math.round(scores[k] * 100)} %`);
      words.push(`${row.who}, ${row.source}: ${top.join(", ")}`);
    }
    said.setAttribute("aria-live", media && !media.paused ? "off" : "polite"); // read out what was chosen, not all that plays
    said.textContent = words.join(" · ") || "Nothing was seen or heard here.";
  };

  const look = (start, span) => {
    const wide = Math.min(length, Math.max(Math.min(LEAST_S, length), span));
    from = Math.max(0, Math.min(length - wide, start));
    to = from + wide;
    redraw();
  };
  const zoom = (by, around = now) => {
    const inside = around >= from && around <= to ? around : (from + to) / 2;
    look(inside - (inside - from) * by, (to - from) * by);
  };
  const move = (time, seek = true) => {
    now = Math.max(0, Math.min(length, time));
    if (seek && media && Number.isFinite(media.duration)) media.currentTime = Math.min(now, media.duration);
    if (now < from || now > to) look(now - (to - from) / 10, to - from);
    place();
    say();
  };

  const time_at = (event) => {
    const edge = canvas.getBoundingClientRect();
    return from + ((event.clientX - edge.left) / edge.width) * (to - from);
  };
  canvas.addEventListener("click", (event) => move(time_at(event)));
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // plain turning scrolls the page
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, time_at(event));
  }, { passive: false });
  const actions = {
    in: () => zoom(0.5), out: () => zoom(2), whole: () => look(0, length),
    back: () => move(now - 5), forward: () => move(now + 5),
  };
  for (const button of box.querySelectorAll("button")) {
    button.addEventListener("click", () => actions[button.value]());
  }
  const keys = {
    ArrowLeft: (event) => move(now - (event.shiftKey ? 10 : 1)),
    ArrowRight: (event) => move(now + (event.shiftKey ? 10 : 1)),
    Home: () => move(0), End: () => move(length),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => look(0, length),
    " ": () => media && (media.paused ? media.play() : media.pause()),
  };
  box.querySelector(".stage").addEventListener("keydown", (event) => {
    if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key](event);
  });

  const choice = (words, colour, change) => {
    const label = document.createElement("label"), check = document.createElement("input");
    check.type = "checkbox";
    check.checked = true;
    check.addEventListener("change", () => { change(check.checked); redraw(); say(); });
    label.append(check);
    if (colour) {
      const patch = document.createElement("i");
      patch.style.background = colour;
      label.append(patch);
    }
    label.append(words);
    return label;
  };
  const chosen = box.querySelector(".choices");
  if (rows.length > 1) {
    chosen.append(...rows.map((row) => choice(`${row.who} · ${row.source}`, "", (on) => { row.shown = on; })));
  }
  box.querySelector(".emotions").append(
    ...labels.map((label) => choice(label.name, label.colour, (on) => { label.shown = on; })),
  );

  if (media) {
    const follow = () => {
      move(media.currentTime, false);
      if (!media.paused) requestAnimationFrame(follow);
    };
    media.addEventListener("play", follow);
    media.addEventListener("seeked", () => move(media.currentTime, false));
    const gone = () => { media.hidden = true; document.getElementById("gone").hidden = false; };
    media.addEventListener("error", gone);
    if (media.error) gone();
  }
  document.documentElement.classList.add("scripted");
  box.hidden = false;
  new ResizeObserver(redraw).observe(canvas.parentElement);
  redraw();
  say();
})();
